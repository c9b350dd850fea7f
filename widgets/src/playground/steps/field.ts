// The field that a step becomes while it is edited: every letter moves the answer, Enter or a pause measures anew.
import { h } from "../../lib/dom";

const PAUSE = 700; // ms without a letter, after which all steps are measured again

export interface Edit {
	el: HTMLTextAreaElement;
	/** Takes the field as it is, as if somebody had left it. */
	close(): void;
}

/** `typed` at every letter; `paused` after the last one for a while; `done` with the text, or null to leave it all as it was. */
export function field(label: string, text: string, signal: AbortSignal, typed: (text: string) => void, paused: (text: string) => void, done: (text: string | null) => void): Edit {
	const el = h("textarea", { class: "ck-step-field", rows: Math.min(6, text.split("\n").length), "aria-label": label, "data-test": "step-field", dir: "auto", spellcheck: "false" });
	el.value = text;
	const whole = el.value; // what the field makes of it: it knows only one kind of line break
	let timer = 0;
	let open = true;
	const close = (result: string | null) => {
		if (!open) return;
		open = false;
		window.clearTimeout(timer);
		done(result === whole ? null : result);
	};
	el.addEventListener("input", () => {
		window.clearTimeout(timer);
		typed(el.value);
		timer = window.setTimeout(() => open && el.value.trim() && paused(el.value), PAUSE);
	}, { signal });
	el.addEventListener("keydown", (event) => {
		if (event.isComposing) return; // Enter that ends a composed letter
		if (event.key !== "Enter" && event.key !== "Escape") return;
		event.preventDefault();
		event.stopPropagation();
		close(event.key === "Enter" ? el.value : null);
	}, { signal });
	el.addEventListener("blur", () => close(el.value), { signal });
	signal.addEventListener("abort", () => window.clearTimeout(timer));
	return { el, close: () => close(el.value) };
}
