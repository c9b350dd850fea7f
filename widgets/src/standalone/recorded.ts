// A playground without a kernel: setups whose results were recorded, found again when a switch asks for them.
import type { Command, Dose, Frame, Model, PlayState, Population, Entry, State, Steps } from "../playground/types";

/** What was recorded for one setup. */
export interface Recording {
	setup: Entry[];
	frame: Frame;
	dose?: Dose | null;
	lens?: State["lens"];
	generated?: State["generated"];
	steps: Steps | null;
	population: Population | null;
	code: string;
}

export interface Recorded {
	catalog: State["catalog"];
	state: PlayState;
	recordings: Recording[];
}

/** A model whose answers are recordings: it follows the switches as far as they were recorded, and says where not. */
export class RecordedModel implements Model {
	private traits: State;
	private listeners = new Map<string, Set<() => void>>();

	constructor(private recorded: Recorded) {
		const { catalog, state } = recorded;
		this.traits = { panels: null, options: {}, catalog, state, seq: 0, frame: null, detail: null, dose: null, lens: null, generated: null, steps: null, population: null, status: { busy: [], message: "" }, error: null, code: "" };
		this.answer();
	}

	get<K extends keyof State>(name: K): State[K] {
		return this.traits[name];
	}

	set<K extends keyof State>(name: K, value: State[K]): void {
		this.traits[name] = value;
	}

	save_changes(): void {
		this.answer();
	}

	send(message: Command): void {
		if (message.type === "head") this.refuse("a head in detail");
		else if (message.type !== "stop") this.refuse("another problem");
	}

	on(event: string, listener: () => void): void {
		const all = this.listeners.get(event) ?? new Set();
		this.listeners.set(event, all.add(listener));
	}

	off(event: string, listener: () => void): void {
		this.listeners.get(event)?.delete(listener);
	}

	private answer(): void {
		const { state, seq } = this.traits;
		const same = state !== null && JSON.stringify(state.prompt) === JSON.stringify(this.recorded.state.prompt);
		const found = same ? this.recorded.recordings.find((one) => matches(one.setup, state.setup)) : undefined;
		if (!found) return this.refuse(same ? "this combination of switches" : "another text");
		const { frame, dose, lens, generated, steps, population, code } = found;
		this.traits = { ...this.traits, frame: { ...frame, seq }, dose: dose ? { ...dose, seq } : null, lens: lens ? { ...lens, seq } : null, generated: generated ? { ...generated, seq } : null, steps: steps && { ...steps, seq }, population: population && { ...population, seq }, code, error: null };
		this.tell("frame", "dose", "lens", "generated", "steps", "population", "code", "error");
	}

	private refuse(asked: string): void {
		const told = this.recorded.recordings.map((one) => one.setup.map((entry) => entry.intervention).join(" + ") || "nothing");
		this.traits.error = { asked, found: "a page without a model behind it, with recorded results only", remedy: `one of the recorded settings: ${told.join(", ")}` };
		this.tell("error");
	}

	private tell(...names: (keyof State)[]): void {
		for (const name of names) for (const listener of this.listeners.get(`change:${name}`) ?? []) listener();
	}
}

/** Whether a recorded setup is what was asked for: what is asked may leave fields at their defaults out. */
export function matches(recorded: Entry[], asked: Entry[]): boolean {
	if (recorded.length !== asked.length) return false;
	return asked.every((entry, i) => Object.entries(entry).every(([name, value]) => JSON.stringify(recorded[i]?.[name] ?? null) === JSON.stringify(value ?? null)));
}

/** Recorded JSON with its bytes opened: `{"$bytes": base64}` becomes a DataView. */
export function opened(text: string): Recorded {
	return JSON.parse(text, (_, value: unknown) => {
		if (value === null || typeof value !== "object" || !("$bytes" in value) || typeof value.$bytes !== "string") return value;
		const raw = atob(value.$bytes);
		return new DataView(Uint8Array.from(raw, (letter) => letter.charCodeAt(0)).buffer);
	}) as Recorded;
}
