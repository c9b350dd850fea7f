import { expect, test } from "vitest";
import { CATALOG } from "../harness/fake";
import { longReadings, twoReadings } from "./readings";
import { shown } from "./shown";

/** A view in which reading again was switched on and answered; what is on show, in words. */
function flipped() {
	const view = shown({ frame: { ...twoReadings(1), sentence: "off" } });
	const flip = () => view.at<HTMLInputElement>("switch-reread").click();
	flip();
	view.model.push({ frame: { ...twoReadings(2), sentence: "on" } });
	return { ...view, flip, now: () => [view.at("sentence").textContent, view.root.dataset.seq, view.at("ms").textContent] };
}

test("a picture that was on before is there at once, and the same answer of the kernel changes only its time", () => {
	const { model, at, flip, now } = flipped();
	expect(now()).toEqual(["on", "2", "12 ms"]);
	flip();
	expect(now()).toEqual(["off", "3", ""]);
	expect(at("status").textContent).toBe("off");
	const token = at("tokens").querySelector("[role=option]");
	model.push({ frame: { ...twoReadings(3), run: "run 1", sentence: "off, told again", ms: 2 } });
	expect(now()).toEqual(["off", "3", "2 ms"]);
	expect(at("tokens").querySelector("[role=option]")).toBe(token);
	flip();
	expect(now()).toEqual(["on", "4", ""]);
});

test("another answer of the kernel replaces it, and is what is remembered from then on", () => {
	const { model, flip, now } = flipped();
	flip();
	model.push({ frame: { ...twoReadings(3), sentence: "off, with other weights" } });
	expect(now()).toEqual(["off, with other weights", "3", "12 ms"]);
	flip();
	flip();
	expect(now()).toEqual(["off, with other weights", "5", ""]);
});

test("the answer to an older question is not remembered as that of the newer one", () => {
	const { model, at, flip, now } = flipped();
	flip();
	at<HTMLInputElement>("switch-think").click();
	model.push({ frame: { ...twoReadings(3), run: "late", sentence: "late" } });
	expect(now()).toEqual(["late", "3", "12 ms"]);
	at<HTMLInputElement>("switch-think").click();
	at<HTMLInputElement>("switch-think").click();
	expect(now()).not.toContain("late");
	model.push({ frame: { ...twoReadings(6), sentence: "thinks" } });
	at<HTMLInputElement>("switch-think").click();
	at<HTMLInputElement>("switch-think").click();
	expect(now()).toEqual(["thinks", "8", ""]);
});

test("another model is another picture; so is a long text, whose heads the kernel must give", () => {
	const { model, flip, now } = flipped();
	model.push({ catalog: { ...CATALOG } });
	flip();
	expect(now()).toEqual(["on", "2", "12 ms"]);
	model.push({ frame: { ...longReadings(3), sentence: "long" } });
	flip();
	flip();
	expect(now()).toEqual(["long", "3", "12 ms"]);
});

test("the run before may be a trait of its own, told once for many frames", () => {
	const { before, ...sent } = twoReadings(1);
	const { model, at } = shown({ frame: { ...sent, after: null, sentence: "off" }, before });
	const words = () => [at("sentence").textContent, at("tokens").textContent];
	const off = words();
	expect(off).toEqual(["off", "a b"]);
	at<HTMLInputElement>("switch-reread").click();
	model.push({ frame: { ...sent, seq: 2, run: "both", sentence: "on" } });
	expect(words()[0]).toBe("on");
	at("tab-before").click();
	const numbers = () => at("matrix").getAttribute("aria-label");
	expect(numbers()).toContain("2 tokens");
	const longer = { ...twoReadings().after!, attention: sent.after!.attention };
	model.push({ before: longer, frame: { ...sent, seq: 3, run: "other", align: [0, 1, 2, 3, 4], fold: [0, 1, 2, 3, 4], sentence: "another before" } });
	expect([words()[0], numbers()]).toEqual(["another before", expect.stringContaining("5 tokens")]);
	const { at: none } = shown({ frame: sent });
	expect(none("error").textContent).toContain("the run before was not sent");
});
