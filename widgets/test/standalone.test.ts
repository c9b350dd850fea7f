// The page without a kernel: recordings answer the switches, and what was not recorded is said.
import { expect, test } from "vitest";
import { matches, opened, RecordedModel, type Recorded } from "../src/standalone/recorded";
import { CATALOG, frame, hunt, reread, side, state, tokenize } from "../harness/fake";

const STATE = state();
const [once, twice] = [side(tokenize(hunt()), 2, 2, 1), side(tokenize(reread(hunt())), 2, 2, 2)];
const FRAMES = { idle: frame(0, once, null, "idle"), reread: frame(0, once, twice, "read again") };

const READ = [{ intervention: "Reread", times: 2, phrase: "Read the question again:" }];
const recorded = (): Recorded => ({
	catalog: CATALOG,
	state: STATE,
	recordings: [
		{ setup: [], frame: FRAMES.idle, steps: null, population: null, code: "nothing" },
		{ setup: READ, frame: FRAMES.reread, steps: null, population: null, code: "again" },
	],
});

test("what is asked may leave defaults out, and may not differ", () => {
	expect(matches(READ, [{ intervention: "Reread", times: 2 }])).toBe(true);
	expect(matches(READ, [{ intervention: "Reread", times: 3 }])).toBe(false);
	expect(matches(READ, [])).toBe(false);
	expect(matches([{ intervention: "Mask", layers: null }], [{ intervention: "Mask", layers: null }])).toBe(true);
});

test("a recorded setup is shown with the number of the request", () => {
	const model = new RecordedModel(recorded());
	const told: string[] = [];
	model.on("change:frame", () => told.push("frame"));
	expect(model.get("code")).toBe("nothing");
	model.set("state", { ...STATE, setup: [{ intervention: "Reread", times: 2 }] });
	model.set("seq", 4);
	model.save_changes();
	expect(told).toEqual(["frame"]);
	expect(model.get("frame")?.seq).toBe(4);
	expect(model.get("code")).toBe("again");
	expect(model.get("error")).toBeNull();
});

test("what was not recorded is refused in words, and the picture stays", () => {
	const model = new RecordedModel(recorded());
	const before = model.get("frame");
	model.set("state", { ...STATE, setup: [{ intervention: "Steer", strength: 9 }] });
	model.save_changes();
	expect(model.get("error")?.asked).toContain("combination");
	expect(model.get("error")?.remedy).toContain("nothing, Reread");
	expect(model.get("frame")).toBe(before);
	model.set("state", { ...STATE, prompt: [{ name: "text", text: "other" }] });
	model.save_changes();
	expect(model.get("error")?.asked).toBe("another text");
	model.send({ type: "new_problem", task: "hunt", difficulty: 1 });
	expect(model.get("error")?.asked).toBe("another problem");
});

test("bytes come out as they went in", () => {
	const found = opened('{"catalog": null, "state": null, "recordings": [{"x": {"$bytes": "AP+A"}}]}') as unknown as { recordings: { x: DataView }[] };
	const view = found.recordings[0]!.x;
	expect([view.getUint8(0), view.getUint8(1), view.getUint8(2)]).toEqual([0, 255, 128]);
});
