// What was visited, compared, shared: history, words, JSON in and out, the picture as vectors, a kernel that is gone.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { CATALOG, hunt, POPULATION, state, tensor } from "../harness/fake";
import { matches, presetOf } from "../src/playground/alike";
import { History } from "../src/playground/history";
import { drawPicture, svgText } from "../src/playground/picture/picture";
import { fromJson } from "../src/playground/received";
import { toJson } from "../src/playground/share";
import { summary, told } from "../src/playground/told";
import { decode } from "../src/playground/decode";
import type { Entry } from "../src/playground/types";
import { View } from "../src/playground/view";
import { readTheme } from "../src/lib/theme";
import { twoReadings } from "./readings";
import { change, press, shown } from "./shown";
import { FakeModel } from "../harness/model";
import widget from "../src/playground/index";

const READ: Entry = { intervention: "Reread", times: 2, phrase: "Read the question again:" };
const PREFIX: Entry = { intervention: "Mask", kind: "prefix", layers: null };

test("undo and redo lead through the states, one can go to any, and a new state ends what was undone", () => {
	const history = new History(state());
	expect(history.push(state(), "the same")).toBe(false);
	history.push(state({ n: 1 }), "one");
	history.push(state({ n: 2 }), "two");
	expect(history.go(history.at - 1)?.n).toBe(1);
	expect(history.go(0)?.n).toBe(200);
	expect([history.go(0), history.go(-1), history.go(9)]).toEqual([null, null, null]);
	expect(history.go(2)?.n).toBe(2);
	history.go(1);
	history.push(state({ n: 3 }), "three");
	expect(history.canRedo).toBe(false);
	expect(history.visits.map((visit) => visit.words)).toEqual(["start", "one", "three"]);
});

test("a history keeps the latest hundred and their order", () => {
	const history = new History(state({ n: 1 }));
	for (let n = 2; n <= 150; n++) history.push(state({ n }), String(n));
	expect([history.visits.length, history.at, history.current.n, history.visits[0]!.state.n]).toEqual([100, 99, 150, 51]);
});

test("changes are told in the words of the switches", () => {
	const words = (old: Parameters<typeof state>[0], next: Parameters<typeof state>[0]) => told(state(old), state(next), CATALOG);
	expect(words({}, { setup: [READ] })).toBe("+ Read again");
	expect(words({ setup: [READ, PREFIX] }, { setup: [PREFIX] })).toBe("− Read again");
	expect(words({ setup: [PREFIX] }, { setup: [{ ...PREFIX, kind: "bidirectional" }] })).toBe("Mask: lifted: all see all");
	expect(words({ setup: [READ] }, { setup: [{ ...READ, times: 3 }] })).toBe("Read again: times 3");
	expect(words({ setup: [READ, PREFIX] }, { setup: [PREFIX, READ] })).toBe("another order");
	expect(words({}, { against: [READ] })).toBe("compared with Read again");
	expect(words({ against: [READ] }, {})).toBe("compared with nothing on");
	expect(words({}, { n: 400, seed: 3 })).toBe("400 problems, problems from 3");
	expect(words({}, { prompt: [{ name: "text", text: "x".repeat(50) }], task: null, difficulty: null })).toBe(`text “${"x".repeat(30)}…”`);
	expect(words({ setup: [{ intervention: "PrependToken", start: 1, exit: 3 }] }, { setup: [{ intervention: "PrependToken", start: 0, exit: 3 }] })).toBe("Prepend token: layers 0");
	expect(words({}, { setup: [{ intervention: "Noise", sigma: 1 }] })).toBe("+ Noise");
	expect(summary([], CATALOG.switches)).toBe("nothing on");
});

test("a state is the preset with its setup, or else the one that was chosen, or one with its text", () => {
	const of = (part: Parameters<typeof state>[0], before = "") => presetOf(state(part), CATALOG.examples, before)?.id;
	expect(of({})).toBe("key");
	expect(of({ setup: [{ intervention: "Reread", times: 2 }] })).toBe("again");
	expect(of({ setup: [PREFIX] }, "again")).toBe("again");
	expect(of({ setup: [PREFIX] })).toBe("key");
	expect(of({ prompt: [{ name: "text", text: "own" }] })).toBeUndefined();
	expect(matches([READ], [{ intervention: "Reread", times: 2 }])).toBe(true);
	expect(matches([READ], [{ intervention: "Reread", times: 3 }])).toBe(false);
});

test("what goes out as JSON comes back the same", () => {
	const from = state({ setup: [READ], against: [PREFIX], n: 50 });
	expect(fromJson(toJson(from, { lens: { layer: 2 } }, "tiny"))).toEqual({ state: from, options: { lens: { layer: 2 } }, model: "tiny" });
});

test.each([
	["", "no JSON"],
	["<script>alert(1)</script>", "no JSON"],
	["[1, 2]", "something else"],
	['{"ctkit": 2}', "something else"],
	["null", "something else"],
	['{"ctkit": 1}', "a prompt"],
	['{"ctkit": 1, "prompt": [{"name": 1, "text": "a"}], "setup": []}', "a prompt"],
	['{"ctkit": 1, "prompt": [], "setup": []}', "a prompt"],
	['{"ctkit": 1, "prompt": [{"name": "a", "text": "1"}, {"name": "a", "text": "2"}], "setup": []}', "a prompt"],
	['{"ctkit": 1, "prompt": [{"name": "a", "text": "1"}], "setup": ["__import__(1)"]}', "a setup"],
	['{"ctkit": 1, "prompt": [{"name": "a", "text": "1"}], "setup": [], "against": {}}', "a setup"],
	['{"ctkit": 1, "prompt": [{"name": "a", "text": "1"}], "setup": [], "n": 1e9}', "a number of problems"],
	['{"ctkit": 1, "prompt": [{"name": "a", "text": "1"}], "setup": [], "n": 1.5}', "a number of problems"],
	['{"ctkit": 1, "prompt": [{"name": "a", "text": "1"}], "setup": [], "seed": "x"}', "a number of problems"],
	['{"ctkit": 1, "prompt": [{"name": "a", "text": "1"}], "setup": [], "task": 3}', "a task"],
	['{"ctkit": 1, "prompt": [{"name": "a", "text": "1"}], "setup": [], "difficulty": "hard"}', "a difficulty"],
	['{"ctkit": 1, "prompt": [{"name": "a", "text": "1"}], "setup": [], "options": {"a": 1}}', "settings"],
	[" ".repeat(4_000_001), "letters"],
])("a text that is no state is refused in words: %#", (text, found) => {
	expect(fromJson(text)).toEqual({ found: expect.stringContaining(found) });
});

test("keys that mean something to a program are kept as text", () => {
	const text = '{"ctkit": 1, "__proto__": {"polluted": 1}, "prompt": [{"name": "__proto__", "text": "a", "__proto__": {"x": 1}}], "setup": []}';
	const found = fromJson(text);
	expect("state" in found && found.state.prompt).toEqual([{ name: "__proto__", text: "a" }]);
	expect(({} as { polluted?: number }).polluted).toBeUndefined();
});

test("JSON is copied, loaded, and what is wrong is said", async () => {
	const { model, at } = shown();
	vi.stubGlobal("navigator", {});
	at("copy-json").click();
	await vi.waitFor(() => expect(at("saved").textContent).toContain("in the box"));
	vi.unstubAllGlobals();
	const box = at<HTMLTextAreaElement>("json");
	expect(JSON.parse(box.value).prompt).toEqual(hunt());
	box.value = toJson(state({ setup: [READ] }), { lens: { layer: 1 } }, "tiny");
	at("load-json").click();
	await vi.waitFor(() => expect(model.get("state")?.setup).toEqual([READ]));
	expect(model.get("options")).toEqual({ lens: { layer: 1 } });
	expect(at("saved").textContent).toBe("Shown.");
	model.push({ error: { asked: "Reread(times=99)", found: "too many", remedy: "fewer" } });
	expect(at("saved").textContent).toBe("It is on, but does not run: the view says why.");
	model.push({ error: null });
	expect(at("saved").textContent).toBe("Shown.");
	box.value = toJson(state({ setup: [READ] }), {}, "another-model");
	at("load-json").click();
	await vi.waitFor(() => expect(at("saved").textContent).toBe(`Shown on ${CATALOG.model.name}; it was made on another-model.`));
	box.value = "{";
	at("load-json").click();
	await vi.waitFor(() => expect(at("saved").textContent).toContain("cannot be shown: no JSON"));
	expect(model.get("state")?.setup).toEqual([READ]);
});

function openHistory(at: (name: string) => HTMLElement): void {
	at("history").click();
	at("history").closest("details")!.open = true; // jsdom does not open it
}

test("a preset sets text, setup and options in one step, and says what to look at", () => {
	const { model, at } = shown({ catalog: { ...CATALOG, examples: CATALOG.examples.map((one) => ({ ...one, options: { lens: { on: one.id } } })) } });
	expect(at("preset-note").textContent).toBe("The answer is three facts away.");
	change(at<HTMLSelectElement>("example"), "sum");
	expect(model.get("state")?.setup).toEqual([{ intervention: "Think" }]);
	expect(model.get("options")).toEqual({ lens: { on: "sum" } });
	expect(at("preset-note").textContent).toBe("One variable after the other.");
	openHistory(at);
	expect(at("visit-1").textContent).toBe("preset: A sum in steps");
	at("undo").click();
	expect(at<HTMLSelectElement>("example").value).toBe("key");
});

test("a preset that a model cannot show is offered to nobody", () => {
	const { at } = shown({ catalog: { ...CATALOG, examples: CATALOG.examples.map((one) => ({ ...one, unsupported: one.id === "sum" ? "no thought" : null })) }, state: state({ prompt: [{ name: "text", text: " " }] }) });
	const option = at("example").querySelector<HTMLOptionElement>('option[value="sum"]')!;
	expect([option.disabled, option.title]).toEqual([true, "not with this model: no thought"]);
	expect([...at("beginnings").querySelectorAll("button")].map((one) => one.textContent)).toEqual(["Lost key", "Read it again"]);
});

test("without a text the presets are offered", () => {
	const { model, at } = shown();
	expect(at("beginnings").hidden).toBe(true);
	model.push({ state: state({ prompt: [{ name: "text", text: "" }] }) });
	expect(at("beginnings").hidden).toBe(false);
	at("preset-again").click();
	expect([model.get("state")?.prompt, at("beginnings").hidden]).toEqual([hunt(), true]);
});

test("the list of what was visited leads back, and any of it can be what the present is compared with", () => {
	const { model, at } = shown();
	change(at<HTMLSelectElement>("example"), "again");
	at("switch-mask").click();
	expect(at("visits").childElementCount).toBe(0); // closed, it costs nothing
	openHistory(at);
	expect([...at("visits").querySelectorAll(".ck-link")].map((one) => one.textContent)).toEqual(["+ Mask", "preset: Read it again", "start"]);
	expect(at("visit-2").getAttribute("aria-current")).toBe("step");
	at("compare-1").click();
	expect(model.get("state")?.against).toEqual(CATALOG.examples[1]!.setup);
	expect(at("against").textContent).toBe("before = Read again");
	expect(at<HTMLButtonElement>("compare-1").disabled).toBe(true);
	at("visit-1").click();
	expect(model.get("state")?.against).toEqual([]);
	expect(at("against").hidden).toBe(true);
	at("redo").click();
	at("redo").click();
	at("against-nothing").click();
	expect(model.get("state")?.against).toEqual([]);
	expect(model.get("seq")).toBe(8);
});

test("two views of one object have one history, and each step is sent once", () => {
	document.body.replaceChildren();
	const model = new FakeModel({ key: "two", catalog: CATALOG, state: state(), seq: 1, frame: twoReadings(1) });
	const [one, two] = [document.createElement("div"), document.createElement("div")];
	document.body.append(one, two);
	const stop = new AbortController();
	for (const el of [one, two]) widget.render({ model, el, signal: stop.signal });
	const find = <E extends HTMLElement>(el: HTMLElement, name: string) => el.querySelector<E>(`[data-test="${name}"]`)!;
	find(one, "switch-mask").click();
	expect(model.get("seq")).toBe(2);
	expect(find<HTMLInputElement>(two, "switch-mask").checked).toBe(true);
	find(two, "undo").click();
	expect(find<HTMLInputElement>(one, "switch-mask").checked).toBe(false);
	expect(find<HTMLButtonElement>(one, "redo").disabled).toBe(false);
	expect(model.saved.filter((sent) => "state" in sent)).toHaveLength(2);
	stop.abort();
	expect(model.listening).toBe(0);
});

test("the picture is made of the data, and hostile text stays text in it", () => {
	const bad = `</svg><script>window.pwned=1</script>" onload="x & \u0000\u202e\ud800 ${"a".repeat(10_000)}`;
	const frame = twoReadings(2);
	frame.before.tokens = [bad, " b"];
	frame.after!.tokens = ["a", " b", "\n", bad, " b"];
	frame.next = [{ token: bad, before: 0.5, after: 0.25 }];
	frame.sentence = bad;
	const view = new View();
	view.set({ frame: decode(frame), wanted: "difference" });
	const picture = drawPicture(view.look, readTheme(document.body), { ...CATALOG, model: { ...CATALOG.model, name: bad } }, state())!;
	const text = svgText(picture);
	const read = new DOMParser().parseFromString(text, "image/svg+xml");
	expect(read.querySelector("parsererror")).toBeNull();
	expect(read.querySelectorAll("script, image, foreignObject, a, use")).toHaveLength(0);
	expect([...read.querySelectorAll("*")].flatMap((one) => [...one.attributes]).filter((one) => one.name.startsWith("on") || (one.name !== "xmlns" && one.value.includes("//")))).toEqual([]);
	expect(read.documentElement.textContent).toContain("<script>window.pwned=1");
	expect(text).not.toMatch(/[\u0000\u202e]/);
	expect(text.length).toBeLessThan(60_000);
	expect(read.documentElement.textContent).toContain("0.50 → 0.25");
});

test("in the picture a full stop stands at its word, and a mark that is no text stands alone", () => {
	const frame = twoReadings(1);
	Object.assign(frame, { after: null, align: null, fold: null });
	Object.assign(frame.before, { tokens: ["<|start|>", "The", " hut", "."], words: [0, 1, 2, 2], sentences: [0], unknown: [false, false, false, false], attention: tensor([1, 2, 4, 4], new Uint8Array(32)), allowed: tensor([1, 1, 4, 4], new Uint8Array(16)) });
	Object.assign(frame.before.pieces[0]!, { start: 1, stop: 4 });
	const view = new View();
	view.set({ frame: decode(frame) });
	const drawn = [...drawPicture(view.look, readTheme(document.body), CATALOG, state())!.querySelectorAll("text[textLength]")];
	const place = (word: string) => drawn.find((one) => one.textContent === word)!;
	const gap = (word: string, next: string) => Math.round((Number(place(next).getAttribute("x")) - Number(place(word).getAttribute("x")) - Number(place(word).getAttribute("textLength"))) * 10) / 10;
	expect([gap("<|start|>", "The"), gap("The", "hut"), gap("hut", ".")]).toEqual([7.8, 7.8, 0]);
});

test("the squares of the picture are the cells of the head", () => {
	const view = new View();
	view.set({ frame: decode(twoReadings(1)), wanted: "before" });
	const picture = drawPicture(view.look, readTheme(document.body), CATALOG, state())!;
	const paths = [...picture.querySelectorAll("path[fill]")];
	const squares = paths.filter((one) => !one.getAttribute("fill")!.startsWith("url")).map((one) => one.getAttribute("d")!.match(/M/g)!.length);
	expect(squares.reduce((a, b) => a + b, 0)).toBe(3); // the open cells of two tokens, none of which is 0
	expect(paths.filter((one) => one.getAttribute("fill")!.startsWith("url"))).toHaveLength(1);
	expect(drawPicture(new View().look, readTheme(document.body), CATALOG, state())).toBeNull();
});

test("SVG and HTML are handed to the browser as files", async () => {
	const { model, at } = shown();
	const made: Blob[] = [];
	vi.stubGlobal("URL", { createObjectURL: (blob: Blob) => made.push(blob) && "blob:x", revokeObjectURL: () => undefined });
	const clicked: string[] = [];
	vi.spyOn(HTMLAnchorElement.prototype, "click").mockImplementation(function (this: HTMLAnchorElement) {
		clicked.push(this.download);
	});
	at("save-svg").click();
	await vi.waitFor(() => expect(clicked).toHaveLength(1));
	expect([at("saved").textContent, made[0]!.type]).toEqual(["Saved as ctkit-playground.svg.", "image/svg+xml"]);
	at("switch-mask").click();
	at("save-html").click();
	const asked = model.sent.find((sent) => sent.type === "page");
	if (asked?.type !== "page") throw new Error("no page was asked for");
	expect(asked.setups.map((setup) => setup.map((entry) => entry.intervention))).toEqual([[], ["Mask"]]);
	model.reply({ type: "file", asked: "of another view" }, [new Uint8Array([1])]);
	expect(clicked).toEqual(["ctkit-playground.svg"]);
	model.reply({ type: "file", asked: asked.asked, missing: "Left out: Mask (too long)." }, [new Uint8Array([1, 2])]);
	expect(at("saved").textContent).toBe("Saved as ctkit-playground.html. Left out: Mask (too long).");
	expect(clicked).toEqual(["ctkit-playground.svg", "ctkit-playground.html"]);
	at("save-html").click();
	const again = model.sent.filter((sent) => sent.type === "page").at(-1) as { asked: string };
	model.reply({ type: "failed", asked: again.asked, found: "stopped" });
	expect(at("saved").textContent).toBe("No page: stopped.");
	vi.unstubAllGlobals();
	vi.restoreAllMocks();
});

test("another model is asked for by name; how it goes is said, and a refusal keeps the old one", () => {
	const { model, at } = shown();
	expect(at("model").textContent).toBe("tiny · 4 layers × 4 heads · cpu · float32");
	at("model-tiny-anymask").click();
	at<HTMLInputElement>("model-id").value = " gpt2 ";
	at<HTMLSelectElement>("model-dtype").value = "float32";
	at("model-load").click();
	expect(model.sent).toEqual([{ type: "load_model", name: "tiny-anymask", device: "", dtype: "auto" }, { type: "load_model", name: "gpt2", device: "", dtype: "float32" }]);
	model.push({ loading: { name: "gpt2", busy: true, message: "loading gpt2 … 3 s", error: null } });
	expect([at("model-said").textContent, at("model-cancel").hidden, at("status").textContent]).toEqual(["loading gpt2 … 3 s", false, "loading gpt2 … 3 s"]);
	at("model-cancel").click();
	expect(model.sent.at(-1)).toEqual({ type: "cancel_model" });
	model.push({ loading: { name: "gpt2", busy: false, message: "", error: { asked: "the model <b>", found: "no network", remedy: "a folder" } } });
	expect(at("model-said").textContent).toBe("the model <b>: no network. Try a folder. tiny stays.");
	expect(at("model-cancel").hidden).toBe(true);
});

test("the population says what it is made of, and that can be changed", () => {
	const { model, at } = shown({ population: { ...POPULATION, done: 100, running: false } });
	change(at<HTMLInputElement>("n"), "50.4");
	change(at<HTMLInputElement>("seed"), "-3");
	expect([model.get("state")?.n, model.get("state")?.seed]).toEqual([50, 0]);
	change(at<HTMLInputElement>("n"), "");
	change(at<HTMLInputElement>("n"), "99999999");
	expect(model.get("state")?.n).toBe(5000);
	change(at<HTMLSelectElement>("task"), "sums");
	expect(model.sent.at(-1)).toEqual({ type: "new_problem", task: "sums", difficulty: 2 });
	at("go-on").click();
	expect(model.sent.at(-1)).toEqual({ type: "go_on" });
});

test("a menu is closed by Escape and by a click elsewhere", () => {
	const { at, root } = shown();
	const menu = at("save").closest("details")!;
	menu.open = true;
	press(at("copy-json"), "Escape");
	expect(menu.open).toBe(false);
	menu.open = true;
	root.dispatchEvent(new MouseEvent("pointerdown", { bubbles: true }));
	expect(menu.open).toBe(false);
});

beforeEach(() => vi.useRealTimers());
afterEach(() => vi.useRealTimers());

test("a kernel that does not answer is told, and an answer ends that", () => {
	vi.useFakeTimers();
	const { model, at } = shown();
	at("switch-mask").click();
	vi.advanceTimersByTime(4000);
	expect(at("gone").hidden).toBe(true);
	vi.advanceTimersByTime(2000);
	expect([at("gone").hidden, at("gone").getAttribute("role")]).toEqual([false, "alert"]);
	expect(at("gone").textContent).toContain("run the cell again");
	model.reply({ type: "pong", asked: model.pings });
	expect(at("gone").hidden).toBe(true);
});

test("a kernel that answers is not called gone, and a lost connection is noticed without a flip", () => {
	vi.useFakeTimers();
	const { model, at } = shown();
	at("switch-mask").click();
	model.reply({ type: "pong", asked: 1 });
	vi.advanceTimersByTime(10_000);
	expect(at("gone").hidden).toBe(true);
	model.disconnect();
	vi.advanceTimersByTime(2000);
	expect(at("gone").textContent).toBe("The kernel is gone: run the cell again.");
});

test("what is asked of a kernel that is gone is told, too; a pointer that only rests on a switch is not", () => {
	vi.useFakeTimers();
	const { model, at } = shown({ state: state({ task: "hunt" }) });
	vi.spyOn(model, "send").mockImplementation(() => {
		throw new Error("Cannot send"); // as Jupyter's connection does when its kernel was shut down
	});
	at("switch-mask").closest(".ck-switch")!.dispatchEvent(new Event("pointerenter"));
	vi.advanceTimersByTime(10_000);
	expect([vi.mocked(model.send).mock.calls.length, at("gone").hidden]).toEqual([1, true]);
	at("new-problem").click();
	vi.advanceTimersByTime(1000);
	expect(at("gone").textContent).toBe("The kernel is gone: run the cell again.");
});

test("of many problems that changed, the list says how many it shows", () => {
	const { model, at } = shown({ population: POPULATION });
	const said = () => at("flipped").querySelector("summary")!.textContent;
	expect(said()).toBe("see 12 of the 78 that changed"); // 62 mended, 16 broken
	const few = (n: number) => model.push({ population: { ...POPULATION, mended: n, broken: 0, flipped: POPULATION.flipped.slice(0, n) } });
	few(12);
	expect(said()).toBe("see the 12 that changed");
	few(1);
	expect(said()).toBe("see the one that changed");
});

test("a problem that was chosen from the list by keys keeps the focus while the list is measured anew", () => {
	const { model, at } = shown({ population: POPULATION });
	at("flipped").closest("details")!.open = true;
	at("flipped-43").focus();
	model.push({ population: { ...POPULATION, seq: 2 } });
	expect(document.activeElement).toBe(at("flipped-43"));
	model.push({ population: { ...POPULATION, seq: 2, running: true, done: 10, mended: 0, broken: 0, flipped: [] } });
	expect([document.activeElement, at("flipped").hidden]).toEqual([at("flipped").querySelector("summary"), false]);
});
