// Undo and redo of whole states. Pure but for the two stacks.
import { same } from "./setup";
import type { PlayState } from "./types";

const LONGEST = 200;

export class History {
	private past: PlayState[] = [];
	private future: PlayState[] = [];
	constructor(private now: PlayState) {}

	get current(): PlayState {
		return this.now;
	}
	get canUndo(): boolean {
		return this.past.length > 0;
	}
	get canRedo(): boolean {
		return this.future.length > 0;
	}

	/** Takes a new state; whether it is one. */
	push(state: PlayState): boolean {
		if (same(state, this.now)) return false;
		this.past = [...this.past.slice(1 - LONGEST), this.now];
		this.future = [];
		this.now = state;
		return true;
	}

	/** The state before, or null. */
	undo(): PlayState | null {
		const state = this.past.pop();
		if (!state) return null;
		this.future.push(this.now);
		this.now = state;
		return state;
	}

	/** The state that was undone last, or null. */
	redo(): PlayState | null {
		const state = this.future.pop();
		if (!state) return null;
		this.past.push(this.now);
		this.now = state;
		return state;
	}
}
