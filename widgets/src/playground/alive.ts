// Whether there is a kernel behind the view: asked after every change, and said in words where no answer comes.
import { h, setShown, setText } from "../lib/dom";
import type { Context } from "./context";
import type { Reply } from "./types";

const PATIENCE = 5000; // ms until silence is said
const SOON = 1500; // ms, where the notebook itself says that something happened to the connection
const SILENT = "The kernel does not answer. It is busy with another cell, or it is gone: if it was restarted, run the cell again.";
const GONE = "The kernel is gone: run the cell again.";

export function alive(context: Context): HTMLElement {
	const { model, signal } = context;
	const el = h("div", { class: "ck-error", role: "alert", "data-test": "gone", hidden: true });
	let [asked, answered, timer] = [0, 0, 0];
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
	model.on("msg:custom", heard);
	model.on("comm_live_update", lost);
	context.wrote = () => ask(PATIENCE, SILENT);
	signal.addEventListener("abort", () => {
		clearTimeout(timer);
		model.off?.("msg:custom", heard);
		model.off?.("comm_live_update", lost);
	});
	return el;
}
