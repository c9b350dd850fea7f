// Reads the lessons from the server's folder. What cannot be read is said in words; the rest is listed.

import type { Contents } from "@jupyterlab/services";

import { said, statusOf } from "./failure";
import { isLesson, type Lesson, lessonOf, sorted } from "./lesson";

export interface Shelf {
	readonly lessons: readonly Lesson[];
	readonly problem: string; // "" where there is none
}

/** A reader that remembers what has not changed: a lesson with its stored pictures can be a megabyte. */
export class LessonFolder {
	constructor(private readonly contents: Contents.IManager) {}

	async read(folder: string): Promise<Shelf> {
		let items: Contents.IModel[];
		try {
			const found = await this.contents.get(folder);
			if (found.type !== "directory") return { lessons: [], problem: `“${folder}” is a file, not a folder of lessons.` };
			items = found.content as Contents.IModel[];
		} catch (error) {
			return { lessons: [], problem: missing(folder, error) };
		}
		const byName = new Map(items.map((item) => [item.name, item]));
		const lessons: Lesson[] = [];
		const problems: string[] = [];
		for (const name of sorted([...byName.keys()].filter(isLesson))) {
			const item = byName.get(name)!;
			try {
				lessons.push(await this.lesson(item));
			} catch (error) {
				lessons.push(lessonOf(item.path, null));
				problems.push(`${name} could not be read: ${said(error)}.`);
			}
		}
		if (!lessons.length) problems.push(`The folder “${folder || "."}” holds no lesson: a notebook whose name begins with a number, as 01-first.ipynb.`);
		return { lessons, problem: problems.join(" ") };
	}

	private async lesson(item: Contents.IModel): Promise<Lesson> {
		const known = this.known.get(item.path);
		if (known?.modified === item.last_modified) return known.lesson;
		const lesson = lessonOf(item.path, (await this.contents.get(item.path, { content: true })).content);
		this.known.set(item.path, { modified: item.last_modified, lesson });
		return lesson;
	}

	private readonly known = new Map<string, { modified: string; lesson: Lesson }>();
}

function missing(folder: string, error: unknown): string {
	if (statusOf(error) === 404) return `There is no folder “${folder}” where this server was started. The command “ctkit lab” opens the course; another folder can be named in Settings → ctkit.`;
	if (statusOf(error) === 403) return `The folder “${folder}” may not be read.`;
	return `The lessons could not be read: ${said(error)}.`;
}
