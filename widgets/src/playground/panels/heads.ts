// All heads at a glance: thumbnails on one canvas, as in the model or by change, chosen with the mouse or the arrows.
import { freshId, h, listen, setAttributes, setShown, setText, setValue } from "../../lib/dom";
import { moved } from "../../lib/keys";
import { pixelRatio } from "../../lib/canvas";
import { percent } from "../../lib/words";
import type { Context, Panel } from "../context";
import { drawGrid, type GridSize, gridSize } from "../draw/grid";
import { ramp } from "../draw/ramp";
import { byChange, type Head, rank, thumbnails } from "../heads";
import { type Look, tabOf } from "../view";

const SINK = "Heads with nothing to read park their attention on the first token, a sink. Hidden is not masked: the model still reads it.";

export function heads(context: Context): Panel & { title: HTMLElement } {
	const { view, signal } = context;
	const id = freshId("head");
	const title = h("h3", { "data-test": "attention-title" }, "Attention");
	const canvas = h("canvas", { "aria-hidden": "true" });
	const list = h("div", { class: "ck-heads", role: "listbox", tabindex: 0, "data-test": "heads" });
	const columns = h("div", { class: "ck-head-columns", "aria-hidden": "true" });
	const rows = h("div", { class: "ck-head-rows", "aria-hidden": "true" });
	const sort = h("select", { "data-test": "sort", "aria-label": "Order of the heads" }, h("option", { value: "model" }, "as in the model"), h("option", { value: "change" }, "changed most first"));
	const first = h("input", { type: "checkbox", "data-test": "hide-first", "aria-describedby": `${id}-sink` });
	const sink = h("p", { class: "ck-note ck-sink", id: `${id}-sink` }, SINK);
	const grid = h("div", { class: "ck-head-grid" }, columns, rows, h("div", { class: "ck-head-canvas" }, canvas, list));
	const el = h("div", { class: "ck-head-panel" }, grid, h("div", { class: "ck-key" }, sort, h("label", { class: "ck-check" }, first, "hide the first token"), sink));
	let size: GridSize = gridSize(0, 0, false);
	let ranked: Head[] = [];
	let order: Head[] = [];

	const choose = (one: Head | undefined) => one && view.set({ layer: one.layer, head: one.head, follow: false });
	listen(list, "click", (event) => {
		const cell = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>("[data-layer]") : null;
		if (cell) choose(ranked.find((one) => one.layer === Number(cell.dataset.layer) && one.head === Number(cell.dataset.head)));
	}, signal);
	listen(list, "pointerover", ({ target }) => target instanceof HTMLElement && target !== list && setAttributes(target, { title: target.getAttribute("aria-label") }), signal);
	listen(list, "keydown", (event) => {
		if (event.ctrlKey || event.metaKey || event.altKey) return;
		const at = order.findIndex((one) => one.layer === view.look.layer && one.head === view.look.head);
		const to = moved(event.key, { row: Math.floor(at / size.columns), column: at % size.columns }, size.rows, size.columns);
		if (!to) return;
		event.preventDefault();
		choose(order[to.row * size.columns + to.column]);
		list.querySelector(`[id="${id}-${view.look.layer}-${view.look.head}"]`)?.scrollIntoView?.({ block: "nearest" });
	}, signal);
	listen(sort, "change", () => {
		const sorted = sort.value === "change";
		const top = byChange(ranked)[0];
		view.set({ sorted, ...(sorted && top ? { follow: true, layer: top.layer, head: top.head } : {}) });
	}, signal);
	listen(first, "change", () => view.set({ hideFirst: first.checked }), signal);

	const paint = (look: Look) => {
		if (!look.base) return;
		const { squares, extent } = thumbnails(look.base, tabOf(look), look.hideFirst, Math.floor(size.tile * pixelRatio()) - 2);
		const inOrder = order.map((one) => squares[one.layer * look.base!.before.heads + one.head]!);
		drawGrid(canvas, size, { squares: inOrder, extent }, ramp(context.theme, look.log), context.theme);
	};
	view.on((look, changed) => {
		if (!look.base) return;
		first.checked = look.hideFirst;
		setValue(sort, look.sorted ? "change" : "model");
		const anew = changed("base") || changed("hideFirst");
		if (anew) ranked = rank(look.base, look.hideFirst);
		if (anew || changed("sorted")) {
			const next = look.sorted ? byChange(ranked) : ranked;
			const other = next.some((one, i) => one.layer !== order[i]?.layer || one.head !== order[i]?.head);
			order = next;
			if (other || changed("sorted") || order.length !== list.children.length) {
				size = gridSize(look.base.before.layers, look.base.before.heads, look.sorted);
				build(order, size, look.sorted, { columns, rows, list, id });
			}
		}
		if (anew || changed("sorted") || changed("wanted") || changed("log")) paint(look);
		if (anew || changed("sorted") || changed("layer") || changed("head")) describe(look, ranked, { title, list, id });
	});
	return { el, title, theme: () => paint(view.look) };
}

interface Parts {
	list: HTMLElement;
	id: string;
}

function build(order: Head[], { rows: count, columns: across, tile, gap, caption }: GridSize, sorted: boolean, { columns, rows, list, id }: Parts & { columns: HTMLElement; rows: HTMLElement }): void {
	const spacing = `--tile:${tile}px;--gap:${gap}px;--heads:${across};--caption:${caption}px`;
	for (const part of [columns, rows, list]) part.setAttribute("style", spacing);
	const numbers = (count: number) => Array.from({ length: count }, (_, i) => h("span", {}, tile >= 20 || i % 4 === 0 ? String(i) : ""));
	columns.replaceChildren(...(sorted ? [] : numbers(across)));
	rows.replaceChildren(...(sorted ? [] : numbers(count)));
	setShown(columns, !sorted);
	setShown(rows, !sorted);
	setAttributes(list, { "aria-label": sorted ? "Heads, the one that changed most first. Arrow keys choose one." : "Heads: rows are layers, columns are heads. Arrow keys choose one." });
	list.replaceChildren(...order.map(({ layer, head }) => h("div", { role: "option", id: `${id}-${layer}-${head}`, "data-test": `head-${layer}-${head}`, "data-layer": layer, "data-head": head, "aria-selected": "false" }, ...(sorted ? [`${layer}.${head}`] : []))));
}

function describe(look: Look, ranked: Head[], { title, list, id }: Parts & { title: HTMLElement }): void {
	const top = byChange(ranked)[0];
	const changed = (top?.change ?? 0) > 0.005;
	const isMost = changed && top?.layer === look.layer && top.head === look.head;
	const here = ranked.find((one) => one.layer === look.layer && one.head === look.head);
	const moves = changed && here ? ` · moves ${percent(here.change)} of its reading` : "";
	setText(title, `Attention · layer ${look.layer}, head ${look.head}${isMost ? " · changed most" : ""}${moves}`);
	const cells = new Map([...list.children].map((cell) => [cell.id, cell]));
	for (const one of ranked) {
		const cell = cells.get(`${id}-${one.layer}-${one.head}`);
		if (!cell) continue;
		const best = changed && one === top;
		const label = `layer ${one.layer}, head ${one.head}${changed ? `: moves ${percent(one.change)} of its reading${best ? ", the most" : ""}` : ""}`;
		setAttributes(cell, { "aria-selected": String(one === here), "aria-label": label, "data-most": best });
	}
	list.setAttribute("aria-activedescendant", `${id}-${look.layer}-${look.head}`);
}
