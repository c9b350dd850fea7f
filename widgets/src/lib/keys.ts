// JupyterLab listens for keys at the document and would take them from a focused element of an output.
import { listen } from "./dom";

const TEXT_TYPES = new Set(["text", "search", "number", "url", "email"]);

/** Whether an element takes typed text (and so has an undo of its own). */
export function takesText(target: EventTarget | null): boolean {
	if (target instanceof HTMLTextAreaElement) return true;
	return target instanceof HTMLInputElement && TEXT_TYPES.has(target.type);
}

/** What has the focus in the tree that an element stands in: the page, or a shadow tree (marimo's cells). */
export function focused(near: Element): Element | null {
	return (near.getRootNode() as Document | ShadowRoot).activeElement ?? null;
}

/** Keeps keys inside `root`, but for those a notebook user counts on: Escape, Shift+Enter, Ctrl or Cmd chords. */
export function keepKeys(root: HTMLElement, signal: AbortSignal): void {
	listen(root, "keydown",
		(event) => {
			const chord = event.ctrlKey || event.metaKey;
			const run = event.key === "Enter" && event.shiftKey;
			if (event.key !== "Escape" && !run && !chord) event.stopPropagation();
		}, signal);
}

/** Where an arrow, Home or End leads in a grid of rows × columns, or null for another key. */
export function moved(key: string, at: { row: number; column: number }, rows: number, columns: number): { row: number; column: number } | null {
	const { row, column } = at;
	const to: Record<string, [number, number]> = {
		ArrowUp: [row - 1, column],
		ArrowDown: [row + 1, column],
		ArrowLeft: [row, column - 1],
		ArrowRight: [row, column + 1],
		Home: [row, 0],
		End: [row, columns - 1],
	};
	const next = to[key];
	if (!next) return null;
	const within = (value: number, size: number) => Math.max(0, Math.min(size - 1, value));
	return { row: within(next[0], rows), column: within(next[1], columns) };
}
