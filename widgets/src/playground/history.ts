// The states that were visited, one of them the present one: undo, redo, go back to any. Shared by all views of a model.
import { forget, keep, kept, type Visits } from "./kept";
import { same } from "./setup";
import type { PlayState } from "./types";

const LONGEST = 100;

/** A state, and in words how it differs from the one before. */
export interface Visit {
	state: PlayState;
	words: string;
}

export class History {
	private all: Visit[];
	private now = 0;
	private tell = new Set<() => void>();

	constructor(state: PlayState, visits: Visits | null = null) {
		this.all = visits?.all ?? [{ state, words: "start" }];
		this.now = visits?.now ?? 0;
	}

	get current(): PlayState {
		return this.all[this.now]!.state;
	}
	get visits(): readonly Visit[] {
		return this.all;
	}
	get at(): number {
		return this.now;
	}
	get canUndo(): boolean {
		return this.now > 0;
	}
	get canRedo(): boolean {
		return this.now < this.all.length - 1;
	}

	/** Takes a new state, and whether it is one; `announce` it when it is sent. What was undone is forgotten. */
	push(state: PlayState, words: string): boolean {
		if (same(state, this.current)) return false;
		this.all = [...this.all.slice(0, this.now + 1), { state, words }].slice(-LONGEST);
		this.now = this.all.length - 1;
		return true;
	}

	/** Goes to a state that was visited; null where there is none, or it is the present one. */
	go(to: number): PlayState | null {
		if (to === this.now || !this.all[to]) return null;
		this.now = to;
		return this.current;
	}

	/** Calls back after every announcement, until the signal. */
	on(listener: () => void, signal: AbortSignal): void {
		this.tell.add(listener);
		signal.addEventListener("abort", () => this.tell.delete(listener));
	}

	/** Whether a view shows it. */
	get watched(): boolean {
		return this.tell.size > 0;
	}

	/** Tells every view. */
	announce(): void {
		for (const listener of this.tell) listener();
	}
}

const shared = new Map<string, History>();

/** The history of a model: by its key, so that two views of one object have one, also after the page was loaded anew.
 * Without a key, a history of its own. */
export function historyOf(key: string, state: PlayState): History {
	if (!key) return new History(state);
	const known = shared.get(key);
	if (known) return known;
	const made = new History(state, kept(key));
	shared.set(key, made);
	addEventListener("pagehide", () => (made.watched ? keep(key, { all: [...made.visits], now: made.at }) : forget(key)));
	return made;
}
