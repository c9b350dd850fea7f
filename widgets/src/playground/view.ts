// What Python need not know: the chosen head and tab, the token that is pointed at. One value, told to who listens.
import type { Decoded } from "./decode";
import type { Tab } from "./measure";

export interface Look {
	frame: Decoded | null;
	layer: number;
	head: number;
	/** Whether the chosen head follows the one that changed most. */
	follow: boolean;
	/** The tab that was asked for; without an after only "before" can be shown. */
	wanted: Tab;
	hideFirst: boolean;
	zoom: boolean;
	/** A token of the text (of the run after, where there is one). */
	token: number | null;
	locked: boolean;
}

export type Listener = (look: Look, changed: (name: keyof Look) => boolean) => void;

export class View {
	private listeners: Listener[] = [];
	look: Look = { frame: null, layer: 0, head: 0, follow: true, wanted: "difference", hideFirst: false, zoom: false, token: null, locked: false };

	on(listener: Listener): void {
		this.listeners.push(listener);
	}

	set(part: Partial<Look>): void {
		const old = this.look;
		const next = { ...old, ...part };
		const changed = (name: keyof Look) => old[name] !== next[name];
		if (!(Object.keys(part) as (keyof Look)[]).some(changed)) return;
		this.look = next;
		for (const listener of this.listeners) listener(next, changed);
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
