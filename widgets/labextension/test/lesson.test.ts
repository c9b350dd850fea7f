import { describe, expect, it } from "vitest";

import { codeCells, isLesson, lessonOf, sorted } from "../src/lesson";

const cell = (cell_type: string, id: string, source: unknown) => ({ cell_type, id, source });

describe("lessons", () => {
	it("are the notebooks with a number, in the order of their numbers", () => {
		const names = ["10-last.ipynb", "2-second.ipynb", "01-first.ipynb", "playground.ipynb", "03-third.py", "INDEX.md", "04-x.ipynb.txt"];
		expect(sorted(names.filter(isLesson))).toEqual(["01-first.ipynb", "2-second.ipynb", "10-last.ipynb"]);
	});

	it("are called what their first heading says", () => {
		const cells = [cell("code", "a", "# no heading"), cell("markdown", "b", ["Some words\n", "# 1 · The *causal* `mask` #\n", "more"]), cell("markdown", "c", "# Later")];
		expect(lessonOf("notebooks/01-x.ipynb", { cells })).toEqual({ name: "01-x.ipynb", path: "notebooks/01-x.ipynb", title: "1 · The causal mask", cells: ["a"] });
	});

	it("are called after their file where there is no heading", () => {
		expect(lessonOf("n/02-think_out-loud.ipynb", { cells: [cell("markdown", "a", "## small")] }).title).toBe("2 · Think out loud");
		expect(lessonOf("07.ipynb", null).title).toBe("07.ipynb");
	});

	it("count only code cells that hold something", () => {
		expect(codeCells({ cells: [cell("code", "a", "1"), cell("code", "b", " \n"), cell("markdown", "c", "x"), cell("code", "d", ["x\n", "y"])] })).toEqual(["a", "d"]);
	});

	it("may be anything: nothing is thrown", () => {
		for (const content of [null, 3, "text", {}, { cells: 3 }, { cells: [null, 3, {}, { cell_type: "markdown", source: 4 }] }]) {
			expect(lessonOf("01-odd.ipynb", content)).toMatchObject({ title: "1 · Odd", cells: [] });
		}
	});
});
