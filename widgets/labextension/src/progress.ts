// What a learner has done with each lesson: from one record to the next, and to a state. Pure.

/** One lesson: the cells that ran without an error, by id, and whether all had run at some time. */
export interface Done {
	readonly ran: readonly string[];
	readonly finished: boolean;
}

/** The name of a lesson's file → what was done there. A lesson that was never opened is not in it. */
export type Progress = Readonly<Record<string, Done>>;

export type State = { readonly kind: "new" } | { readonly kind: "opened"; readonly ran: number; readonly of: number } | { readonly kind: "finished" };

/** The record after the lesson was opened. */
export function opened(progress: Progress, name: string): Progress {
	return name in progress ? progress : { ...progress, [name]: { ran: [], finished: false } };
}

/** The record after a cell of the lesson ran; `cells` are the code cells the lesson has now. Finished stays finished. */
export function cellRan(progress: Progress, name: string, cell: string, cells: readonly string[]): Progress {
	const before = progress[name] ?? { ran: [], finished: false };
	const ran = before.ran.includes(cell) ? before.ran : [...before.ran, cell];
	const finished = before.finished || (cells.length > 0 && cells.every((id) => ran.includes(id)));
	if (ran === before.ran && finished === before.finished) return opened(progress, name);
	return { ...progress, [name]: { ran, finished } };
}

/** Where the learner stands with a lesson that has these code cells. */
export function stateOf(progress: Progress, name: string, cells: readonly string[]): State {
	const done = progress[name];
	if (!done) return { kind: "new" };
	if (done.finished) return { kind: "finished" };
	return { kind: "opened", ran: cells.filter((id) => done.ran.includes(id)).length, of: cells.length };
}

/** The state in words. */
export function stateWords(state: State): string {
	if (state.kind === "new") return "not started";
	if (state.kind === "finished") return "finished";
	return state.of ? `opened, ${state.ran} of ${state.of} cells run` : "opened";
}

/** A record as it was stored; what does not fit is left out. */
export function decodeProgress(data: unknown): Progress {
	const progress: Record<string, Done> = {};
	if (typeof data !== "object" || data === null) return progress;
	for (const [name, done] of Object.entries(data as Record<string, unknown>)) {
		if (typeof done !== "object" || done === null) continue;
		const { ran, finished } = done as Record<string, unknown>;
		progress[name] = { ran: Array.isArray(ran) ? ran.filter((id): id is string => typeof id === "string") : [], finished: finished === true };
	}
	return progress;
}
