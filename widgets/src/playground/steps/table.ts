// All numbers of the steps as a table. Built when it is opened.
import { h } from "../../lib/dom";
import { visible } from "../../lib/words";
import type { Steps } from "../types";
import { type Scale, shownScore } from "./scale";

export function stepTable(signal: AbortSignal): { el: HTMLElement; draw(steps: Steps | null, method: string, scale: Scale): void } {
	const place = h("div", { class: "ck-table", tabindex: 0, role: "group", "aria-label": "Table of the steps" });
	const el = h("details", { class: "ck-more", "data-test": "steps-table" }, h("summary", {}, "Show the steps as a table"), place);
	let fill = () => {};
	el.addEventListener("toggle", () => fill(), { signal });
	const draw = (steps: Steps | null, method: string, scale: Scale) => {
		el.hidden = !steps?.steps.length;
		fill = () => {
			if (el.open && steps) place.replaceChildren(build(steps, method, scale));
		};
		fill();
	};
	return { el, draw };
}

function build(steps: Steps, method: string, scale: Scale): HTMLTableElement {
	const found = steps.measures[method];
	const label = steps.methods.find((one) => one.name === method)?.label ?? method;
	const evaluations = Object.entries(found?.evaluations ?? {});
	const names = ["", "step", "label", "effect", "from", "to", ...(found?.before ? [steps.outline] : []), ...evaluations.map(([name]) => name)];
	const value = (all: (number | null)[] | null | undefined, i: number) => h("td", {}, shownScore(all?.[i] ?? null, { ...scale, digits: Math.max(3, scale.digits) }));
	const rows = steps.steps.map((step, i) => h("tr", {},
		h("td", {}, String(i + 1)), h("th", { scope: "row" }, visible(step.text)), h("td", {}, [step.label, step.edited ? "edited" : null].filter(Boolean).join(", ")),
		value(found?.scores, i), value(found?.low, i), value(found?.high, i), ...(found?.before ? [value(found.before, i)] : []), ...evaluations.map(([, values]) => value(values, i)),
	));
	return h("table", {}, h("caption", {}, `Effect of each step: ${label}, with its 95 % interval`), h("thead", {}, h("tr", {}, ...names.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, ...rows));
}
