// The prompt as text to edit, one box a piece, behind the button "edit".
import { freshId, h, listen, setAttributes, setShown } from "../../lib/dom";
import type { Context, Panel } from "../context";

const LINE = 110; // letters
const IDLE = 400; // ms without typing after which the text is taken

export function promptBox(context: Context): Panel & { toggle: HTMLElement } {
	const { signal } = context;
	const id = freshId("prompt");
	const toggle = h("button", { type: "button", class: "ck-button ck-small", "data-test": "edit", "aria-expanded": "false", "aria-controls": id }, "edit the text");
	const el = h("section", { class: "ck-prompt", id, "aria-label": "Edit the text", hidden: true });
	let boxes: HTMLTextAreaElement[] = [];
	let names = "";
	let timer = 0;

	listen(toggle, "click", () => {
		setShown(el, el.hidden);
		setAttributes(toggle, { "aria-expanded": el.hidden ? "false" : "true" });
		toggle.textContent = el.hidden ? "edit the text" : "done";
		if (!el.hidden) boxes[0]?.focus();
	}, signal);

	const take = () => {
		clearTimeout(timer);
		const prompt = context.state.prompt.map((piece, i) => ({ name: piece.name, text: boxes[i]?.value ?? piece.text }));
		context.commit({ prompt });
	};
	listen(el, "input", () => {
		clearTimeout(timer);
		timer = window.setTimeout(take, IDLE);
	}, signal);
	listen(el, "focusout", take, signal);
	listen(el, "keydown", (event) => {
		if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
		event.preventDefault();
		event.stopPropagation(); // the notebook would run the cell
		take();
	}, signal);
	signal.addEventListener("abort", () => clearTimeout(timer));

	const state = () => {
		const { prompt } = context.state;
		const now = prompt.map((piece) => piece.name).join("\n");
		if (now !== names || boxes.length !== prompt.length) {
			names = now;
			boxes = prompt.map((piece) => h("textarea", { rows: 1, spellcheck: "false", dir: "auto", "data-test": `piece-${piece.name}` }));
			el.replaceChildren(...prompt.map((piece, i) => h("label", { class: "ck-box" }, h("span", {}, piece.name), boxes[i]!)));
		}
		prompt.forEach((piece, i) => {
			const box = boxes[i];
			if (!box || box.value === piece.text) return;
			box.value = piece.text;
			box.rows = Math.min(8, 1 + Math.floor(piece.text.length / LINE)); // for browsers that cannot size it by its text
		});
	};
	return { el, toggle, state };
}
