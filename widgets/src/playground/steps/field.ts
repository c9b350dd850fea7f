// The field that a step becomes while it is edited: every letter moves the answer, Enter or a pause measures anew.
import { h, listen } from "../../lib/dom";

const PAUSE = 700; // ms without a letter, after which all steps are measured again

export interface Edit {
	el: HTMLTextAreaElement;
	/** Takes the field as it is, as if somebody had left it. */
	close(): void;
}

export interface Edited {
	typed(text: string): void;
	paused(text: string): void;
	/** The edit is over; null: all is as it was. */
	done(text: string | null): void;
}

export function field(label: string, text: string, signal: AbortSignal, tell: Edited): Edit {
	const el = h("textarea", { class: "ck-step-field", rows: Math.min(6, text.split("\n").length), "aria-label": label, "data-test": "step-field", dir: "auto", spellcheck: "false" });
	el.value = text;
	const whole = el.value; // what the field makes of it: it knows only one kind of line break
	let timer = 0;
	let open = true;
	const close = (result: string | null) => {
		if (!open) return;
		open = false;
		clearTimeout(timer);
		tell.done(result === whole ? null : result);
	};
	listen(el, "input", () => {
		clearTimeout(timer);
		tell.typed(el.value);
		timer = window.setTimeout(() => open && el.value.trim() && tell.paused(el.value), PAUSE);
	}, signal);
	listen(el, "keydown", (event) => {
		const enter = event.key === "Enter";
		if (event.isComposing || (!enter && event.key !== "Escape")) return; // composing: Enter ends a letter
		event.preventDefault();
		event.stopPropagation();
		close(enter ? el.value : null);
	}, signal);
	listen(el, "blur", () => close(el.value), signal);
	signal.addEventListener("abort", () => clearTimeout(timer));
	return { el, close: () => close(el.value) };
}
