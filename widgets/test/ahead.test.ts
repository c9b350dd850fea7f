import { expect, test, vi } from "vitest";
import { state } from "../harness/fake";
import type { Command, PlayState, Sent } from "../src/playground/types";
import { twoReadings } from "./readings";
import { shown } from "./shown";

vi.useFakeTimers();
const RESTS = 100; // ms: longer than a switch waits

type Ahead = Command & { type: "ahead" };

/** A view, what it asked to be worked out ahead, and how Python answers. */
function resting() {
	const view = shown({ frame: { ...twoReadings(1), sentence: "off" } });
	const box = (id: string) => view.at<HTMLInputElement>(`switch-${id}`);
	const rest = (id: string, ms = RESTS) => {
		box(id).closest(".ck-switch")!.dispatchEvent(new Event("pointerenter"));
		vi.advanceTimersByTime(ms);
	};
	const asked = () => view.model.sent.filter((one): one is Ahead => one.type === "ahead");
	const answer = (to: PlayState, sentence: string, seq = 1) => {
		const frame: Sent = { ...twoReadings(seq), run: sentence, sentence };
		const buffers = [frame.after!.attention!.data, frame.after!.allowed!.data];
		const without = { ...frame, before: view.model.get("frame")!.before, after: { ...frame.after!, attention: { ...frame.after!.attention! }, allowed: { ...frame.after!.allowed! } } };
		for (const part of [without.after.attention, without.after.allowed]) delete (part as Partial<typeof part>).data;
		view.model.reply({ type: "ahead", state: to, frame: without }, buffers as ArrayBufferView[]);
	};
	return { ...view, box, rest, asked, answer, sentence: () => view.at("sentence").textContent };
}

test("a pointer that rests on a switch has its flip worked out, which is then on show before the kernel answers", () => {
	const { model, box, rest, asked, answer, sentence, root } = resting();
	rest("reread");
	expect(asked()).toEqual([{ type: "ahead", seq: 1, state: { ...state(), setup: [expect.objectContaining({ intervention: "Reread" })] } }]);
	expect([model.saved, sentence()]).toEqual([[], "off"]); // nothing is flipped
	answer(asked()[0]!.state, "seen ahead");
	expect(sentence()).toBe("off");
	box("reread").click();
	expect([sentence(), root.dataset.seq, root.dataset.answered]).toEqual(["seen ahead", "2", "1"]);
	expect(model.saved).toHaveLength(1); // the kernel is asked all the same
});

test("so does the focus; what is passed over, known already or cannot be flipped is not asked for", () => {
	const { model, box, rest, asked, answer } = resting();
	box("reread").dispatchEvent(new Event("focusin", { bubbles: true }));
	vi.advanceTimersByTime(RESTS);
	expect(asked()).toHaveLength(1);
	rest("mask", 20);
	box("mask").closest(".ck-switch")!.dispatchEvent(new Event("pointerleave"));
	vi.advanceTimersByTime(RESTS);
	expect(asked()).toHaveLength(1);
	answer(asked()[0]!.state, "seen ahead");
	rest("reread");
	expect(asked()).toHaveLength(1);
	const catalog = model.get("catalog")!;
	model.push({ catalog: { ...catalog, switches: catalog.switches.map((one) => ({ ...one, unsupported: "its attention is not ours" })) } });
	rest("think");
	expect(asked()).toHaveLength(1);
});

test("a flip at once is not held up by the question", () => {
	const { model, box, rest, asked } = resting();
	rest("reread", 20);
	box("reread").click();
	vi.advanceTimersByTime(RESTS);
	expect([asked(), model.saved.length]).toEqual([[], 1]);
});

test("an answer that comes late, of another text, or without its bytes is let go", () => {
	const { model, box, rest, asked, answer, sentence } = resting();
	rest("reread");
	answer(asked()[0]!.state, "of a text before", 0);
	model.reply({ type: "ahead", state: asked()[0]!.state, frame: twoReadings(1) }, []);
	box("reread").click();
	expect(sentence()).toBe("off");
});

test("what was said of a flip that was done is not lost to one that is only looked at", () => {
	const { model, box, rest, at } = { ...resting() };
	model.push({ state: state({ setup: [{ intervention: "Emphasize", piece: "The cup", alpha: 0.01, layers: null }] }), seq: 2 });
	box("emphasize").click();
	model.push({ state: state({ prompt: [{ name: "text", text: "A fish swims." }] }), seq: 7 });
	box("emphasize").click();
	rest("reread");
	model.push({ frame: { ...twoReadings(8), sentence: "Emphasis." } });
	expect(at("status").textContent).toContain("The cup is not in this text. Emphasis.");
});
