// All heads at a glance: thumbnails on one canvas, chosen with the mouse or the arrow keys.
import { freshId, h, setAttributes, setText } from "../../lib/dom";
import { moved } from "../../lib/keys";
import { pixelRatio } from "../../lib/canvas";
import { percent } from "../../lib/words";
import type { Context, Panel } from "../context";
import { drawGrid, type GridSize, gridSize } from "../draw/grid";
import { ramp } from "../draw/ramp";
import { byChange, type Head, rank, thumbnails } from "../heads";
import { type Look, tabOf } from "../view";

export function heads(context: Context): Panel & { title: HTMLElement } {
	const { view, signal } = context;
	const id = freshId("head");
	const title = h("h3", { "data-test": "attention-title" }, "Attention");
	const canvas = h("canvas", { "aria-hidden": "true" });
	const list = h("div", { class: "ck-heads", role: "listbox", tabindex: 0, "data-test": "heads", "aria-label": "Heads: rows are layers, columns are heads. Arrow keys choose one." });
	const columns = h("div", { class: "ck-head-columns", "aria-hidden": "true" });
	const rows = h("div", { class: "ck-head-rows", "aria-hidden": "true" });
	const most = h("button", { type: "button", class: "ck-button ck-small", "data-test": "most-changed" }, "most changed");
	const first = h("input", { type: "checkbox", "data-test": "hide-first" });
	const grid = h("div", { class: "ck-head-grid" }, columns, rows, h("div", { class: "ck-head-canvas" }, canvas, list));
	const el = h("div", { class: "ck-head-panel" }, grid, h("div", { class: "ck-key" }, most, h("label", { class: "ck-check" }, first, "hide the first token")));
	let size: GridSize = gridSize(0, 0);
	let ranked: Head[] = [];

	const choose = (layer: number, head: number) => view.set({ layer, head, follow: false });
	list.addEventListener("click", (event) => {
		const cell = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>("[data-layer]") : null;
		if (cell) choose(Number(cell.dataset.layer), Number(cell.dataset.head));
	}, { signal });
	list.addEventListener("keydown", (event) => {
		if (event.ctrlKey || event.metaKey || event.altKey) return;
		const to = moved(event.key, { row: view.look.layer, column: view.look.head }, size.layers, size.heads);
		if (!to) return;
		event.preventDefault();
		choose(to.row, to.column);
	}, { signal });
	most.addEventListener("click", () => jump(context, byChange(ranked)), { signal });
	first.addEventListener("change", () => view.set({ hideFirst: first.checked }), { signal });

	const paint = (look: Look) => {
		if (!look.frame) return;
		const squares = thumbnails(look.frame, tabOf(look), look.hideFirst, Math.floor(size.tile * pixelRatio()) - 2);
		drawGrid(canvas, size, squares, ramp(context.theme), context.theme);
	};
	view.on((look, changed) => {
		if (!look.frame) return;
		first.checked = look.hideFirst;
		if (changed("frame")) {
			const { layers, heads } = look.frame.before;
			if (layers !== size.layers || heads !== size.heads || !list.children.length) {
				size = gridSize(layers, heads);
				build(size, { columns, rows, list, id });
			}
		}
		if (changed("frame") || changed("hideFirst")) ranked = rank(look.frame, look.hideFirst);
		if (changed("frame") || changed("hideFirst") || changed("wanted")) paint(look);
		describe(look, ranked, { title, list, id, most });
	});
	return { el, title, theme: () => paint(view.look) };
}

interface Parts {
	list: HTMLElement;
	id: string;
}

function build({ layers, heads, tile, gap }: GridSize, { columns, rows, list, id }: Parts & { columns: HTMLElement; rows: HTMLElement }): void {
	const spacing = `--tile:${tile}px;--gap:${gap}px;--heads:${heads}`;
	for (const part of [columns, rows, list]) part.setAttribute("style", spacing);
	const numbers = (count: number) => Array.from({ length: count }, (_, i) => h("span", {}, tile >= 20 || i % 4 === 0 ? String(i) : ""));
	columns.replaceChildren(...numbers(heads));
	rows.replaceChildren(...numbers(layers));
	const cells: HTMLElement[] = [];
	for (let layer = 0; layer < layers; layer++) {
		for (let head = 0; head < heads; head++) {
			cells.push(h("div", { role: "option", id: `${id}-${layer}-${head}`, "data-test": `head-${layer}-${head}`, "data-layer": layer, "data-head": head, "aria-selected": "false" }));
		}
	}
	list.replaceChildren(...cells);
}

function describe(look: Look, ranked: Head[], { title, list, id, most }: Parts & { title: HTMLElement; most: HTMLElement }): void {
	const order = byChange(ranked);
	const top = order[0];
	const changed = (top?.change ?? 0) > 0.005;
	const isMost = changed && top?.layer === look.layer && top.head === look.head;
	const here = ranked.find((one) => one.layer === look.layer && one.head === look.head);
	const moves = changed && here ? ` · moves ${percent(here.change)} of its reading` : "";
	setText(title, `Attention · layer ${look.layer}, head ${look.head}${isMost ? " · changed most" : ""}${moves}`);
	for (const one of ranked) {
		const cell = document.getElementById(`${id}-${one.layer}-${one.head}`) ?? list.querySelector(`[data-test="head-${one.layer}-${one.head}"]`);
		const best = changed && one === top;
		const label = `layer ${one.layer}, head ${one.head}${changed ? `: moves ${percent(one.change)} of its reading${best ? ", the most" : ""}` : ""}`;
		if (cell) setAttributes(cell, { "aria-selected": String(one === here), "aria-label": label, title: label, "data-most": best });
	}
	list.setAttribute("aria-activedescendant", `${id}-${look.layer}-${look.head}`);
	setAttributes(most, { disabled: !changed, title: changed ? "The head that changed most; again: the next one" : "Nothing changed yet: flip a switch" });
}

/** The head that changed most; where it is chosen already, the next in the order. */
function jump(context: Context, order: Head[]): void {
	const { layer, head } = context.view.look;
	const at = order.findIndex((one) => one.layer === layer && one.head === head);
	const top = order[0];
	if (!top) return;
	const to = at >= 0 && at < Math.min(5, order.length - 1) && order[at]!.change > 0 ? order[at + 1]! : top;
	context.view.set({ layer: to.layer, head: to.head, follow: to === top });
}
