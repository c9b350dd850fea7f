// What makes a notebook a lesson: its name, its title, its code cells, its place in the list. Pure.

export interface Lesson {
	readonly name: string; // of the file
	readonly path: string;
	readonly title: string;
	readonly cells: readonly string[]; // ids of the code cells
}

/** A lesson is a notebook whose name begins with a number; a learner's own notebooks lie beside them. */
export function isLesson(name: string): boolean {
	return /^\d.*\.ipynb$/.test(name);
}

const order = new Intl.Collator("en", { numeric: true });

/** The names in the order of their numbers: 2 before 10. */
export function sorted(names: readonly string[]): string[] {
	return [...names].sort(order.compare);
}

/** The lesson in a notebook's content as the server gives it, whatever that holds. */
export function lessonOf(path: string, content: unknown): Lesson {
	const name = path.slice(path.lastIndexOf("/") + 1);
	const cells = cellsOf(content);
	return { name, path, title: titleIn(cells) ?? titleFrom(name), cells: codeCells(content) };
}

/** The ids of the code cells that hold something. */
export function codeCells(content: unknown): string[] {
	return cellsOf(content)
		.filter((cell) => cell.type === "code" && cell.source.trim() !== "" && cell.id !== "")
		.map((cell) => cell.id);
}

interface Cell {
	type: string;
	id: string;
	source: string;
}

function cellsOf(content: unknown): Cell[] {
	const cells = field(content, "cells");
	return Array.isArray(cells) ? cells.map((cell) => ({ type: text(field(cell, "cell_type")), id: text(field(cell, "id")), source: text(field(cell, "source")) })) : [];
}

function titleIn(cells: readonly Cell[]): string | null {
	for (const cell of cells) {
		const heading = cell.type === "markdown" ? cell.source.match(/^#\s+(.+?)\s*#*\s*$/m)?.[1] : undefined;
		if (heading) return heading.replace(/[*_`]/g, "");
	}
	return null;
}

function titleFrom(name: string): string {
	const [, number = "", words = ""] = name.match(/^(\d+)[-_ ]*(.*)\.ipynb$/) ?? [];
	const said = words.replace(/[-_]+/g, " ").trim();
	return said ? `${Number(number)} · ${said[0]!.toUpperCase()}${said.slice(1)}` : name;
}

function field(value: unknown, name: string): unknown {
	return typeof value === "object" && value !== null ? (value as Record<string, unknown>)[name] : undefined;
}

function text(value: unknown): string {
	return Array.isArray(value) ? value.join("") : typeof value === "string" ? value : "";
}
