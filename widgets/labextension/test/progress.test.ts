import { describe, expect, it } from "vitest";

import { cellRan, decodeProgress, opened, type Progress, stateOf, stateWords } from "../src/progress";

const LESSON = "01-first.ipynb";
const CELLS = ["a", "b", "c"];
const words = (progress: Progress, cells = CELLS) => stateWords(stateOf(progress, LESSON, cells));

describe("progress", () => {
	it("goes from not started over opened to finished", () => {
		let progress: Progress = {};
		expect(words(progress)).toBe("not started");
		progress = opened(progress, LESSON);
		expect(words(progress)).toBe("opened, 0 of 3 cells run");
		for (const cell of ["a", "c"]) progress = cellRan(progress, LESSON, cell, CELLS);
		expect(words(progress)).toBe("opened, 2 of 3 cells run");
		expect(words(cellRan(progress, LESSON, "b", CELLS))).toBe("finished");
	});

	it("counts a cell once, and no cell that the lesson has lost", () => {
		let progress = cellRan(cellRan({}, LESSON, "a", CELLS), LESSON, "a", CELLS);
		progress = cellRan(progress, LESSON, "my own", [...CELLS, "my own"]);
		expect(words(progress)).toBe("opened, 1 of 3 cells run");
	});

	it("stays finished when the lesson grows", () => {
		const progress = CELLS.reduce<Progress>((before, cell) => cellRan(before, LESSON, cell, CELLS), {});
		expect(words(progress, [...CELLS, "d"])).toBe("finished");
		expect(words(cellRan(progress, LESSON, "d", [...CELLS, "d", "e"]), [...CELLS, "d", "e"])).toBe("finished");
	});

	it("is the same record when nothing changes, so that nothing is saved", () => {
		const progress = cellRan({}, LESSON, "a", CELLS);
		expect(opened(progress, LESSON)).toBe(progress);
		expect(cellRan(progress, LESSON, "a", CELLS)).toBe(progress);
	});

	it("finishes when the last missing cell is deleted and another one is run again", () => {
		const progress = cellRan(cellRan({}, LESSON, "a", CELLS), LESSON, "b", CELLS);
		expect(words(cellRan(progress, LESSON, "b", ["a", "b"]), ["a", "b"])).toBe("finished");
	});

	it("keeps lessons apart, and a lesson without code is only opened", () => {
		const progress = opened(cellRan({}, LESSON, "a", ["a"]), "02-words.ipynb");
		expect(words(progress, ["a"])).toBe("finished");
		expect(stateWords(stateOf(progress, "02-words.ipynb", []))).toBe("opened");
	});

	it("takes from storage what fits", () => {
		const kept = { [LESSON]: { ran: ["a", 3], finished: true }, "02.ipynb": { ran: "no" }, "03.ipynb": "no", "04.ipynb": null };
		expect(decodeProgress(kept)).toEqual({ [LESSON]: { ran: ["a"], finished: true }, "02.ipynb": { ran: [], finished: false } });
		for (const nothing of [undefined, null, 3, "text"]) expect(decodeProgress(nothing)).toEqual({});
	});
});
