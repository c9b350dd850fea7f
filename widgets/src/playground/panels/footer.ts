// The last line: what changed, in one sentence, and how long it took; the code that does the same.
import { h, setAttributes, setShown, setText } from "../../lib/dom";
import type { Context, Panel } from "../context";

export function footer(context: Context): Panel {
	const sentence = h("span", { class: "ck-sentence", "data-test": "sentence" }, "running…");
	const time = h("span", { class: "ck-time", "data-test": "ms" });
	const el = h("div", { class: "ck-footer" }, sentence, time);
	context.view.on((look, changed) => {
		if (!look.frame || !changed("frame")) return;
		setText(sentence, look.frame.sentence);
	});
	const results = () => {
		const status = context.model.get("status");
		if (!context.view.look.frame) setText(sentence, context.model.get("error") ? "No picture yet: see the message above." : status?.message || "running…");
		const { seq, ms, model } = context.view.look.frame ?? { seq: -1, ms: 0, model: 0 };
		setText(time, ms ? `${Math.round(ms)} ms` : ""); // of a picture that was recorded or remembered nobody waited
		setAttributes(time, { title: `time in Python; of it the model's own ${model.toFixed(1)} ms`, "data-model": model });
		const waiting = !context.model.get("error") && (context.model.get("seq") ?? 0) > seq;
		el.classList.toggle("ck-waiting", waiting || (status?.busy.includes("run") ?? false));
	};
	return { el, results, state: results, hears: ["frame", "status", "error"] };
}

/** The code of the state: copied where the page allows it, and always there to read. */
export function codeBox(context: Context): Panel {
	const pre = h("pre", { "data-test": "code", tabindex: 0, "aria-label": "Python code" });
	const said = h("span", { class: "ck-note", "data-test": "copied", role: "none" });
	const el = h("details", { class: "ck-more ck-code" }, h("summary", {}, "Python code that does the same"), pre, said);
	const results = () => {
		const code = context.model.get("code") || "";
		setText(pre, code);
		setShown(el, code !== "");
	};
	const copy = () => {
		el.open = true;
		void toClipboard(pre.textContent ?? "").then((done) => {
			setText(said, done ? "Copied." : "This page may not copy: select the code and press Ctrl+C.");
			if (!done) getSelection()?.selectAllChildren(pre);
		});
	};
	context.copyCode = copy;
	return { el, results, hears: ["code"] };
}

/** Copies text; whether it worked. */
export async function toClipboard(text: string): Promise<boolean> {
	try {
		await navigator.clipboard.writeText(text);
		return true;
	} catch {
		return copyByHand(text); // no clipboard here (an insecure page, or no permission)
	}
}

function copyByHand(text: string): boolean {
	const area = h("textarea", { "aria-hidden": "true", style: "position:fixed;opacity:0" });
	area.value = text;
	document.body.append(area);
	area.select();
	try {
		return typeof document.execCommand === "function" && document.execCommand("copy");
	} finally {
		area.remove();
	}
}
