// The chosen head as a table: what each token reads most. Built when it is opened.
import { h, listen } from "../../lib/dom";
import { number, short, signed } from "../../lib/words";
import type { Context, Panel } from "../context";
import { type Decoded, type Reading, ready } from "../decode";
import { cells, reads } from "../measure";
import { type Look, tabOf } from "../view";

const MOST = 3;
const MOST_ROWS = 150; // each is several elements: larger units show the whole of a long text

export function headTable(context: Context): Panel {
	const place = h("div", { class: "ck-table", tabindex: 0, role: "group", "aria-label": "Table of the chosen head" });
	const el = h("details", { class: "ck-more", "data-test": "head-table" }, h("summary", {}, "Show as table"), place);
	const fill = () => {
		const { look } = context.view;
		if (el.open && look.frame && ready(look.frame, look.layer, look.head)) place.replaceChildren(build(look, look.frame));
	};
	listen(el, "toggle", fill, context.signal);
	context.view.on((_, changed) => {
		if (changed("frame") || changed("layer") || changed("head") || changed("wanted") || changed("hideFirst") || changed("arrived")) fill();
	});
	return { el };
}

function build(look: Look, frame: Decoded): HTMLTableElement {
	const tab = tabOf(look);
	const side = tab === "after" && frame.after ? frame.after : frame.before;
	const rows = side.tokens.slice(0, MOST_ROWS).map((token, i) => {
		const most = tab === "difference" ? changes(look, frame, side, i) : reads(side, look.layer, look.head, i, look.hideFirst).slice(0, MOST).map((link) => `${short(side.tokens[link.index] ?? "")} ${number(link.weight)}`);
		return h("tr", {}, h("td", {}, String(i)), h("th", { scope: "row" }, short(token)), h("td", {}, most.join(" · ") || "–"));
	});
	const head = h("tr", {}, h("th", { scope: "col" }, "place"), h("th", { scope: "col" }, "text"), h("th", { scope: "col" }, tab === "difference" ? "reads more or less" : "reads most"));
	const caption = `Layer ${look.layer}, head ${look.head}, ${tab}: the ${MOST} largest numbers of each part${side.size > MOST_ROWS ? `; the first ${MOST_ROWS} of ${side.size}` : ""}`;
	return h("table", {}, h("caption", {}, caption), h("thead", {}, head), h("tbody", {}, ...rows));
}

function changes(look: Look, frame: Decoded, side: Reading, row: number): string[] {
	const square = cells(frame, "difference", look.layer, look.head, look.hideFirst);
	const values = [...square.values.subarray(row * square.size, (row + 1) * square.size)].map((value, index) => ({ value, index }));
	const largest = values.filter((one) => Math.abs(one.value) >= 0.005).sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
	return largest.slice(0, MOST).map((one) => `${short(side.tokens[one.index] ?? "")} ${signed(one.value)}`);
}
