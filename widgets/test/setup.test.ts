import { expect, test } from "vitest";
import { CATALOG } from "../harness/fake";
import { shown, number, percent, points, signed, unwordly } from "../src/lib/words";
import { fitted, placesOf, returned } from "../src/playground/places";
import { applies, asOffered, changed, fromSetup, initial, isChanged, moved, same, type Setting, showing, switched, toSetup } from "../src/playground/setup";
import type { Entry, Field, Json, Switch } from "../src/playground/types";

const { switches } = CATALOG;
const setup: Entry[] = [
	{ intervention: "Mask", kind: "window", size: 7, layers: [0, 2], heads: [1] },
	{ intervention: "PrependToken", start: 2, exit: 4, seed: 0, source: "last", init: "mean" },
	{ intervention: "Steer", direction: { layer: 2, name: "happy − sad" }, strength: -1.5, layers: [2], op: "add", kl: null, where: "all" },
	{ intervention: "Noise", where: "context" },
];
const there = (entries: Entry[]) => fromSetup(switches, entries, initial(switches));

test("a setup survives the way through the switches, also what no control shows", () => {
	expect(toSetup(switches, there(setup))).toEqual(setup);
	expect(toSetup(switches, there([]))).toEqual([]);
});

/** Every switch as offered, and with every choice of every setting, as a setting of its own. */
const every: [string, Switch, Setting][] = switches.flatMap((one) => {
	const offered: [string, Switch, Setting] = [one.id, one, { ...asOffered(one), on: true }];
	const values = (field: Field): Json[] => {
		if ("choices" in field) return field.choices.map((choice) => choice.value);
		if ("min" in field && field.min !== undefined) return [field.min, field.max ?? 0];
		return { layers: [[1], [0, 3]], heads: [[0], null], code: ["0110"], paint: [["painted", "2:1,1,2", [["text", 2]]]], place: ["question"], pair: [["cue", "context"]], places: [["cue"]], text: ["x"], range: [[0, 2]] }[field.type as string] ?? [];
	};
	const more = one.fields.flatMap((field) =>
		values(field).map((value): [string, Switch, Setting] => {
			const when = Object.fromEntries(Object.entries(field.when ?? {}).map(([name, own]) => [name, Array.isArray(own) ? own[0]! : own]));
			const paint: Record<string, Json> = value === "painted" ? { paint: ["painted", "2:1,1,2", [["text", 2]]] } : {};
			return [`${one.id} ${field.name} ${JSON.stringify(value).slice(0, 20)}`, one, { ...offered[2], values: { ...offered[2].values, ...when, ...paint, [field.name]: value } }];
		}),
	);
	return [offered, ...more];
});

test.each(every)("%s: a setting becomes an entry and is known again from it", (_name, one, setting) => {
	const controls = { ...initial(switches), order: [one.id], settings: { ...initial(switches).settings, [one.id]: setting } };
	const [entry] = toSetup(switches, controls);
	const again = there([entry!]);
	expect(toSetup(switches, again)).toEqual([entry]);
	const shown = again.settings[one.id]!;
	for (const field of one.fields) if (applies(field, setting.values)) expect([field.name, shown.values[field.name]]).toEqual([field.name, setting.values[field.name]]);
	expect(shown.rest).toEqual({});
});

test("entries keep their order; a switch that comes on acts before those behind it", () => {
	const shuffled = [setup[3]!, setup[2]!, setup[0]!];
	const controls = there(shuffled);
	expect(toSetup(switches, controls)).toEqual(shuffled);
	const on = switched(switches, there([setup[0]!, setup[2]!, setup[3]!]), "reread", true);
	expect(toSetup(switches, on).map((entry) => entry.intervention)).toEqual(["Mask", "Reread", "Steer", "Noise"]);
	expect(toSetup(switches, switched(switches, on, "mask", false)).map((entry) => entry.intervention)).toEqual(["Reread", "Steer", "Noise"]);
	expect(toSetup(switches, moved(on, "steer", -1)).map((entry) => entry.intervention)).toEqual(["Mask", "Steer", "Reread", "Noise"]);
	expect(moved(on, "mask", -1)).toBe(on);
});

test("a second entry of a kind can be put under the switch", () => {
	const two: Entry[] = [{ ...setup[0]! }, { intervention: "Knockout", queries: "cue", keys: "context", layers: null, heads: null }];
	const first = there(two);
	expect([first.settings.mask!.values.kind, first.extras]).toEqual(["window", [two[1]]]);
	const second = showing(switches, two, first, 1);
	expect([second.settings.mask!.values.kind, second.extras]).toEqual(["knockout", [two[0]]]);
	expect(toSetup(switches, second)).toEqual(two);
	expect(fromSetup(switches, two, second).settings.mask!.values.kind).toBe("knockout");
});

test("what Python set and no way stands for stays as it is, and another way begins anew", () => {
	const rule: Entry = { intervention: "Mask", kind: ["and", ["causal"], ["window", 3]], layers: null, heads: [1], size: null };
	const controls = there([rule]);
	expect(controls.settings.mask!.values.kind).toBeNull();
	expect(toSetup(switches, controls)).toEqual([rule]);
	const mask = switches[0]!;
	const next = changed(mask, controls.settings.mask!, mask.fields[0]!, "knockout");
	expect(toSetup(switches, { ...controls, settings: { ...controls.settings, mask: next } })).toEqual([{ intervention: "Knockout", queries: "question", keys: "context", layers: null, heads: [1] }]);
});

test("a switch that is off keeps its settings", () => {
	const off = fromSetup(switches, [], there(setup));
	expect(off.settings.mask).toMatchObject({ on: false, values: { kind: "window", size: 7 } });
	expect(off.extras).toEqual([]);
});

test("a field that does not apply is not sent", () => {
	expect(toSetup(switches, there([{ intervention: "Mask", kind: "prefix" }]))[0]).not.toHaveProperty("size");
});

test("a reset is offered only where a shown setting is not the catalog's", () => {
	const mask = switches[0]!;
	const values = { ...asOffered(mask).values, size: 9 };
	expect(isChanged(mask, { ...asOffered(mask), values })).toBe(false); // size is not shown for a lifted mask
	expect(isChanged(mask, { ...asOffered(mask), values: { ...values, kind: "window" } })).toBe(true);
});

test("what a switch kept of another prompt is as it was offered; what may be there stays", () => {
	const [mask, emphasize] = [switches[0]!, switches.find((one) => one.id === "emphasize")!];
	const back = (one: Switch, name: string, value: Json) => {
		const old = { ...asOffered(one), values: { ...asOffered(one).values, [name]: value } };
		const { setting, gone } = returned(one, old, ["context", "question"], "The key is in\nthe tin. Where? Read again:");
		return [setting.values[name], gone.map((field) => field.name)];
	};
	for (const place of ["the cup", "text", "text (2)", "after facts"]) expect(back(emphasize, "piece", place)).toEqual(["question", ["piece"]]);
	const there = ["context", "all", "generated", "reading 2", "context (2)", "every context", "after question", "key is in\nthe tin", "Read again", 3, ["context", 3]];
	for (const place of there) expect(back(emphasize, "piece", place)).toEqual([place, []]);
	expect(back(mask, "mutual", ["facts", "question"])).toEqual([["context", "question"], ["mutual"]]);
	expect(back(mask, "parallel", ["context", "text"])).toEqual([["context", "question"], ["parallel"]]);
	expect(back(mask, "until", "text")).toEqual([null, ["until"]]);
	expect(back(mask, "paint", ["painted", "2:1,1,2", []])).toEqual([["painted", "2:1,1,2", []], []]); // paint rests by itself
	expect(back(switches.find((one) => one.id === "reread")!, "phrase", "Once more:")).toEqual(["Once more:", []]);
});

test("places that the prompt has not become places that it has", () => {
	const [mask, emphasize] = [switches[0]!, switches.find((one) => one.id === "emphasize")!];
	expect(fitted(emphasize, asOffered(emphasize), ["text"]).values.piece).toBe("text");
	expect(fitted(emphasize, { ...asOffered(emphasize), values: { piece: "own words" } }, ["text"]).values.piece).toBe("own words");
	const [permute, split] = [switches.find((one) => one.id === "permute")!, ["context 2", "context 1", "question"]];
	expect(fitted(permute, asOffered(permute), split, ["context", "question"]).values.documents).toBe("context"); // it split it itself
	expect(fitted(permute, asOffered(permute), ["text"], ["text"]).values.documents).toBe("text");
	expect(fitted(emphasize, { ...asOffered(emphasize), values: { piece: "question" } }, ["context 1"], ["question"]).values.piece).toBe("context 1");
	const knockout = { ...asOffered(mask), values: { ...asOffered(mask).values, kind: "knockout" } };
	expect(fitted(mask, knockout, ["context", "question", "cue"]).values).toMatchObject({ queries: "question", keys: "context" });
	expect(placesOf(null, [{ name: "text", text: "One. Two is <b>. Three" }]).map((place) => place.value)).toEqual(["text", "all", "One.", "Two is <b>.", "Three"]);
});

test("data is the same whatever the order of its keys", () => {
	expect(same({ a: [1, { b: 2 }], c: null }, { c: null, a: [1, { b: 2 }] })).toBe(true);
	expect(same([1, 2], [1, 2, 3])).toBe(false);
	expect(same({ a: 1 }, [1])).toBe(false);
});

test("whitespace and what cannot be seen are made visible", () => {
	expect([" box", "\n", "  ", "\t", "", " ", "a\u202eb"].map(shown)).toEqual(["box", "⏎", "·", "⇥", "∅", "·", "a�b"]);
	expect([unwordly("\n"), unwordly(" "), unwordly("</s>"), unwordly("box")]).toEqual(["a new line", "a space", "the end of the text", null]);
});

test("numbers are printed for reading", () => {
	expect([number(0.34), number(0.001), number(0), signed(-0.31), signed(0.0001)]).toEqual(["0.34", "<0.01", "0.00", "−0.31", "0.00"]);
	expect([percent(0.61), points(0.23), points(-0.02)]).toEqual(["61\u202f%", "+23", "−2"]);
});
