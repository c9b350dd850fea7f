// What Python need not know: the chosen head and tab, the token that is pointed at. One value, told to who listens.
import { Heads } from "./asking";
import { coarse } from "./coarse";
import type { Decoded } from "./decode";
import type { Tab } from "./measure";
import type { Detail, Sent } from "./types";
import { type Cut, cut, type Granularity } from "./units";

export interface Look {
	/** The frame as it came, token by token. */
	base: Decoded | null;
	/** The same in the units that are shown: tokens, words, sentences or pieces. */
	frame: Decoded | null;
	cut: Cut | null;
	granularity: Granularity;
	/** Tokens that are shown one by one in a text that is shown in larger units. */
	open: [number, number] | null;
	/** How many heads of a long text have come. */
	arrived: number;
	/** Whether colours grow with the logarithm of a weight. */
	log: boolean;
	/** Whether heads stand in the order in which they changed. */
	sorted: boolean;
	layer: number;
	head: number;
	/** Whether the chosen head follows the one that changed most. */
	follow: boolean;
	/** The tab that was asked for; without an after only "before" can be shown. */
	wanted: Tab;
	hideFirst: boolean;
	zoom: boolean;
	/** A token (or larger unit) of the text, of the run after where there is one. */
	token: number | null;
	locked: boolean;
}

export type Listener = (look: Look, changed: (name: keyof Look) => boolean) => void;

export class View {
	private listeners: Listener[] = [];
	private heads = new Heads();
	look: Look = { base: null, frame: null, cut: null, granularity: "token", open: null, arrived: 0, log: true, sorted: false, layer: 0, head: 0, follow: true, wanted: "difference", hideFirst: false, zoom: false, token: null, locked: false };

	on(listener: Listener): void {
		this.listeners.push(listener);
	}

	set(part: Partial<Look>): void {
		const old = this.look;
		const next = this.inUnits({ ...old, ...part }, old);
		const changed = (name: keyof Look) => old[name] !== next[name];
		if (!(Object.keys(next) as (keyof Look)[]).some(changed)) return;
		this.look = next;
		for (const listener of this.listeners) listener(next, changed);
	}

	/** The picture on show answers a newer question too. */
	renew({ seq, ms, model = 0 }: Sent): void {
		for (const frame of [this.look.base, this.look.frame]) if (frame) Object.assign(frame, { seq, ms, model });
	}

	/** Takes a head of a long text that was asked for. */
	take(detail: Detail | null): void {
		const { base, arrived } = this.look;
		if (base && this.heads.take(detail, base.seq)) this.set({ arrived: arrived + 1 });
	}

	/** The frame in units, where it or the units are new. */
	private inUnits(next: Look, old: Look): Look {
		const { base } = next;
		if (!base || (["base", "granularity", "open", "hideFirst"] as const).every((name) => next[name] === old[name])) return next;
		this.heads.take(null, base.seq);
		if (base !== old.base && next.open && next.open[1] > (base.after ?? base.before).size) next.open = null;
		const units = cut(base, next);
		const frame = coarse(base, units, base.overview ? this.heads.source(units) : undefined);
		const same = base === old.base && old.cut?.key === units.key;
		return same ? next : { ...next, cut: units, frame, ...(base === old.base ? { token: null, locked: false } : {}) };
	}

	/** Points at a token, unless another one is locked. */
	point(token: number | null): void {
		if (!this.look.locked) this.set({ token });
	}

	/** Locks a token, or frees it where it was locked already. */
	lock(token: number): void {
		const { locked, token: old } = this.look;
		if (locked && old === token) this.set({ locked: false });
		else this.set({ token, locked: true });
	}

	/** Frees what was locked; whether anything was. */
	free(): boolean {
		const was = this.look.locked;
		this.set({ locked: false, token: null });
		return was;
	}
}

/** The tab that can be shown. */
export function tabOf(look: Look): Tab {
	return look.frame?.after ? look.wanted : "before";
}

/** The run whose text is shown. */
export function textSide(frame: Decoded): Decoded["before"] {
	return frame.after ?? frame.before;
}
