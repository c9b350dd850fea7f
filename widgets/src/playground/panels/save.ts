// Taking it with you: JSON, a picture, one page that works alone; and a state that somebody sent.
import { h, listen, setText } from "../../lib/dom";
import { button, menu } from "../../lib/menu";
import type { Context, Panel } from "../context";
import { download } from "../picture/download";
import { inWords, more, type More } from "../second";
import { toJson } from "../share";
import { same } from "../setup";
import type { Entry, Reply } from "../types";
import { toClipboard } from "./footer";

const NAME = "ctkit-playground";
const MOST = 8; // visited setups in a page

export function save(context: Context): Panel {
	const { signal, model } = context;
	const json = button("copy as JSON", "copy-json", "Copy the state as JSON: text, setup, settings");
	const png = button("PNG picture", "save-png");
	const svg = button("SVG picture", "save-svg");
	const html = button("HTML page", "save-html", "One page that works without a kernel");
	const box = h("textarea", { rows: 3, spellcheck: "false", "data-test": "json", placeholder: '{"ctkit": 1, …}' });
	const load = button("show it", "load-json", "Show the state in the box");
	const file = h("input", { type: "file", accept: ".json,application/json", "data-test": "json-file", "aria-label": "A file with a state" });
	const said = h("p", { class: "ck-note", "data-test": "saved", role: "status" });
	const { el } = menu("save", "save ▾", "Save and share", signal, h("div", { class: "ck-begin" }, json, png, svg, html), h("label", { class: "ck-box" }, h("span", {}, "a state that somebody sent, as JSON"), box), h("span", { class: "ck-inline" }, load, file), said);

	let taken = ""; // what is said of a state from JSON: whether it runs is known once Python has answered
	const tell = (words: string) => {
		taken = "";
		setText(said, words);
	};
	const on = (element: HTMLElement, does: () => void) => listen(element, "click", does, signal);
	on(json, () => {
		const text = toJson(context.state, model.get("options") ?? {}, context.catalog.model.name);
		box.value = text;
		void toClipboard(text).then((done) => tell(done ? "Copied; it stands in the box, too." : "This page may not copy: it stands in the box."));
	});
	const take = async (text: string) => {
		const found = (await more(context)).fromJson(text);
		if ("found" in found) return tell(`That cannot be shown: ${found.found}. It takes what “copy as JSON” wrote.`);
		for (const [panel, own] of Object.entries(found.options)) context.setOptions(panel, own);
		context.commit(found.state, "from JSON");
		const { name } = context.catalog.model;
		taken = !found.model || found.model === name ? "Shown." : `Shown on ${name}; it was made on ${found.model}.`;
		results();
	};
	const show = (text: string) => take(text).catch((error: unknown) => tell(`That cannot be shown: ${inWords(error)}.`));
	on(load, () => void show(box.value));
	listen(file, "change", () => {
		const chosen = file.files?.[0];
		if (chosen) void chosen.text().then(show);
	}, signal);

	const picture = async (ending: "svg" | "png", written: (drawn: SVGElement, script: More) => Promise<Blob | null>) => {
		const script = await more(context);
		const drawn = script.drawPicture(context.view.look, context.theme, context.catalog, context.state);
		if (!drawn) return tell("There is no picture yet.");
		const blob = await written(drawn, script);
		tell(blob ? download(`${NAME}.${ending}`, blob) : "This browser could not draw the picture.");
	};
	const failed = (error: unknown) => tell(`No picture: ${inWords(error)}.`);
	on(svg, () => void picture("svg", async (drawn, { svgText }) => new Blob([svgText(drawn)], { type: "image/svg+xml" })).catch(failed));
	on(png, () => void picture("png", (drawn, { toPng }) => toPng(drawn)).catch(failed));

	let asked = "";
	on(html, () => {
		asked = `${Date.now()}-${Math.random()}`;
		context.send({ type: "page", asked, setups: visited(context) });
		tell("Recording the page …");
	});
	const heard = (reply: Reply, buffers: ArrayBufferView[]) => {
		if ((reply.type !== "file" && reply.type !== "failed") || reply.asked !== asked) return;
		if (reply.type === "failed") return tell(`No page: ${reply.found}.`);
		const page = buffers[0];
		if (page) tell(`${download(`${NAME}.html`, new Blob([page as ArrayBufferView<ArrayBuffer>], { type: "text/html" }))} ${reply.missing ?? ""}`.trim());
	};
	model.on("msg:custom", heard);
	signal.addEventListener("abort", () => model.off?.("msg:custom", heard));
	const results = () => {
		const status = model.get("status");
		if (status?.busy.includes("page")) tell(status.message);
		if (taken) setText(said, model.get("error") ? "It is on, but does not run: the view says why." : taken);
	};
	return { el, results };
}

/** The setups that were visited with this text, each once, the latest few. */
function visited(context: Context): Entry[][] {
	const here = context.history.visits.filter((one) => same(one.state.prompt, context.state.prompt)).map((one) => one.state.setup);
	return here.filter((one, i) => !here.slice(i + 1).some((other) => same(one, other))).slice(-MOST);
}
