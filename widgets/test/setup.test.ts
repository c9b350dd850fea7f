import { expect, test } from "vitest";
import { CATALOG, state } from "../harness/fake";
import { shown, number, percent, points, signed, unwordly } from "../src/lib/words";
import { History } from "../src/playground/history";
import { fromSetup, initial, isChanged, same, toSetup } from "../src/playground/setup";
import type { Entry } from "../src/playground/types";

const { switches } = CATALOG;
const setup: Entry[] = [
	{ intervention: "Mask", kind: "window", size: 7, layers: [0, 2], heads: [1] },
	{ intervention: "PrependToken", start: 2, exit: 4, seed: 0 },
	{ intervention: "Steer", direction: { layer: 2, name: "happy − sad" }, strength: -1.5, layers: null },
	{ intervention: "Knockout", queries: "reading 2", keys: "reading 1" },
];

test("a setup survives the way through the switches, also what no control shows", () => {
	expect(toSetup(switches, fromSetup(switches, setup, initial(switches)))).toEqual(setup);
	expect(toSetup(switches, fromSetup(switches, [], initial(switches)))).toEqual([]);
});

test("entries come in the order of the switches, the rest behind", () => {
	const shuffled = [setup[3]!, setup[2]!, setup[0]!];
	expect(toSetup(switches, fromSetup(switches, shuffled, initial(switches))).map((entry) => entry.intervention)).toEqual(["Mask", "Steer", "Knockout"]);
});

test("a switch that is off keeps its settings", () => {
	const on = fromSetup(switches, setup, initial(switches));
	const off = fromSetup(switches, [], on);
	expect(off.settings.mask).toMatchObject({ on: false, values: { kind: "window", size: 7 } });
	expect(off.extras).toEqual([]);
});

test("a field that does not apply is not sent", () => {
	const controls = fromSetup(switches, [{ intervention: "Mask", kind: "prefix" }], initial(switches));
	expect(toSetup(switches, controls)[0]).not.toHaveProperty("size");
});

test("a reset is offered only where a shown setting is not the catalog's", () => {
	const mask = switches[0]!;
	const values = { kind: "prefix", size: 9, layers: null };
	expect(isChanged(mask, { on: true, values, rest: {} })).toBe(false); // size is not shown for a prefix
	expect(isChanged(mask, { on: true, values: { ...values, kind: "window" }, rest: {} })).toBe(true);
});

test("data is the same whatever the order of its keys", () => {
	expect(same({ a: [1, { b: 2 }], c: null }, { c: null, a: [1, { b: 2 }] })).toBe(true);
	expect(same([1, 2], [1, 2, 3])).toBe(false);
	expect(same({ a: 1 }, [1])).toBe(false);
});

test("undo and redo lead through the states, and a new state ends what was undone", () => {
	const history = new History(state());
	expect(history.push(state())).toBe(false);
	history.push(state({ n: 1 }));
	history.push(state({ n: 2 }));
	expect(history.undo()?.n).toBe(1);
	expect(history.undo()?.n).toBe(200);
	expect(history.undo()).toBeNull();
	expect(history.redo()?.n).toBe(1);
	history.push(state({ n: 3 }));
	expect(history.canRedo).toBe(false);
});

test("whitespace and what cannot be seen are made visible", () => {
	expect([" box", "\n", "  ", "\t", "", " ", "a\u202eb"].map(shown)).toEqual(["box", "⏎", "·", "⇥", "∅", "·", "a�b"]);
	expect([unwordly("\n"), unwordly(" "), unwordly("</s>"), unwordly("box")]).toEqual(["a new line", "a space", "the end of the text", null]);
});

test("numbers are printed for reading", () => {
	expect([number(0.34), number(0.001), number(0), signed(-0.31), signed(0.0001)]).toEqual(["0.34", "<0.01", "0.00", "−0.31", "0.00"]);
	expect([percent(0.61), points(0.23), points(-0.02)]).toEqual(["61\u202f%", "+23", "−2"]);
});
