// The steps view: bars from data, keys, edits that are taken or left, hostile text, the matrix.
import { expect, test, vi } from "vitest";
import { floats, hunt, measured, STEPS, state } from "../harness/fake";
import type { FakeModel } from "../harness/model";
import { cellsOf } from "../src/playground/steps/grid";
import { scaleOf, share, shownScore } from "../src/playground/steps/scale";
import { asText, edited, parts, written } from "../src/playground/steps/thought";
import type { Json, Step, Steps, StepsOptions } from "../src/playground/types";
import { press, shown } from "./shown";

const PROMPT = hunt();
const told = (thought: StepsOptions["thought"]) => ({ steps: { thought: thought as unknown as Json } });
const options = (model: FakeModel) => (model.get("options")?.steps ?? {}) as StepsOptions;
const view = (steps: Partial<Steps> = {}) => shown({ state: state({ setup: [{ intervention: "Think" }] }), steps: { ...STEPS, ...steps } });

function type(at: HTMLElement, text: string): void {
	(at as HTMLTextAreaElement).value = text;
	at.dispatchEvent(new Event("input", { bubbles: true }));
}

test("an edit is told in parts, an empty step is left out, and the model's own words are no edit", () => {
	const text = "The cup is in the barn.";
	expect(parts(STEPS, 1, text)[1]).toBe(` ${text}`);
	expect(edited(STEPS, PROMPT, 1, text)).toEqual({ source: "model", prompt: PROMPT, base: STEPS.base, now: parts(STEPS, 1, text) });
	expect(parts(STEPS, 0, "  ")).toHaveLength(4);
	expect(asText(parts(STEPS))).toBe(STEPS.thought);
	expect(edited(STEPS, PROMPT, 1, STEPS.steps[1]!.text)).toBeNull();
	expect(edited({ ...STEPS, source: "hand" }, PROMPT, 1, STEPS.steps[1]!.text)).toEqual({ source: "hand", prompt: PROMPT, base: STEPS.base });
	expect(parts({ ...STEPS, steps: STEPS.steps.slice(0, 1) }, 0, "")).toEqual([]);
	expect(written("a = 3.\n\n b = 4.\r\n", PROMPT)?.base).toEqual(["a = 3. ", "b = 4."]);
	expect(written(" \n ", PROMPT)).toBeNull();
});

test("bars of effects on a probability end at 1, others at their largest", () => {
	expect(scaleOf(measured([0.2, 0.9]), "mistake")).toEqual({ end: 1, digits: 2 });
	const small = scaleOf(measured([0.031, 0.012]), "receiver");
	expect(small).toEqual({ end: 0.04, digits: 3 });
	expect(share(0.02, small)).toBe(50);
	expect(scaleOf(measured([3.2]), "kl").end).toBe(4);
	expect([shownScore(null, small), shownScore(0.031, small), shownScore(-0.25, { end: 1, digits: 2 })]).toEqual(["–", "0.031", "−0.25"]);
});

test("each step has a bar, an interval, an outline, its number and its sentence", () => {
	const { at } = view({ outline: "without Reading again", measures: { mistake: measured([0.5, null, -0.2, 0, 1], { before: [1, 0, 0, 0, 0.25] }) } });
	const [first, second, third] = [...at("steps").children] as HTMLElement[];
	const bar = (li: HTMLElement, mark: string) => li.querySelector<HTMLElement>(`.ck-track ${mark}`)!;
	expect([bar(first!, "b").style.width, bar(first!, "i").style.width, bar(first!, "u").style.left]).toEqual(["50%", "100%", "45%"]);
	expect(first!.querySelector("em")?.textContent).toBe("0.50");
	expect(second!.querySelector("em")?.textContent).toBe("–");
	expect(bar(second!, "u").hidden).toBe(true);
	expect(bar(third!, "b").classList.contains("ck-less")).toBe(true);
	expect(third!.querySelector("em")?.textContent).toBe("−0.20");
	expect(at("step-0").getAttribute("aria-label")).toBe("Step 1: The key is in the box.; true; effect 0.50, between 0.45 and 0.55; as “The key is in the jar.”: barn falls from 0.91 to 0.09");
});

test("arrow keys choose a step, one is in the order of Tab, and its evaluations are asked for once", () => {
	const { model, at } = view();
	expect([...document.querySelectorAll('[data-test^="step-"][tabindex="0"]')].map((one) => (one as HTMLElement).dataset.test)).toEqual(["step-0"]);
	press(at("step-0"), "ArrowDown");
	press(at("step-0"), "ArrowDown");
	expect(document.activeElement).toBe(at("step-1"));
	expect(at("step-1").getAttribute("aria-current")).toBe("true");
	expect(options(model)).toEqual({ detail: true });
	expect(model.saved).toHaveLength(1);
	press(at("step-1"), "End");
	press(at("step-4"), "ArrowDown");
	expect(document.activeElement).toBe(at("step-4"));
	expect(at("evaluations").textContent).toContain("as “Check: the key is in the car.”: barn falls from 0.91 to 0.80");
	press(at("step-4"), "Escape");
	expect(at("step-detail").hidden).toBe(true);
});

test("Enter edits, each letter asks for the answer, Enter takes it", () => {
	const { model, at } = view();
	press(at("step-0"), "ArrowDown");
	press(at("step-0"), "Enter");
	const field = at("step-field");
	expect(document.activeElement).toBe(field);
	type(field, "The key is in the barn.");
	expect(options(model)).toMatchObject({ draft: true, thought: { source: "model", base: STEPS.base, now: parts(STEPS, 0, "The key is in the barn.") } });
	press(field, "Enter");
	expect(options(model).draft).toBe(false);
	expect(asText(options(model).thought!.now!)).toContain("The key is in the barn. The cup");
	expect(document.activeElement).toBe(at("step-0"));
	expect(document.querySelector('[data-test="step-field"]')).toBeNull();
});

test("Escape leaves the thought as it was, also one that was edited before", () => {
	const { model, at } = view({ edited: true });
	const thought = { source: "model", prompt: PROMPT, base: "x", now: ["y"] };
	model.push({ options: told(thought) });
	at("step-1").dispatchEvent(new MouseEvent("dblclick", { bubbles: true }));
	type(at("step-field"), "changed");
	expect(options(model).draft).toBe(true);
	press(at("step-field"), "Escape");
	expect(options(model)).toMatchObject({ thought, draft: false });
});

test("a step says who changed it", () => {
	const [first, second, third] = STEPS.steps as [Step, Step, Step];
	const { at } = view({ edited: true, steps: [first, { ...second, edited: true, written: false }, { ...third, edited: true, written: true }] });
	const said = (i: number) => [...at(`step-${i}`).querySelectorAll<HTMLElement>(".ck-edited")].filter((mark) => !mark.hidden).map((mark) => mark.textContent);
	expect([0, 1, 2].map(said)).toEqual([[], ["✎ edited"], ["⋯ written on"]]);
	expect(at("step-2").getAttribute("aria-label")).toContain("; written on;");
});

test("the model writes the rest on behind the chosen step of an edited thought", () => {
	const { model, at } = view();
	press(at("step-0"), "ArrowDown");
	expect(at("steps-on").hidden).toBe(true); // the model's own goes on as it stands
	press(at("step-0"), "Enter");
	type(at("step-field"), "The key is in the barn.");
	press(at("step-field"), "Enter");
	model.push({ steps: { ...STEPS, edited: true } }); // the edit itself is not on show yet
	expect(at("steps-on").hidden).toBe(false);
	expect(at("steps-on").tagName).toBe("BUTTON");
	at("steps-on").click();
	const begun = parts(STEPS, 0, "The key is in the barn.").slice(0, 1);
	expect(options(model)).toMatchObject({ draft: false, thought: { source: "model", prompt: PROMPT, base: STEPS.base, now: begun, on: true } });
	expect(at("status").textContent).toBe("The model writes the rest behind step 1.");
	press(at("step-0"), "ArrowDown");
	at("steps-on").click(); // what was written on is no edit: the steps on show count
	expect(options(model).thought).toMatchObject({ now: parts(STEPS).slice(0, 2), on: true });
	model.push({ steps: { ...STEPS, source: "hand" } });
	expect(at("steps-on").hidden).toBe(false);
	at("steps-undo").click();
	expect(options(model).thought).toEqual({ source: "hand", prompt: PROMPT, base: STEPS.base });
});

test("an edit that changes nothing is no edit", () => {
	const { model, at } = view();
	press(at("step-0"), "Enter");
	const before = model.saved.length;
	press(at("step-field"), "Enter");
	expect(model.saved).toHaveLength(before);
});

test("a pause measures the steps again while the field stays open; an empty field waits for Enter", () => {
	vi.useFakeTimers();
	const { model, at } = view();
	press(at("step-0"), "Enter");
	type(at("step-field"), "a");
	vi.advanceTimersByTime(1000);
	expect(options(model).draft).toBe(false);
	expect(at("step-field")).not.toBeNull();
	type(at("step-field"), " ");
	vi.advanceTimersByTime(1000);
	expect(options(model).draft).toBe(true);
	press(at("step-field"), "Enter");
	vi.useRealTimers();
	expect(options(model).thought?.now).toHaveLength(4);
	expect(at("status").textContent).toBe("Step 1 is left out.");
});

test("results that come while a step is edited do not take the field away", () => {
	const { model, at } = view();
	press(at("step-0"), "Enter");
	type(at("step-field"), "typing");
	model.push({ steps: { ...STEPS, measures: { mistake: measured([0.1, 0.1, 0.1, 0.1, 0.1]) } } });
	expect((at("step-field") as HTMLTextAreaElement).value).toBe("typing");
	expect(document.activeElement).toBe(at("step-field"));
});

test("answer bars: outline before, filled now, in numbers and words", () => {
	const { model, at } = view();
	expect(at("answers").getAttribute("aria-label")).toBe("Answer after the thought: barn 0.91, car 0.05, jar 0.02");
	model.push({ steps: { ...STEPS, outline: "before the edit", answers: { answer: "barn door", before: 0.9, after: 0.1, tokens: [{ token: "\n", before: 0.1, after: 0.8 }] } } });
	expect([...at("answers").children].map((one) => ((one as HTMLElement).hidden ? "" : one.textContent)).join("")).toBe("“barn door”0.90 → 0.10⏎0.10 → 0.80");
	expect(document.querySelector(".ck-answers")?.textContent).toContain("before the edit");
	expect(document.querySelector(".ck-answers")?.textContent).toContain("a new line");
});

test("method, grain, pattern and matrix are settings of this panel alone", () => {
	const { model, at } = view();
	const choose = (name: string, value: string) => {
		at<HTMLSelectElement>(name).value = value;
		at(name).dispatchEvent(new Event("change"));
	};
	choose("steps-method", "early");
	expect(options(model).method).toBe("early");
	model.push({ options: told({ source: "hand", prompt: PROMPT, base: ["a ", "b"], now: ["a ", "c"] }) });
	choose("steps-by", "word");
	expect(options(model)).toMatchObject({ by: "word", thought: { base: "a b", now: "a c" } });
	choose("steps-by", "pattern");
	expect(options(model)).toMatchObject({ by: "pattern", pattern: "\\w+ =" });
	at("steps-matrix").click();
	expect(options(model).matrix).toBe(true);
	expect(at("steps-matrix").getAttribute("aria-pressed")).toBe("true");
	expect(model.get("seq")).toBe(1);
});

test("a method that is not measured yet leaves the bars, paler; one that was stopped says so and can go on", () => {
	const { model, at } = view();
	model.push({ status: { busy: ["steps"], message: "" }, options: { steps: { method: "early" } } });
	expect(at("steps").closest(".ck-old")).not.toBeNull();
	expect(at("steps-note").textContent).toBe("measuring…");
	at("steps-stop").click();
	expect(model.sent).toEqual([{ type: "stop" }]);
	model.push({ status: { busy: [], message: "stopped" }, steps: { ...STEPS, measures: { early: measured([0.1, 0.2, null, null, null], { done: 2 }) } } });
	expect(at("steps-note").textContent).toContain("stopped after 2 of 5 steps");
	at("steps-again").click();
	expect(options(model).again).toBe(1);
});

test("a thought is written by hand, taken from the task, and given back to the model", () => {
	const { model, at } = view();
	at("steps-write").click();
	expect((at("steps-own-text") as HTMLTextAreaElement).value).toContain("The key is in the box.\nThe cup");
	(at("steps-own-text") as HTMLTextAreaElement).value = " ";
	at("steps-use").click();
	expect(document.body.textContent).toContain("Nothing is written");
	(at("steps-own-text") as HTMLTextAreaElement).value = "One.\nTwo.";
	at("steps-use").click();
	expect(options(model)).toMatchObject({ by: "given", thought: { source: "hand", base: ["One. ", "Two."] } });
	at("steps-task").click();
	expect(options(model).thought).toEqual({ source: "task", prompt: PROMPT });
	model.push({ steps: { ...STEPS, source: "task" } });
	at("steps-own").click();
	expect(options(model).thought).toBeNull();
});

test("the matrix: cells by keyboard, its range, a table; bytes that are missing are an error", () => {
	const matrix = floats([2, 2], [0, 0, -1.5, 0]);
	const two = { steps: STEPS.steps.slice(0, 2), matrix };
	const { model, at } = view(two);
	expect(at("step-matrix").closest<HTMLElement>(".ck-grid")!.hidden).toBe(true);
	model.push({ options: { steps: { matrix: true } } });
	const place = at("step-matrix").parentElement!;
	expect(at("step-matrix").closest(".ck-grid")!.textContent).toContain("−1.50");
	press(place, "ArrowDown");
	expect(at("step-readout").textContent).toBe("step 2 (The cup is in the jar.) without a look at step 1 (The key is in the box.): −1.50, beside the mean of its row");
	expect(at("status").textContent).toBe(at("step-readout").textContent);
	press(place, "ArrowRight");
	expect(at("step-readout").textContent).toContain("is not before");
	const table = at<HTMLDetailsElement>("step-matrix-table");
	table.open = true;
	table.dispatchEvent(new Event("toggle"));
	expect(table.querySelector("tbody")?.textContent).toBe("12−1.50");
	expect(() => cellsOf({ ...matrix, shape: [3, 3] })).toThrow("16 bytes");
});

test("what goes wrong is said in words, and text of any kind stays text", () => {
	const bad = "</script><img src=x onerror=1>\u202e\u0000 \n";
	const { at } = view({ steps: [{ ...STEPS.steps[0]!, text: bad, label: "odd", edited: true }], error: { asked: bad, found: "612 tokens", remedy: "a shorter thought" } });
	expect(at("steps-error").textContent).toContain("Found: 612 tokens. Try: a shorter thought.");
	expect(at("step-0").textContent).toBe("</script><img src=x onerror=1>��·⏎▫ odd✎ edited");
	press(at("step-0"), "Enter");
	expect(document.querySelectorAll("img, script")).toHaveLength(0);
});
