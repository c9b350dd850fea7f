import { expect, test, vi } from "vitest";
import { CATALOG, hunt, state } from "../harness/fake";
import { change, press, shown } from "./shown";

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

test("a setting changes the setup, and reset takes it back", () => {
	const { model, at } = shown({ state: state({ setup: [reread] }) });
	expect(at("reset-reread").hidden).toBe(true);
	change(at<HTMLInputElement>("field-reread-times"), "9");
	expect(model.get("state")?.setup).toEqual([{ ...reread, times: 4 }]); // the most that the field takes
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
	expect(model.get("state")?.setup[0]).toMatchObject({ layers: null });
	box(1).click();
	expect(model.get("state")?.setup[0]).toMatchObject({ layers: [0, 2, 3] });
});

test("a range of layers is two fields of the entry", () => {
	const { model, at } = shown();
	at("switch-prepend").click();
	change(at<HTMLInputElement>("field-prepend-blocks-exit"), "2");
	expect(model.get("state")?.setup).toEqual([{ intervention: "PrependToken", start: 1, exit: 2 }]);
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
	expect(model.get("state")).toMatchObject({ task: "sums", difficulty: 3, prompt: CATALOG.examples[1]!.pieces });
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
