// A playground without a kernel: setups whose results were recorded, found again when a switch asks for them.
import { matches } from "../playground/alike";
import { summary } from "../playground/told";
import type { Command, Entry, Frame, Model, PlayState, Reply, State } from "../playground/types";

/** What was recorded for one setup: the picture, the code, and what each part measured, by the name of its trait. */
export interface Recording {
	setup: Entry[];
	frame: Frame;
	code: string;
	results: Partial<State>;
}

export interface Recorded {
	panels: string[] | null;
	catalog: State["catalog"];
	state: PlayState;
	options: State["options"];
	recordings: Recording[];
	left_out?: { setup: Entry[]; found: string }[]; // what did not run when the page was made, and why
}

type Listener = (reply: Reply, buffers: ArrayBufferView[]) => void;
const EMPTY: State = { key: "", panels: null, catalog: null, state: null, options: {}, seq: 0, frame: null, before: null, detail: null, dose: null, lens: null, generated: null, steps: null, population: null, status: { busy: [], message: "" }, loading: null, error: null, code: "" };
const REFUSED: Partial<Record<Command["type"], string>> = { new_problem: "another problem", load_problem: "another problem", load_model: "another model", head: "a head in detail", fit: "a direction of your own", page: "another page" };

/** A model whose answers are recordings: it follows the switches as far as they were recorded, and says where not. */
export class RecordedModel implements Model {
	private traits: State;
	private listeners = new Map<string, Set<Listener>>();

	constructor(private recorded: Recorded) {
		const { panels, catalog, state, options } = recorded;
		this.traits = { ...EMPTY, panels, catalog, state, options };
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
		if (message.type === "ping") this.reply({ type: "pong", asked: message.asked });
		if (message.type === "page") this.reply({ type: "failed", asked: message.asked, found: "this page is one already: the browser can save it" });
		const refused = REFUSED[message.type];
		if (refused) this.refuse(refused);
	}

	on(event: string, listener: Listener): void {
		const all = this.listeners.get(event) ?? new Set();
		this.listeners.set(event, all.add(listener));
	}

	off(event: string, listener: Listener): void {
		this.listeners.get(event)?.delete(listener);
	}

	private answer(): void {
		const { state, seq } = this.traits;
		const told = this.recorded.state;
		if (state === null || JSON.stringify(state.prompt) !== JSON.stringify(told.prompt)) return this.refuse("another text");
		if (JSON.stringify(state.against ?? []) !== JSON.stringify(told.against ?? [])) return this.refuse("another comparison");
		if (["task", "difficulty", "n", "seed"].some((name) => state[name as keyof PlayState] !== told[name as keyof PlayState])) return this.refuse("other fresh problems");
		if (this.otherSteps()) return this.refuse("another thought, or other steps");
		const found = this.recorded.recordings.find((one) => matches(one.setup, state.setup));
		if (!found) return this.refuse("this combination of switches", this.recorded.left_out?.find((one) => matches(one.setup, state.setup))?.found);
		const results = Object.fromEntries(Object.entries(found.results).map(([name, value]) => [name, value && typeof value === "object" ? { ...value, seq } : value])) as Partial<State>;
		this.traits = { ...this.traits, ...results, frame: { ...found.frame, seq }, code: found.code, error: null };
		this.tell("frame", ...(Object.keys(results) as (keyof State)[]), "code", "error");
	}

	/** Whether the steps panel asks for a thought or a grain that was not recorded; it then goes back to what was. */
	private otherSteps(): boolean {
		const [now, had] = [this.traits.options?.steps ?? {}, this.recorded.options?.steps ?? {}];
		const same = ["thought", "by", "pattern"].every((name) => JSON.stringify(now[name] ?? null) === JSON.stringify(had[name] ?? null));
		if (!same) this.traits.options = { ...this.traits.options, steps: { ...had, ...Object.fromEntries(["method", "detail", "matrix"].flatMap((name) => (name in now ? [[name, now[name] ?? null]] : []))) } };
		return !same;
	}

	/** What is not in the page, in words; nothing where everything is. */
	missing(): string {
		const switches = this.recorded.catalog?.switches ?? [];
		return (this.recorded.left_out ?? []).map((one) => `Left out of this page: ${summary(one.setup, switches)} (${one.found}).`).join(" ");
	}

	private refuse(asked: string, found = "a page without a model behind it, with recorded results only"): void {
		const switches = this.recorded.catalog?.switches ?? [];
		const told = this.recorded.recordings.map((one) => summary(one.setup, switches));
		this.traits.error = { asked, found, remedy: `one of the recorded settings: ${told.join(", ")}` };
		this.tell("error");
	}

	private tell(...names: (keyof State)[]): void {
		for (const name of names) for (const listener of this.listeners.get(`change:${name}`) ?? []) (listener as () => void)();
	}

	private reply(reply: Reply): void {
		for (const listener of this.listeners.get("msg:custom") ?? []) listener(reply, []);
	}
}
