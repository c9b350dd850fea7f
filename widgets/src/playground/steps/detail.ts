// The chosen step: what four measures say of it, and what it reads.
import { h } from "../../lib/dom";
import { table } from "../../lib/parts";
import { number, short, visible } from "../../lib/words";
import type { Measured, Steps } from "../types";

const FOUR = ["true-thinking", "early", "suppress", "mistake"];

export function evaluations(steps: Steps, index: number, busy: boolean): HTMLElement[] {
	const rows = FOUR.flatMap((name) => {
		const method = steps.methods.find((each) => each.name === name);
		const found = steps.measures[name];
		if (!method) return [];
		const score = found?.scores[index] ?? null;
		const said = found?.sentences[index] || (score === null ? "" : `effect ${number(score)}`);
		return [line(method.label, method.hint, said || (busy ? "measuring…" : "not measured"), said ? "" : "ck-mute", name === "true-thinking" && found ? corners(found, index) : [])];
	});
	const reads = steps.steps[index]?.reads.map((one) => `${one.name.startsWith("step ") ? one.name : `“${short(one.text, 30)}”`} ${number(one.share)}`) ?? [];
	return reads.length ? [...rows, line("its words read", "shares of its words' attention, the mean over all layers and heads", reads.join(" · "), "ck-reads", [])] : rows;
}

/** The early answer with the step and its context intact or broken: four probabilities. */
function corners({ evaluations: all, answer }: Measured, index: number): HTMLElement[] {
	const ends = ["intact", "broken"];
	const rows = ends.map((context) => [`context ${context}`, ...ends.map((step) => all[`step ${step}, context ${context}`]?.[index]?.toFixed(2) ?? "–")]);
	return [table(`probability of “${visible(answer)}”`, ["", "step intact", "step broken"], rows)];
}

function line(name: string, hint: string, words: string, look: string, more: HTMLElement[]): HTMLElement {
	return h("li", {}, h("span", { class: "ck-mute", title: hint }, name), h("span", { class: look }, words, ...more));
}
