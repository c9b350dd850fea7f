// Paint: the same data as in Python, strokes, and the painter by pointer and by keys.
import { expect, test } from "vitest";
import { frame, hunt, reread, side, state, tokenize } from "../harness/fake";
import { cellStates, type Spot, stroke, targetOf, touched } from "../src/playground/brush";
import { decode } from "../src/playground/decode";
import { blank, copied, counts, emptyRow, fitted, layoutOf, maskAt, readPaint, withPaint, writePaint } from "../src/playground/paint";
import type { Entry, Json } from "../src/playground/types";
import { change, press, shown } from "./shown";

const HUNT = frame(1, side(tokenize(hunt()), 2, 2, 3), null, "");
const READ = decode(HUNT).before;
const fine = (size: number) => Array.from({ length: size + 1 }, (_, i) => i);
/** What ct.masks.painted(…).to_data() gives. */
const FROM_PYTHON: [number[][], string][] = [
	[[[1, 0, 1, 0], [1, 1, 0, 0], [1, 1, 1, 0], [1, 0, 1, 1]], "4:2,1,10,1,2"],
	[[[0, 1, 1], [1, 1, 0], [0, 0, 1]], "3:0,3,3,2,1"],
];

test.each(FROM_PYTHON)("a painted mask is the text that Python writes", (rows, code) => {
	const size = rows.length;
	const other = Uint8Array.from(rows.flatMap((row, i) => row.map((open, j) => ((open === 1) === j <= i ? 0 : 1))));
	expect(writePaint({ size, other, pieces: [["text", size]] })).toEqual(["painted", code, [["text", size]]]);
	expect(readPaint(["painted", code, [["text", size]]])).toEqual({ size, other, pieces: [["text", size]] });
});

test("paint belongs to the prompt's pieces, not to what the model wrote", () => {
	const text = tokenize(hunt());
	expect(layoutOf(READ).map(([name]) => name)).toEqual(["context", "question", "cue"]);
	const thought = { name: "thought", origin: "thought", reading: 1, start: READ.size, stop: READ.size + 2 };
	const more = decode(frame(1, side({ tokens: [...text.tokens, " It", " is"], pieces: [...text.pieces, thought] }, 1, 1, 1), null, "")).before;
	expect(blank(more).size).toBe(READ.size);
	const start = text.pieces.map((piece) => ({ ...piece, start: piece.start + 1, stop: piece.stop + 1 }));
	expect(layoutOf(decode(frame(1, side({ tokens: ["<s>", ...text.tokens], pieces: start }, 1, 1, 1), null, "")).before)[0]).toEqual(["", 1]);
});

test("on another text paint stays with its pieces, and rests where they changed", () => {
	const paint = stroke(blank(READ), fine(READ.size), [{ row: 30, column: 3 }, { row: 2, column: 9 }, { row: 31, column: 29 }], "close");
	const again = fitted(stroke(paint, fine(READ.size), [{ row: 2, column: 9 }], "open"), decode(frame(1, side(tokenize(reread(hunt())), 1, 1, 1), null, "")).before);
	expect([counts(again.paint), again.resting]).toEqual([{ closed: 2, opened: 1 }, []]);
	const edited = hunt().map((piece) => (piece.name === "context" ? { ...piece, text: "The key is lost." } : piece));
	const other = fitted(paint, decode(frame(1, side(tokenize(edited), 1, 1, 1), null, "")).before);
	expect([counts(other.paint), other.resting]).toEqual([{ closed: 1, opened: 0 }, ["context"]]);
});

test("cells of larger units are open, closed, or changed in a part; a block keeps each token's own cell", () => {
	const edges = [0, 7, 14, READ.size];
	const start = blank(READ);
	expect([...cellStates(start, edges)]).toEqual([0, 1, 1, 0, 0, 1, 0, 0, 0]);
	const shut = stroke(start, edges, [{ row: 1, column: 1 }, { row: 2, column: 0 }], "close");
	expect([...cellStates(shut, edges)]).toEqual([0, 1, 1, 0, 2, 1, 2, 0, 0]);
	expect(emptyRow(shut)).toBe(-1);
	const mixed = stroke(shut, fine(READ.size), [{ row: 20, column: 3 }, { row: 0, column: 20 }], "causal");
	expect([...cellStates(mixed, edges)]).toEqual([0, 1, 1, 0, 2, 1, 4, 0, 0]);
	expect(cellStates(stroke(start, edges, [{ row: 0, column: 0 }], "open"), edges)[0]).toBe(3);
});

test("what a stroke does is the opposite of where it begins", () => {
	const at = (row: number, column: number): Spot => ({ row, column });
	expect([targetOf(0, at(3, 1), true), targetOf(2, at(3, 1), true), targetOf(1, at(1, 3), true), targetOf(3, at(1, 3), true), targetOf(0, at(2, 2), true)]).toEqual(["close", "causal", "open", "causal", "close"]);
	expect([0, 3, 2].map((state) => targetOf(state as 0, at(1, 1), false))).toEqual(["open", "close", "causal"]);
});

test("tools touch a line, a rectangle, rows or columns on one side of the diagonal", () => {
	const spots = (tool: "cells" | "rectangle" | "row" | "column", from: Spot, to: Spot) => touched(tool, from, to, 4).map(({ row, column }) => `${row}${column}`).join(" ");
	expect(spots("cells", { row: 3, column: 0 }, { row: 1, column: 0 })).toBe("30 20 10");
	expect(spots("rectangle", { row: 3, column: 1 }, { row: 2, column: 0 })).toBe("20 21 30 31");
	expect(spots("row", { row: 2, column: 0 }, { row: 2, column: 1 })).toBe("20 21");
	expect(spots("row", { row: 1, column: 3 }, { row: 1, column: 3 })).toBe("12 13");
	expect(spots("column", { row: 2, column: 1 }, { row: 2, column: 1 })).toBe("21 31");
});

test("paint takes the place of the setup's mask and leaves the rest", () => {
	const setup: Entry[] = [{ intervention: "Reread" }, { intervention: "Knockout", queries: "cue", keys: "context" }, { intervention: "Steer" }];
	const paint = blank(READ);
	const next = withPaint(setup, paint, { layers: [1], heads: null });
	expect(next.map((entry) => entry.intervention)).toEqual(["Reread", "Mask", "Steer"]);
	expect(next[1]).toEqual({ intervention: "Mask", kind: writePaint(paint), layers: [1], heads: null });
	expect([maskAt(next), maskAt([])]).toEqual([1, -1]);
	expect(withPaint(next, null, { layers: null, heads: null }).map((entry) => entry.intervention)).toEqual(["Reread", "Steer"]);
	expect(counts(copied(READ, 0, 0))).toEqual({ closed: 0, opened: 0 });
});

const PAINTER = { panels: ["header", "text", "painter", "next"], frame: HUNT };
const kind = (model: ReturnType<typeof shown>["model"]): Json => model.get("state")?.setup[0]?.kind ?? null;

test("keys move, choose and paint; each stroke is one step of the history", () => {
	const { model, at } = shown(PAINTER);
	const cells = at("painter-cells");
	press(cells, "End");
	press(cells, "ArrowLeft");
	expect(at("status").textContent).toMatch(/“:” → “Answer” open/);
	press(cells, " ");
	expect(counts(readPaint(kind(model))!)).toEqual({ closed: 1, opened: 0 });
	expect(model.saved).toHaveLength(1);
	expect(at("status").textContent).toContain("1 of 630 cells closed by you, 0 opened");
	press(cells, "ArrowLeft");
	press(cells, "ArrowLeft", { shiftKey: true });
	press(cells, "ArrowUp", { shiftKey: true });
	press(cells, " ");
	expect(counts(readPaint(kind(model))!).closed).toBe(5);
	at("undo").click();
	expect(counts(readPaint(kind(model))!).closed).toBe(1);
	at("undo").click();
	expect(kind(model)).toBeNull();
	at("redo").click();
	expect(counts(readPaint(kind(model))!).closed).toBe(1);
	at("painter-reset").click();
	expect(model.get("state")?.setup).toEqual([]);
});

test("a word that would see nothing is refused in words, and nothing is changed", () => {
	const { model, at } = shown(PAINTER);
	change(at<HTMLSelectElement>("painter-tool"), "row");
	const cells = at("painter-cells");
	for (const key of ["Home", ...Array<string>(40).fill("ArrowUp")]) press(cells, key);
	press(cells, " ");
	expect(at("painter-words").textContent).toBe("“The” would see nothing. A word must see one word at least, if only itself.");
	expect(model.saved).toHaveLength(0);
});

test("layers and heads that are painted are chosen on strips", () => {
	const { model, at } = shown(PAINTER);
	at("field-painter-layers-0").click();
	press(at("painter-cells"), "End");
	press(at("painter-cells"), "Home");
	press(at("painter-cells"), " ");
	expect(model.get("state")?.setup[0]).toMatchObject({ layers: [1, 2, 3], heads: null });
	at("field-painter-heads-2").click();
	expect(model.get("state")?.setup[0]).toMatchObject({ layers: [1, 2, 3], heads: [0, 1, 3] });
});

test("in the playground the painter opens with the rule that is painted by hand", () => {
	const { model, at } = shown({ frame: HUNT });
	const panel = () => at("painter-cells").closest("section")!.hidden;
	expect(panel()).toBe(true);
	at("switch-mask").click();
	const select = at<HTMLSelectElement>("field-mask-kind");
	change(select, String([...select.options].findIndex((option) => option.textContent === "painted by hand")));
	expect(kind(model)).toEqual(["painted", `${READ.size}:${READ.size ** 2}`, layoutOf(READ)]);
	expect(panel()).toBe(false);
	press(at("painter-cells"), "End");
	press(at("painter-cells"), "Enter");
	expect(at("paint-words").textContent).toContain("1 cell closed");
	at("painter-table").setAttribute("open", "");
	at("painter-table").dispatchEvent(new Event("toggle"));
	expect(at("painter-table").querySelectorAll("tbody tr")).toHaveLength(1);
});

test("paint that rests is said", () => {
	const paint = blank(READ);
	const { at } = shown({ ...PAINTER, state: state({ setup: [{ intervention: "Mask", kind: writePaint({ ...paint, pieces: [["context", paint.size]] }), layers: null, heads: null }] }) });
	expect(at("painter-rests").hidden).toBe(false);
	expect(at("painter-rests").textContent).toContain("“context” rests");
});
