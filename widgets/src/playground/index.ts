// A view: some panels on one prompt and one setup; the playground is the one with all of them. Wires traits to panels.
import { h, watchSize } from "../lib/dom";
import { keepKeys, takesText } from "../lib/keys";
import { readTheme, watchTheme } from "../lib/theme";
import { alive } from "./alive";
import { Context, type Panel, SOON } from "./context";
import { askForHeads } from "./ask";
import { type Decoded, decode } from "./decode";
import { Frames } from "./frames";
import { byChange, rank } from "./heads";
import { ALL, type Area, PANELS } from "./panels";
import { failure } from "./panels/failure";
import { same } from "./same";
import type { Failure, Model, Reply, Sent, State } from "./types";

/** The traits that say what was measured, besides the picture. */
const RESULTS = ["dose", "lens", "generated", "steps", "population", "status", "error", "loading", "code", "options"] as const;

export interface RenderProps {
	model: Model;
	el: HTMLElement;
	signal?: AbortSignal;
}

/** Shows a view in an element, until `signal` aborts or the function it returns is called. */
export function render({ model, el, signal: given }: RenderProps): () => void {
	const stop = new AbortController();
	given?.addEventListener("abort", () => stop.abort());
	const signal = stop.signal;
	const frame = h("div", { class: "ck-frame" });
	const root = h("div", { class: "ctkit ck-empty", "data-test": "playground", "data-seq": "-1" }, frame);
	el.append(root);
	const context = new Context(model, root, signal);
	const status = h("div", { class: "ck-unseen", role: "status", "aria-live": "polite", "data-test": "status" });
	context.say = (words) => void (status.textContent = words);

	const failed = failure(context);
	const names = model.get("panels") ?? ALL;
	const areaOf = ({ area, alone }: (typeof PANELS)[string]) => (names.includes("switches") ? area : (alone ?? area));
	const made = names.flatMap((name) => (PANELS[name] ? [{ name, area: areaOf(PANELS[name]), panel: PANELS[name].make(context) }] : []));
	const inArea = (area: Area) => made.filter((one) => one.area === area).map((one) => one.panel.el);
	const columns = inColumns(made);
	const middle = columns.length ? [h("div", { class: "ck-columns", "data-columns": columns.length }, ...columns)] : [];
	frame.append(...inArea("above"), alive(context), failed.el, ...middle, ...inArea("below"), status);
	const all: Panel[] = [failed, ...made.map((one) => one.panel)];

	const each = (name: "catalog" | "state" | "results" | "theme" | "resized") => all.forEach((panel) => panel[name]?.());
	const results = (name: keyof State) => all.forEach((panel) => (!panel.hears || panel.hears.includes(name)) && panel.results?.());
	const paint = () => {
		const frame = model.get("frame");
		if (frame && isNew(context, frame)) show(context, () => frames.keep(decode(frame, model.get("before"))), failed.view);
		if (frame) root.dataset.answered = String(frame.seq); // by the kernel: the picture may be there before
		results("frame");
	};
	const frames = new Frames();
	const remembered = () => frames.of(context.state, model.get("seq") ?? 0);
	context.foresee = (part) => {
		const state = { ...context.state, ...part };
		try {
			if (!frames.has(state)) model.send({ type: "ahead", seq: model.get("seq") ?? 0, state });
		} catch {
			// no kernel: a flip will say so
		}
	};
	const foreseen = (reply: Reply, buffers: ArrayBufferView[]) => {
		if (reply.type !== "ahead" || buffers?.length !== 2 || reply.frame.seq !== model.get("frame")?.seq) return; // of another text by now
		const { attention, allowed } = reply.frame.after!;
		[attention, allowed].forEach((tensor, i) => Object.assign(tensor!, { data: buffers[i] }));
		const frame = decode(reply.frame, model.get("before"));
		rank(frame, context.view.look.hideFirst); // reckoned while there is time
		frames.foresee(reply.state, frame);
	};
	model.on("msg:custom", foreseen);
	signal.addEventListener("abort", () => model.off?.("msg:custom", foreseen));
	let due = 0;
	context.onState(() => {
		each("state");
		const known = remembered();
		if (known) {
			show(context, () => known, failed.view);
			results("frame");
		}
		clearTimeout(due);
		due = window.setTimeout(() => each("results"), SOON + 10); // what was not measured anew by then says so
	});
	signal.addEventListener("abort", () => clearTimeout(due));
	listen(model, signal, "frame", paint);
	listen(model, signal, "detail", () => context.view.take(model.get("detail")));
	askForHeads(context.view, (command) => context.send(command));
	listen(model, signal, "catalog", () => {
		frames.clear();
		each("catalog");
	});
	listen(model, signal, "state", () => void context.follow());
	for (const name of RESULTS) listen(model, signal, name, () => results(name));

	keepKeys(root, signal);
	root.addEventListener("keydown", (event) => onKey(event, context), { signal, capture: true });
	const recolour = () => {
		const theme = readTheme(root);
		if (same(theme, context.theme)) return;
		context.theme = theme;
		each("theme");
	};
	watchTheme(recolour, signal);
	const resized = () => {
		recolour(); // a view is made before it stands in the page, where it has no colours yet
		each("resized");
	};
	watchSize(root, resized, signal);
	each("catalog");
	each("state");
	remembered();
	paint();
	each("results");
	signal.addEventListener("abort", () => root.remove());
	return () => stop.abort();
}

/** The columns; a panel that stands under another shares its column. */
function inColumns(made: { name: string; area: Area; panel: Panel }[]): HTMLElement[] {
	const columns: HTMLElement[] = [];
	for (const { name, area, panel } of made) {
		const last = columns[columns.length - 1];
		if (area === "columns" || (area === "under" && !last)) columns.push(h("div", { class: "ck-column", "data-column": name }, panel.el));
		else if (area === "under") last?.append(panel.el);
	}
	return columns;
}

/** Whether a frame is to be opened: no newer one is shown, and it is another picture. The same one is taken as the answer. */
function isNew({ view, root }: Context, frame: Sent): boolean {
	const { base } = view.look;
	if (!base || (frame.seq >= base.seq && (base.overview || frame.run !== base.run))) return true;
	if (frame.seq >= base.seq) {
		view.renew(frame);
		root.dataset.seq = String(frame.seq);
	}
	return false;
}

/** Shows a picture: the head that changed most, or the one that was chosen. What cannot be shown is said. */
function show(context: Context, picture: () => Decoded, fail: (failure: Failure | null) => void): void {
	const { view, root } = context;
	try {
		const frame = picture();
		const { layer, head, follow, hideFirst, token, locked } = view.look;
		const fits = layer < frame.before.layers && head < frame.before.heads;
		const top = byChange(rank(frame, hideFirst))[0];
		const chosen = (follow || !fits) && top ? { layer: top.layer, head: top.head } : { layer, head };
		const kept = locked && token !== null && token < (frame.after ?? frame.before).size;
		root.classList.remove("ck-empty");
		view.set({ base: frame, ...chosen, token: kept ? token : null, locked: kept });
		root.dataset.seq = String(frame.seq);
		context.say(context.notice + frame.sentence);
		context.notice = "";
		fail(null);
	} catch (error) {
		fail({ asked: "a picture of the run", found: error instanceof Error ? error.message : String(error), remedy: "run the cell again; if it stays, the view and the kernel are of different versions of ctkit" });
	}
}

function onKey(event: KeyboardEvent, context: Context): void {
	if (event.key === "Escape") return void context.view.free();
	if (!(event.ctrlKey || event.metaKey) || event.altKey || takesText(event.target)) return;
	const key = event.key.toLowerCase();
	if (key !== "z" && key !== "y") return;
	event.preventDefault();
	event.stopPropagation(); // the notebook would undo a change of its cells
	if (key === "y" || event.shiftKey) context.redo();
	else context.undo();
}

function listen(model: Model, signal: AbortSignal, name: keyof State, listener: () => void): void {
	model.on(`change:${name}`, listener);
	signal.addEventListener("abort", () => model.off?.(`change:${name}`, listener));
}

export default { render };
