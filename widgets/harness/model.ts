// A model without a kernel: traits in a map, listeners, and a record of what was sent.
import type { Command, Detail, Model, Reply, Sent, State } from "../src/playground/types";

type Listener = (reply: Reply, buffers: ArrayBufferView[]) => void;

export class FakeModel implements Model {
	traits: State;
	sent: Command[] = [];
	/** What Python would answer, where it is to answer at all. */
	answers: ((message: Command, frame: Sent | null) => Detail | null) | null = null;
	/** How often the view asked whether somebody is there. */
	pings = 0;
	/** The state that each save_changes would send. */
	saved: Partial<State>[] = [];
	private dirty: Partial<State> = {};
	private listeners = new Map<string, Set<Listener>>();

	constructor(traits: Partial<State>) {
		this.traits = { key: "", loading: null, panels: null, options: null, catalog: null, state: null, seq: 0, frame: null, before: null, detail: null, dose: null, lens: null, generated: null, steps: null, population: null, status: null, error: null, code: "", ...traits };
	}
	get<K extends keyof State>(name: K): State[K] {
		return this.traits[name];
	}
	set<K extends keyof State>(name: K, value: State[K]): void {
		this.dirty[name] = value;
		this.assign(name, value);
	}
	/** What Python does: sets a trait and tells the view. */
	push(part: Partial<State>): void {
		for (const name of Object.keys(part) as (keyof State)[]) this.assign(name, part[name] as State[typeof name]);
	}
	save_changes(): void {
		this.saved.push(this.dirty);
		this.dirty = {};
	}
	send(message: Command): void {
		if (message.type === "ping") this.pings = message.asked;
		else this.sent.push(message);
		const answer = this.answers?.(message, this.traits.frame);
		if (answer) setTimeout(() => this.push({ detail: answer }), 30);
	}
	/** What Python does: says something once. */
	reply(reply: Reply, buffers: ArrayBufferView[] = []): void {
		for (const listener of this.listeners.get("msg:custom") ?? []) listener(reply, buffers);
	}
	/** What a notebook does when the connection to the kernel changes. */
	disconnect(): void {
		for (const listener of this.listeners.get("comm_live_update") ?? []) (listener as () => void)();
	}
	on(event: string, listener: Listener): void {
		const all = this.listeners.get(event) ?? new Set();
		all.add(listener);
		this.listeners.set(event, all);
	}
	off(event: string, listener: Listener): void {
		this.listeners.get(event)?.delete(listener);
	}
	get listening(): number {
		return [...this.listeners.values()].reduce((sum, set) => sum + set.size, 0);
	}

	private assign<K extends keyof State>(name: K, value: State[K]): void {
		this.traits[name] = value;
		for (const listener of this.listeners.get(`change:${name}`) ?? []) (listener as () => void)();
	}
}
