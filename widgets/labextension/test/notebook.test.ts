import { describe, expect, it } from "vitest";

import { freeName, playgroundCode, playgroundNotebook, pythonKernel } from "../src/notebook";

const spec = (name: string, language = "python") => ({ name, language, display_name: name.toUpperCase() });

describe("the notebook behind the card", () => {
	it("never takes a name that is there", () => {
		expect(freeName([])).toBe("playground.ipynb");
		expect(freeName(["playground.ipynb", "playground-3.ipynb"])).toBe("playground-2.ipynb");
		expect(freeName(["playground.ipynb", "playground-2.ipynb"])).toBe("playground-3.ipynb");
	});

	it("names the model of the settings, as Python reads it", () => {
		expect(playgroundCode("tiny")).toBe("ct.Playground()");
		expect(playgroundCode('a "folder"\\here\n')).toBe('ct.Playground(ct.load("a \\"folder\\"\\\\here\\n"))');
	});

	it("runs on Python", () => {
		expect(pythonKernel([spec("ir", "R"), spec("conda", "Python"), spec("python3")])?.name).toBe("python3");
		expect(pythonKernel([spec("ir", "R"), spec("conda", "Python")])?.name).toBe("conda");
		expect(pythonKernel([spec("ir", "R")])).toBeNull();
	});

	it("has two cells with ids and names its kernel", () => {
		const book = playgroundNotebook("tiny", spec("python3"));
		expect(book).toMatchObject({ nbformat: 4, nbformat_minor: 5, metadata: { kernelspec: { name: "python3", display_name: "PYTHON3" } } });
		expect((book.cells as { id: string; source: string }[]).map(({ id, source }) => [id, source])).toEqual([
			["import", "import ctkit as ct"],
			["playground", "ct.Playground()"],
		]);
	});
});
