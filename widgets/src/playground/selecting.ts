// The words that are selected in the running text, for what wants a part of the prompt.
import { listen } from "../lib/dom";
import type { Context } from "./context";
import { textSide } from "./view";

/** What is selected, also where the view stands in a shadow tree (marimo's cells): some browsers tell that tree alone. */
export function selectionIn(element: Element | undefined): Selection | null {
	const tree = element?.getRootNode() as { getSelection?(): Selection | null } | undefined;
	return (tree?.getSelection ? tree : document).getSelection!();
}

/** Calls back with the words selected last; "" once the selection is elsewhere. */
export function watchSelection(context: Context, changed: (words: string) => void): void {
	let last = "";
	listen(document, "selectionchange", () => {
		const selection = selectionIn(context.root);
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
