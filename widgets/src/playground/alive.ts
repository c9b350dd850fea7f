// Whether there is a kernel behind the view: asked where a change is not followed soon, and said in words where no answer
// comes.
import { h, setShown, setText } from "../lib/dom";
import type { Context } from "./context";
import type { Reply } from "./types";

const DUE = 700; // ms in which a picture mostly comes: a question before would only be one more thing to do for the kernel
const PATIENCE = 4300; // ms from the question until silence is said
const SOON = 1500; // ms, where the notebook itself says that something happened to the connection
const FOLLOWING = ["change:frame", "change:error", "change:loading"] as const; // what only the kernel sets, after a change
const SILENT = "The kernel does not answer. It is busy with another cell, or it is gone: if it was restarted, run the cell again.";
const GONE = "The kernel is gone: run the cell again.";

export function alive(context: Context): HTMLElement {
	const { model, signal } = context;
	const el = h("div", { class: "ck-error", role: "alert", "data-test": "gone", hidden: true });
	let [asked, answered, timer, due] = [0, 0, 0, 0];
	const show = (words: string) => {
		setText(el, words);
		setShown(el, words !== "");
	};
	const ask = (patience: number, words: string) => {
		asked += 1;
		clearTimeout(timer);
		timer = window.setTimeout(() => answered < asked && show(words), patience);
		try {
			model.send({ type: "ping", asked });
		} catch {
			show(GONE); // there is no connection left to send it on
		}
	};
	const heard = (reply: Reply) => {
		if (reply.type !== "pong") return;
		answered = Math.max(answered, reply.asked);
		if (answered === asked) show("");
	};
	const lost = () => ask(SOON, GONE);
	const followed = () => clearTimeout(due);
	model.on("msg:custom", heard);
	model.on("comm_live_update", lost);
	for (const name of FOLLOWING) model.on(name, followed);
	context.wrote = () => {
		clearTimeout(due);
		due = window.setTimeout(() => ask(PATIENCE, SILENT), DUE);
	};
	signal.addEventListener("abort", () => {
		clearTimeout(timer);
		clearTimeout(due);
		for (const name of FOLLOWING) model.off?.(name, followed);
		model.off?.("msg:custom", heard);
		model.off?.("comm_live_update", lost);
	});
	return el;
}
