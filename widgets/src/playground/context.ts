// What every panel gets: the model's traits to read, one way to change the state, and what only the view knows.
import { readTheme, type Theme } from "../lib/theme";
import { type History, historyOf } from "./history";
import { same } from "./setup";
import { told } from "./told";
import type { Catalog, Command, Json, Model, PlayState, State } from "./types";
import { View } from "./view";

/** ms in which a result may follow a change before the old one is called old. */
export const SOON = 250;
const EMPTY_STATE: PlayState = { prompt: [], setup: [], against: [], task: null, difficulty: null, n: 200, seed: 0 };
const EMPTY_CATALOG: Catalog = { model: { name: "…", n_layers: 0, n_heads: 0, d_model: 0, device: "", dtype: "", context: null }, examples: [], tasks: [], switches: [], choices: { models: [], devices: [], dtypes: [] } };

/** A part of the picture: an element, and what redraws it. */
export interface Panel {
	el: HTMLElement;
	catalog?(): void;
	state?(): void;
	results?(): void;
	/** The traits after whose change `results` is called; left out: after any. A change of the state calls it always. */
	hears?: (keyof State)[];
	theme?(): void;
	resized?(): void;
}

export class Context {
	readonly view = new View();
	readonly history: History;
	private tell: (() => void)[] = [];
	/** Says something aloud: the one live line of the view. */
	say: (words: string) => void = () => {};
	/** What is said before the sentence of the next picture. */
	notice = "";
	/** Called when the state was sent to Python: an answer is due. */
	wrote: () => void = () => {};
	/** Has the picture of a change worked out that is likely to come next. */
	foresee: (part: Partial<PlayState>) => void = () => {};
	/** Copies the code of the state, where a panel shows it. */
	copyCode: () => void = () => {};
	theme: Theme;
	private changed = -Infinity; // when the state last did

	constructor(
		readonly model: Model,
		readonly root: HTMLElement,
		readonly signal: AbortSignal,
	) {
		this.history = historyOf(model.get("key"), this.read());
		this.history.on(() => this.announce(), signal);
		this.follow();
		this.theme = readTheme(root);
	}

	get catalog(): Catalog {
		return this.model.get("catalog") ?? EMPTY_CATALOG;
	}
	get state(): PlayState {
		return this.history.current;
	}

	/** Changes the state: one step of the history, one message to Python with the next number. False where nothing is new. */
	commit(part: Partial<PlayState>, words?: string): boolean {
		const next = { ...this.state, ...part };
		const fresh = this.history.push(next, words ?? told(this.state, next, this.catalog));
		if (fresh) this.write(next);
		return fresh;
	}
	undo(): void {
		this.go(this.history.at - 1);
	}
	redo(): void {
		this.go(this.history.at + 1);
	}
	/** Goes back, or on, to a state that was visited. */
	go(to: number): void {
		const state = this.history.go(to);
		if (state) this.write(state);
	}

	/** Takes over what Python set; whether it is new. */
	follow(): boolean {
		const next = this.read();
		const fresh = this.history.push(next, told(this.state, next, this.catalog));
		if (fresh) this.history.announce();
		return fresh;
	}

	/** A panel's own settings, as far as they were set. */
	options(panel: string): { [name: string]: Json } {
		return this.model.get("options")?.[panel] ?? {};
	}
	/** Changes some of a panel's own settings: no step of the history, and only that panel is measured anew. */
	setOptions(panel: string, part: { [name: string]: Json }): void {
		const all = this.model.get("options") ?? {};
		this.model.set("options", { ...all, [panel]: { ...all[panel], ...part } });
		this.model.save_changes();
	}

	/** Whether a result is of a setting before, and that for so long that it is to be said: most are followed at once, and
	 * what fades and comes back in the same moment only flickers. */
	old(found: { seq: number } | null): boolean {
		return found !== null && found.seq < (this.model.get("seq") ?? 0) && performance.now() - this.changed >= SOON;
	}

	/** Asks Python to do something once. Where there is nothing left to ask, that is said as after a change. */
	send(command: Command): void {
		try {
			this.model.send(command);
		} catch {
			this.wrote();
		}
	}

	/** Calls back after every change of the state, whoever made it. */
	onState(listener: () => void): void {
		this.tell.push(listener);
	}

	private read(): PlayState {
		return { ...EMPTY_STATE, ...(this.model.get("state") ?? {}) };
	}

	private write(state: PlayState): void {
		if (!same(this.model.get("state"), state)) {
			this.model.set("state", state);
			this.model.set("seq", (this.model.get("seq") ?? 0) + 1);
			this.model.save_changes();
			this.wrote();
		}
		this.history.announce();
	}

	private announce(): void {
		this.changed = performance.now();
		for (const listener of this.tell) listener();
	}
}
