// What was painted, as a table: for each row what it no longer sees, and what it sees although it comes later.
import { h } from "../../lib/dom";
import { OPENED, PARTLY, SHUT } from "../brush";

const MOST = 100; // rows

export function paintTable() {
	const table = h("div", { class: "ck-table", tabindex: 0, role: "group", "aria-label": "Table of what was painted" });
	const el = h("details", { class: "ck-more", "data-test": "painter-table" }, h("summary", {}, "Show as table"), table);
	let shown: [string[], Uint8Array] = [[], new Uint8Array()];
	const draw = () => el.open && table.replaceChildren(build(...shown));
	el.addEventListener("toggle", draw);
	const show = (labels: string[], states: Uint8Array) => {
		shown = [labels, states];
		draw();
	};
	return { el, show };
}

function build(labels: string[], states: Uint8Array): HTMLElement {
	const size = labels.length;
	const named = (row: number, wanted: number[]) => labels.filter((_, column) => wanted.includes(states[row * size + column] ?? 0)).join(", ");
	const rows = labels.map((label, row) => [label, named(row, [SHUT, PARTLY]), named(row, [OPENED, PARTLY])] as const).filter(([, ...cells]) => cells.some(Boolean));
	if (!rows.length) return h("p", { class: "ck-note" }, "Nothing is painted.");
	const head = ["row", "no longer sees", "sees ahead"].map((name) => h("th", { scope: "col" }, name));
	const body = rows.slice(0, MOST).map(([label, ...cells]) => h("tr", {}, h("th", { scope: "row" }, label), ...cells.map((cell) => h("td", {}, cell))));
	const caption = h("caption", {}, rows.length > MOST ? `The first ${MOST} of ${rows.length} rows that were painted` : "Rows that were painted");
	return h("table", {}, caption, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...body));
}
