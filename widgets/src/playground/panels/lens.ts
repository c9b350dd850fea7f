// When it is decided: how likely each layer finds the next tokens. A small line a token: grey before, blue after.
import { h, listen, setShown, setText } from "../../lib/dom";
import { number, shown } from "../../lib/words";
import type { Context, Panel } from "../context";
import type { Lens, LensToken } from "../types";
import { lines, type Lines } from "../draw/lines";

const HONEST = "Each layer's stream read as if it were the last (logit lens). Early layers were not trained to be read so: a word not found there may still be there.";

export function lens(context: Context): Panel {
	const { signal } = context;
	const title = h("h3", {}, "When it is decided, by layer");
	const rows = h("div", { class: "ck-lens-rows", "data-test": "lens-rows" });
	const slider = h("input", { type: "range", "aria-label": "Layer", min: 0, step: 1, "data-test": "lens-layer", class: "ck-lens-layer" });
	const at = h("span", { class: "ck-lens-at", "data-test": "lens-at" });
	const none = h("p", { class: "ck-note" });
	const key = h("div", { class: "ck-key", "aria-hidden": "true" });
	const words = h("p", { class: "ck-lens-words", "data-test": "lens-words" });
	const table = h("div", { class: "ck-table", tabindex: 0, role: "group", "aria-label": "Table of the lens" });
	const more = h("details", { class: "ck-more", "data-test": "lens-table" }, h("summary", {}, "Show as table"), table);
	const body = h("div", {}, words, rows, h("div", { class: "ck-lens-pick" }, at, slider), key, h("p", { class: "ck-note ck-lens-honest" }, HONEST), more);
	const el = h("section", { class: "ck-panel ck-lens", "aria-label": "When it is decided", "data-test": "lens" }, title, none, body);
	let drawn: Lines[] = [];
	let now: Lens | null = null;
	let chosen: number | null = null;

	const pick = (layer: number) => {
		const last = (now?.tokens[0]?.before.length ?? 1) - 1;
		chosen = layer >= last ? null : layer; // the last layer is where it opens
		const shownLayer = Math.min(layer, last);
		slider.value = String(shownLayer);
		setText(at, `layer ${shownLayer}${shownLayer === last ? ", the answer" : shownLayer === 0 ? ", the words alone" : ""}`);
		slider.setAttribute("aria-valuetext", at.textContent ?? "");
		drawn.forEach((line, i) => line.pick(shownLayer, values(now!.tokens[i]!, shownLayer)));
	};
	listen(slider, "input", () => {
		pick(Number(slider.value));
		context.say(`${at.textContent}: ${now?.tokens.map((one) => `${shown(one.token)} ${values(one, Number(slider.value))}`).join(", ") ?? ""}`);
	}, signal);
	listen(rows, "pointermove", (event) => {
		const plot = event.target instanceof Element ? event.target.closest("svg") : null;
		const box = plot?.getBoundingClientRect();
		if (box?.width) pick(Math.round(((event.clientX - box.left) / box.width) * Number(slider.max)));
	}, signal);

	const results = () => {
		const found = context.model.get("lens");
		el.classList.toggle("ck-stale", context.old(found));
		const usable = found !== null && found.tokens.length > 0;
		setText(none, found ? found.note : context.model.get("error") ? "" : "reading the layers …");
		setShown(none, !usable);
		setShown(body, usable);
		if (found === now || !usable) return;
		now = found;
		const last = found.tokens[0]!.before.length - 1;
		slider.max = String(last);
		drawn = found.tokens.map((one) => lines(one.before, one.after));
		rows.replaceChildren(...found.tokens.map((one, i) => h("div", { class: "ck-lens-row" }, h("span", { class: "ck-word", title: shown(one.token) }, shown(one.token)), drawn[i]!.svg, drawn[i]!.value)));
		setText(words, decided(found));
		key.replaceChildren(h("span", { class: "ck-swatch ck-outline" }), "before", ...(found.after ? [h("span", { class: "ck-swatch" }), "after"] : []));
		table.replaceChildren(build(found));
		pick(chosen ?? last);
	};
	return { el, results, hears: ["lens", "error"] };
}

/** From which layer on the lens says what the model says. */
function decided({ before, after }: Lens): string {
	if (!before) return "";
	const said = ({ top, settled }: { top: string[]; settled: number }) => `${shown(top[top.length - 1] ?? "")} leads from layer ${settled} on`;
	return after ? `Before, ${said(before)}; after, ${said(after)}.` : `${said(before)}.`;
}

function values(one: LensToken, layer: number): string {
	const old = number(one.before[layer] ?? 0);
	return one.after ? `${old} → ${number(one.after[layer] ?? 0)}` : old;
}

/** Narrow enough for its column: before and after share a cell, one below the other where there is no room. */
function build({ tokens, before, after }: Lens): HTMLTableElement {
	const head = ["layer", ...tokens.map((one) => shown(one.token)), "top"];
	const both = (old: string, now: string | undefined) => h("td", {}, now === undefined ? old : `${old} ${now}`);
	const value = (all: number[] | undefined, layer: number) => all && number(all[layer] ?? 0);
	const rows = (tokens[0]?.before ?? []).map((_, layer) => h("tr", {}, h("th", { scope: "row" }, String(layer)), ...tokens.map((one) => both(value(one.before, layer) ?? "", value(one.after ?? undefined, layer))), both(shown(before?.top[layer] ?? ""), after ? shown(after.top[layer] ?? "") : undefined)));
	return h("table", {}, h("caption", {}, `Probability of a token, read off each layer${after ? ": before, then after" : ""}`), h("thead", {}, h("tr", {}, ...head.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, ...rows));
}
