// The page without a kernel: recordings answer the switches, and what was not recorded is said.
import { expect, test } from "vitest";
import { matches } from "../src/playground/alike";
import { opened } from "../src/standalone/opened";
import { RecordedModel, type Recorded } from "../src/standalone/recorded";
import type { Json } from "../src/playground/types";
import { CATALOG, frame, hunt, POPULATION, reread, side, state, tokenize } from "../harness/fake";

const STATE = state();
const [once, twice] = [side(tokenize(hunt()), 2, 2, 1), side(tokenize(reread(hunt())), 2, 2, 2)];
const FRAMES = { idle: frame(0, once, null, "idle"), reread: frame(0, once, twice, "read again") };

const READ = [{ intervention: "Reread", times: 2, phrase: "Read the question again:" }];
const recorded = (): Recorded => ({
	panels: null,
	options: {},
	catalog: CATALOG,
	state: STATE,
	recordings: [
		{ setup: [], frame: FRAMES.idle, code: "nothing", results: { population: null } },
		{ setup: READ, frame: FRAMES.reread, code: "again", results: { population: POPULATION } },
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
	expect(model.get("population")?.seq).toBe(4);
	expect(model.get("error")).toBeNull();
});

test("what was not recorded is refused in words, and the picture stays", () => {
	const model = new RecordedModel(recorded());
	const before = model.get("frame");
	model.set("state", { ...STATE, setup: [{ intervention: "Steer", strength: 9 }] });
	model.save_changes();
	expect(model.get("error")?.asked).toContain("combination");
	expect(model.get("error")?.remedy).toContain("nothing on, Read again");
	expect(model.get("frame")).toBe(before);
	model.set("state", { ...STATE, prompt: [{ name: "text", text: "other" }] });
	model.save_changes();
	expect(model.get("error")?.asked).toBe("another text");
	model.send({ type: "new_problem", task: "hunt", difficulty: 1 });
	expect(model.get("error")?.asked).toBe("another problem");
});

test("what did not run when the page was made is named, and asking for it says why", () => {
	const model = new RecordedModel({ ...recorded(), left_out: [{ setup: [{ intervention: "Reread", times: 9 }], found: "a text of 400 tokens" }] });
	expect(model.missing()).toBe("Left out of this page: Read again (a text of 400 tokens).");
	expect(new RecordedModel(recorded()).missing()).toBe("");
	model.set("state", { ...STATE, setup: [{ intervention: "Reread", times: 9 }] });
	model.save_changes();
	expect(model.get("error")?.found).toBe("a text of 400 tokens");
	model.set("state", { ...STATE, setup: [{ intervention: "Mask" }] });
	model.save_changes();
	expect(model.get("error")?.found).toContain("without a model");
});

test("another comparison and other problems are refused, a page is one already, and a ping is answered", () => {
	const model = new RecordedModel(recorded());
	for (const [part, asked] of [[{ against: READ }, "another comparison"], [{ n: 3 }, "other fresh problems"]] as const) {
		model.set("state", { ...STATE, ...part });
		model.save_changes();
		expect(model.get("error")?.asked).toBe(asked);
	}
	const heard: unknown[] = [];
	model.on("msg:custom", (reply) => heard.push(reply.type));
	model.send({ type: "ping", asked: 1 });
	model.send({ type: "page", asked: "x", setups: [] });
	model.send({ type: "stop" });
	expect(heard).toEqual(["pong", "failed"]);
});

test("a page can show another method of its steps, but no other thought; its switches go on working", () => {
	const model = new RecordedModel(recorded());
	const ask = (steps: { [name: string]: Json }) => {
		model.set("options", { steps });
		model.save_changes();
	};
	ask({ method: "early", detail: true });
	expect(model.get("error")).toBeNull();
	ask({ method: "early", thought: { source: "model" } });
	expect(model.get("error")?.asked).toBe("another thought, or other steps");
	expect(model.get("options")?.steps).toEqual({ method: "early" });
	model.set("state", { ...STATE, setup: READ });
	model.save_changes();
	expect(model.get("error")).toBeNull();
	expect(model.get("code")).toBe("again");
});

test("what Python packed is opened: values, and bytes where they stood", async () => {
	const json = new TextEncoder().encode('{"catalog": "é", "x": {"$bytes": [1, 3]}, "y": {"$bytes": [0, 1]}}');
	const whole = Uint8Array.from([json.length, 0, 0, 0, ...json, 7, 0, 255, 128]);
	const stream = new ReadableStream({ start: (control) => (control.enqueue(whole), control.close()) }).pipeThrough(new CompressionStream("deflate"));
	const packed = btoa(String.fromCharCode(...new Uint8Array(await new Response(stream).arrayBuffer())));
	const found = (await opened(`\n${packed} `)) as unknown as { catalog: string; x: DataView; y: DataView };
	expect([found.catalog, found.x.getUint8(0), found.x.getUint8(1), found.x.getUint8(2), found.x.byteLength, found.y.getUint8(0)]).toEqual(["é", 0, 255, 128, 3, 7]);
	await expect(opened("AAAA")).rejects.toThrow();
});
