import { expect, test, vi } from "vitest";
import { CATALOG, frame, hunt, side, state, tokenize } from "../harness/fake";
import { twoReadings } from "./readings";
import { change, press, shown } from "./shown";

const HUNT = frame(1, side(tokenize(hunt()), 4, 4, 3), null, "");
const reread = { intervention: "Reread", times: 2, phrase: "Read the question again:" };

test("a flip sends the state and the next number in one message", () => {
	const { model, at } = shown();
	at<HTMLInputElement>("switch-reread").click();
	expect(model.saved).toHaveLength(1);
	expect(model.saved[0]).toEqual({ state: state({ setup: [reread] }), seq: 2 });
	at<HTMLInputElement>("switch-reread").click();
	expect(model.saved[1]).toEqual({ state: state(), seq: 3 });
});

test("a switch follows the state that Python sets, and keeps its settings when it is off", () => {
	const { model, at } = shown();
	model.push({ state: state({ setup: [{ ...reread, times: 3 }] }) });
	expect(at<HTMLInputElement>("switch-reread").checked).toBe(true);
	expect(at<HTMLInputElement>("field-reread-times").value).toBe("3");
	expect(model.saved).toHaveLength(0);
	at("switch-reread").click();
	at("switch-reread").click();
	expect(model.get("state")?.setup).toEqual([{ ...reread, times: 3 }]);
});

test("a switch that comes on has no place of another prompt, and the live line says so", () => {
	const { model, at } = shown({ state: state({ setup: [{ intervention: "Emphasize", piece: "The cup", alpha: 0.01, layers: null }] }) });
	at("switch-emphasize").click();
	model.push({ state: state({ prompt: [{ name: "text", text: "A fish swims." }] }), seq: 7 });
	at("switch-emphasize").click();
	expect(model.get("state")?.setup[0]).toMatchObject({ intervention: "Emphasize", piece: "text (2)" }); // the last piece on show
	model.push({ frame: { ...twoReadings(8), sentence: "Emphasis: nothing moves." } });
	expect(at("status").textContent).toBe("Emphasise, part: text (2), as The cup is not in this text. Emphasis: nothing moves.");
	at("switch-emphasize").click();
	at("switch-emphasize").click();
	model.push({ frame: { ...twoReadings(10), sentence: "Again." } });
	expect(at("status").textContent).toBe("Again.");
});

test("a setting changes the setup, and reset takes it back", () => {
	const { model, at } = shown({ state: state({ setup: [reread] }) });
	expect(at("reset-reread").hidden).toBe(true);
	change(at<HTMLInputElement>("field-reread-times"), "9");
	expect(model.get("state")?.setup).toEqual([{ ...reread, times: 5 }]); // the most that the field takes
	expect(at("reset-reread").hidden).toBe(false);
	at("reset-reread").click();
	expect(model.get("state")?.setup).toEqual([reread]);
});

test("settings of a switch that is off are not shown and not sent", () => {
	const { model, at } = shown();
	expect(at("field-reread-times").closest<HTMLElement>(".ck-fields")?.hidden).toBe(true);
	change(at<HTMLInputElement>("field-reread-times"), "3");
	expect(model.saved).toHaveLength(0);
});

test("layers are switched one by one with keys, and all of them are null", () => {
	const { model, at } = shown();
	at("switch-steer").click();
	const box = (layer: number) => at(`field-steer-layers-${layer}`);
	expect(box(2).getAttribute("aria-pressed")).toBe("true");
	press(box(0), "ArrowRight");
	expect(document.activeElement).toBe(box(1));
	for (const layer of [0, 1, 3]) box(layer).click();
	expect(model.get("state")?.setup[0]).toMatchObject({ layers: [0, 1, 2, 3] }); // null would be the direction's own
	at("switch-mask").click();
	expect(model.get("state")?.setup[0]).toMatchObject({ layers: null });
	at("field-mask-layers-1").click();
	expect(model.get("state")?.setup[0]).toMatchObject({ layers: [0, 2, 3] });
	at("field-mask-layers-1").click();
	expect(model.get("state")?.setup[0]).toMatchObject({ layers: null });
});

test("a range of layers is two fields of the entry", () => {
	const { model, at } = shown();
	at("switch-prepend").click();
	change(at<HTMLInputElement>("field-prepend-start-exit"), "2");
	expect(model.get("state")?.setup).toEqual([{ intervention: "PrependToken", start: 1, exit: 2, source: "last", init: "normal" }]);
});

test("a switch that the model cannot do says why and cannot be flipped", () => {
	const switches = CATALOG.switches.map((one) => (one.id === "mask" ? { ...one, unsupported: "its attention is <b>linear</b>" } : one));
	const { at } = shown({ catalog: { ...CATALOG, switches } });
	expect(at<HTMLInputElement>("switch-mask").disabled).toBe(true);
	expect(document.body.textContent).toContain("not with this model: its attention is <b>linear</b>");
});

test("undo and redo change the state, by button and by key, but not in a text box", () => {
	const { model, at, root } = shown();
	at("switch-reread").click();
	at("undo").click();
	expect(model.get("state")?.setup).toEqual([]);
	at("redo").click();
	expect(model.get("state")?.setup).toEqual([reread]);
	expect(press(root, "z", { ctrlKey: true }).defaultPrevented).toBe(true);
	expect(at<HTMLInputElement>("switch-reread").checked).toBe(false);
	at("edit").click();
	expect(press(at("piece-context"), "z", { ctrlKey: true }).defaultPrevented).toBe(false);
	expect(model.get("seq")).toBe(5);
});

test("an example sets its text and its task; a problem of a task is asked of Python", () => {
	const { model, at } = shown();
	change(at<HTMLSelectElement>("example"), "sum");
	expect(model.get("state")).toMatchObject({ task: "sums", difficulty: 3, setup: [{ intervention: "Think" }], prompt: CATALOG.examples[2]!.pieces });
	change(at<HTMLSelectElement>("task"), "hunt");
	expect(model.sent).toEqual([{ type: "new_problem", task: "hunt", difficulty: 3 }]);
	expect(model.get("state")).toMatchObject({ task: "sums" }); // until Python answers with the new text
});

test("typed text is taken after a pause, on leaving, and on Ctrl+Enter, once each", () => {
	vi.useFakeTimers();
	const { model, at } = shown();
	at("edit").click();
	const box = at<HTMLTextAreaElement>("piece-question");
	box.value = "Where is the cup?";
	box.dispatchEvent(new Event("input", { bubbles: true }));
	expect(model.saved).toHaveLength(0);
	vi.advanceTimersByTime(450);
	expect(model.saved).toHaveLength(1);
	expect(model.get("state")?.prompt[1]).toEqual({ name: "question", text: "Where is the cup?" });
	box.dispatchEvent(new Event("focusout", { bubbles: true }));
	expect(model.saved).toHaveLength(1); // nothing new
	box.value = hunt()[1]!.text;
	press(box, "Enter", { ctrlKey: true });
	expect(model.saved).toHaveLength(2);
	vi.useRealTimers();
});

test("a rule of the mask brings its own settings, with pieces that the prompt has", () => {
	const { model, at } = shown({ frame: HUNT });
	at("switch-mask").click();
	const kinds = [...at<HTMLSelectElement>("field-mask-kind").options].map((option) => option.textContent);
	const pick = (label: string) => change(at<HTMLSelectElement>("field-mask-kind"), String(kinds.indexOf(label)));
	pick("cut: one from another");
	expect(model.get("state")?.setup).toEqual([{ intervention: "Knockout", queries: "question", keys: "context", layers: null, heads: null }]);
	expect(at("field-mask-size").closest<HTMLElement>(".ck-field")!.hidden).toBe(true);
	change(at<HTMLSelectElement>("field-mask-keys"), "question");
	at("field-mask-heads-0").click();
	expect(model.get("state")?.setup).toEqual([{ intervention: "Knockout", queries: "question", keys: "question", layers: null, heads: [1, 2, 3] }]);
	pick("lifted in some blocks");
	at("field-mask-code-3").click();
	expect(model.get("state")?.setup).toEqual([{ intervention: "MaskGroups", code: "1001", kind: "bidirectional" }]);
	pick("a piece looks ahead");
	change(at<HTMLSelectElement>("field-mask-mutual-1"), "cue");
	expect(model.get("state")?.setup).toMatchObject([{ intervention: "Mask", kind: "mutual", pieces: ["context", "cue"] }]);
	pick("pieces side by side");
	at<HTMLInputElement>("field-mask-parallel-cue").click();
	expect(model.get("state")?.setup).toMatchObject([{ kind: "parallel", pieces: ["context", "question", "cue"] }]);
	expect(model.get("state")?.setup[0]).not.toHaveProperty("code");
});

test("a place can be words of the text", () => {
	const { model, at } = shown({ frame: HUNT });
	at("switch-emphasize").click();
	expect(model.get("state")?.setup[0]).toMatchObject({ intervention: "Emphasize", piece: "question", alpha: 0.01 });
	change(at<HTMLSelectElement>("field-emphasize-piece"), "The box is in the car.");
	expect(model.get("state")?.setup[0]).toMatchObject({ piece: "The box is in the car." });
	change(at<HTMLSelectElement>("field-emphasize-piece"), "\u0000own");
	const words = at<HTMLInputElement>("field-emphasize-piece-words");
	expect([words.hidden, document.activeElement]).toEqual([false, words]);
	change(words, " the barn ");
	expect(model.get("state")?.setup[0]).toMatchObject({ piece: "the barn" });
});

test("words are selected by Shift and arrows as by a pointer that is dragged", () => {
	const { at } = shown({ frame: HUNT });
	const [take, tokens] = [at<HTMLButtonElement>("field-emphasize-piece-selected"), at("tokens")];
	const words = [...tokens.querySelectorAll("[role=option]")].map((token) => token.textContent);
	const keys = (...all: [string, boolean][]) => {
		for (const [key, shiftKey] of all) press(tokens, key, { shiftKey });
		document.dispatchEvent(new Event("selectionchange")); // the browser says it a little later
		return take.textContent;
	};
	expect(keys(["Home", false], ["ArrowRight", false], ["ArrowRight", true], ["ArrowRight", true])).toBe(`take “${words.slice(1, 4).join(" ")}”`);
	expect(keys(["ArrowLeft", true])).toBe(`take “${words.slice(1, 3).join(" ")}”`);
	expect(keys(["ArrowLeft", true], ["ArrowLeft", true])).toBe(`take “${words.slice(0, 2).join(" ")}”`);
	expect(keys(["End", false])).toBe(`take “${words.slice(0, 2).join(" ")}”`);
	expect(document.getSelection()?.isCollapsed ?? true).toBe(true);
});

test("where only a piece can be chosen, only pieces are offered", () => {
	const { at } = shown({ frame: HUNT });
	at("switch-permute").click();
	expect([...at<HTMLSelectElement>("field-permute-documents").options].map((option) => option.value)).toEqual(["context", "question", "cue"]);
});

test("words selected in the running text can be emphasised", () => {
	const { model, at } = shown({ frame: HUNT });
	at("switch-emphasize").click();
	const take = at<HTMLButtonElement>("field-emphasize-piece-selected");
	expect(take.disabled).toBe(true);
	const tokens = [...at("tokens").querySelectorAll("[role=option]")];
	document.getSelection()!.setBaseAndExtent(tokens[1]!.firstChild!, 0, tokens[3]!.firstChild!, 1);
	document.dispatchEvent(new Event("selectionchange"));
	const words = tokens.slice(1, 4).map((token) => token.textContent).join(" ");
	expect(take.textContent).toContain(words);
	take.click();
	expect(model.get("state")?.setup[0]).toMatchObject({ piece: words });
});

test("the order of what is on is changed by buttons, and what Python set can be removed or edited", () => {
	const second = { intervention: "Mask", kind: "prefix", until: null, layers: [0], heads: null };
	const { model, at } = shown({ state: state({ setup: [reread, { intervention: "Mask", kind: "window", size: 3, layers: [1], heads: null }, second, { intervention: "Noise", where: "context" }] }) });
	const order = () => [...at("order").children].map((item) => item.firstChild?.textContent);
	const kinds = () => model.get("state")?.setup.map((entry) => entry.kind ?? entry.intervention);
	expect(order()).toEqual(["Read again", "Mask", "Mask one more", "Noise set in Python"]);
	at("later-reread").focus();
	at("later-reread").click();
	expect(kinds()).toEqual(["window", "Reread", "prefix", "Noise"]);
	expect(document.activeElement).toBe(at("later-reread"));
	expect(at<HTMLSelectElement>("field-mask-kind").selectedOptions[0]?.textContent).toContain("window");
	at("edit-extra-0").click();
	expect(at<HTMLSelectElement>("field-mask-kind").selectedOptions[0]?.textContent).toBe("lifted in the prompt");
	expect(kinds()).toEqual(["window", "Reread", "prefix", "Noise"]);
	at("remove-extra-1").click();
	expect(kinds()).toEqual(["window", "Reread", "prefix"]);
});

test("two texts of one's own are fitted by Python, at a layer of the model", () => {
	const { model, at } = shown();
	at("switch-steer").click();
	change(at<HTMLSelectElement>("field-steer-direction"), "own");
	at<HTMLTextAreaElement>("own-positive").value = "The day was happy.";
	at<HTMLTextAreaElement>("own-negative").value = "The day was sad.";
	change(at<HTMLInputElement>("own-layer"), "99");
	at("own-fit").click();
	expect(model.sent).toEqual([{ type: "fit", positive: "The day was happy.", negative: "The day was sad.", layer: 4 }]);
	const setup = [{ ...model.get("state")!.setup[0]!, direction: { name: "“The day was happy.” − “The day was sad.”", layer: 3 } }];
	model.push({ state: state({ setup }) });
	expect(at<HTMLSelectElement>("field-steer-direction").selectedOptions[0]?.textContent).toContain("happy.” −");
});

test("a direction brings its layer, and strength as KL replaces the strength", () => {
	const { model, at } = shown();
	at("switch-steer").click();
	expect(model.get("state")?.setup[0]).toMatchObject({ op: "add", kl: null, strength: 4, layers: [2] });
	change(at<HTMLSelectElement>("field-steer-direction"), "1");
	expect(model.get("state")?.setup[0]).toMatchObject({ direction: { layer: 1 }, layers: [1] });
	change(at<HTMLSelectElement>("field-steer-how"), "2");
	expect(model.get("state")?.setup[0]).toMatchObject({ op: "add", kl: 0.25, strength: 1 });
	change(at<HTMLSelectElement>("field-steer-how"), "3");
	expect(model.get("state")?.setup[0]).toMatchObject({ op: "ablate", kl: null, strength: 1 });
});
