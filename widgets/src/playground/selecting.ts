// The words that are selected in the running text, for what wants a part of the prompt.
import { listen } from "../lib/dom";
import type { Context } from "./context";
import { textSide } from "./view";

/** Calls back with the words selected last; "" once the selection is elsewhere. */
export function watchSelection(context: Context, changed: (words: string) => void): void {
	let last = "";
	listen(document, "selectionchange", () => {
		const selection = document.getSelection();
		const frame = context.view.look.frame;
		const list = context.root.querySelector("[data-test=tokens]");
		if (!selection?.rangeCount || selection.isCollapsed || !frame || !list) return;
		const range = selection.getRangeAt(0);
		if (!range.intersectsNode(list)) return;
		const chosen = [...list.querySelectorAll<HTMLElement>("[role=option]")].filter((token) => range.intersectsNode(token));
		const { tokens, pieces } = textSide(frame);
		const said = chosen.map((token) => Number(token.dataset.index)).filter((i) => pieces.some(({ start, stop }) => start <= i && i < stop)); // others stand for no words
		const words = said.map((i) => tokens[i] ?? "").join("").trim();
		if (words === last) return;
		last = words;
		changed(words);
	}, context.signal);
}
