import { expect, test } from "vitest";
import { GENERATED, LENS, state } from "../harness/fake";
import { changes, repeats } from "../src/lib/changes";
import { guard } from "../src/playground/panels/generated";
import { change, shown } from "./shown";

const own = (words: { text: string; own: boolean }[]) => words.filter((word) => word.own).map((word) => word.text.trim());

test("words that only one text has are its own, in order", () => {
	const [before, after] = changes("the key is in the jar. And so", "the key was in the barn. And so");
	expect(own(before)).toEqual(["is", "jar."]);
	expect(own(after)).toEqual(["was", "barn."]);
	expect(before.map((word) => word.text).join("")).toBe("the key is in the jar. And so");
	expect(changes("a b", "a b").flatMap(own)).toEqual([]);
	expect(own(changes("", " a b")[1])).toEqual(["a", "b"]);
	expect(own(changes("same again", "same")[0])).toEqual(["again"]);
});

test("a text that turns in a circle is found, also where the circle has several words", () => {
	expect(repeats("one two three")).toBe(1);
	expect(repeats("well no no no no")).toBe(4);
	expect(repeats("x in the box in the box in the box")).toBe(3);
	expect(repeats("")).toBe(1);
});

test("why a text ends is said in words", () => {
	expect(guard({ tokens: [], stopped: "end" })).toContain("ends at once");
	expect(guard({ tokens: ["\n"], stopped: "end" })).toContain("ends at once");
	expect(guard({ tokens: [" a", " a", " a", " a"], stopped: "length" })).toContain("the same 4 times");
	expect(guard({ tokens: [" jar"], stopped: "end" })).toBe("Ended by itself.");
	expect(guard({ tokens: [" jar"], stopped: "asked" })).toBe("Stopped.");
	expect(guard({ tokens: [" jar"], stopped: null })).toBe("");
});

test("both texts are shown with what is their own marked; wishes go to Python as the panel's options", () => {
	const { model, at } = shown({ generated: GENERATED });
	expect([...at("generated-after").querySelectorAll("mark")].map((mark) => mark.textContent?.replace("·", ""))).toEqual(["barn.", "car", "barn."]);
	expect(at("generated-same").textContent).toBe("Same dice for both (seed 0). Dashed: only before. Underlined: only after.");
	const temperature = at<HTMLInputElement>("generated-temperature");
	change(temperature, "0");
	expect(model.get("options")).toEqual({ generated: { temperature: 0 } });
	at("other-dice").click();
	expect(model.get("options")).toEqual({ generated: { temperature: 0, seed: 1 } });
	change(at<HTMLInputElement>("generated-length"), "9999");
	expect(model.get("options")?.generated).toMatchObject({ length: 400 });
	expect(at("stop-writing").hidden).toBe(true);
	model.push({ status: { busy: ["generated"], message: "" }, generated: { ...GENERATED, running: true } });
	expect(at("generated-same").textContent).toBe("writing …");
	at("stop-writing").click();
	expect(model.sent).toEqual([{ type: "stop" }]);
});

test("the lens says when it is decided, and gives the numbers of a layer and all as a table", () => {
	const { model, at } = shown({ lens: LENS, state: state() });
	expect(at("lens-words").textContent).toBe("Before, jar leads from layer 3 on; after, barn leads from layer 3 on.");
	const numbers = () => [...at("lens-rows").querySelectorAll(".ck-value")].map((value) => value.textContent);
	expect(numbers()[0]).toBe("0.22 → 0.78");
	const slider = at<HTMLInputElement>("lens-layer");
	expect([slider.max, slider.value]).toEqual(["4", "4"]);
	slider.value = "2";
	slider.dispatchEvent(new Event("input", { bubbles: true }));
	expect(numbers()[0]).toBe("0.05 → 0.20");
	expect(at("lens-at").textContent).toBe("layer 2");
	expect(at("lens-table").querySelector("tbody tr:nth-child(3)")?.textContent).toBe("20.05 0.200.20 0.100.30 0.500.01 0.01cup box");
	expect(at("lens-rows").querySelectorAll("polyline")).toHaveLength(8);
	model.push({ lens: { ...LENS, seq: 2, tokens: [], before: null, after: null, note: "No lens here: a model that <b>cannot</b>." } });
	expect(at("lens").textContent).toContain("No lens here: a model that <b>cannot</b>.");
});
