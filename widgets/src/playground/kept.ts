// What was visited, over a reload of the page: the browser keeps it for this tab, and what is alike only once.
import type { Visit } from "./history";
import type { PlayState } from "./types";

const MOST = 200_000; // letters: the oldest are let go
const PREFIX = "ctkit-history-";

export interface Visits {
	all: Visit[];
	now: number;
}

/** Keeps what was visited; less than two visits are none. */
export function keep(key: string, visits: Visits): void {
	try {
		if (visits.all.length > 1) sessionStorage.setItem(PREFIX + key, packed(visits));
		else forget(key);
	} catch {
		forget(key); // no room, or no storage on this page
	}
}

/** What was kept, or null. */
export function kept(key: string): Visits | null {
	try {
		return unpacked(sessionStorage.getItem(PREFIX + key) ?? "");
	} catch {
		return null;
	}
}

export function forget(key: string): void {
	try {
		sessionStorage.removeItem(PREFIX + key);
	} catch {
		// no storage on this page
	}
}

/** A text of at most so many letters, or the present visit and what came after it. */
export function packed({ all, now }: Visits, most = MOST): string {
	const parts = new Map<string, number>();
	const told: [string, number[]][] = [];
	let letters = 0;
	for (let i = all.length - 1; i >= 0 && (letters < most || i >= now); i--) {
		const { state, words } = all[i]!;
		const own = Object.entries(state).map((part) => JSON.stringify(part));
		letters += words.length + 30 + own.reduce((sum, part) => sum + (parts.has(part) ? 0 : part.length), 0);
		if (letters > most && i < now) break;
		for (const part of own) if (!parts.has(part)) parts.set(part, parts.size);
		told.unshift([words, own.map((part) => parts.get(part)!)]);
	}
	return JSON.stringify({ parts: [...parts.keys()], told, now: now - (all.length - told.length) });
}

export function unpacked(text: string): Visits {
	const { parts, told, now } = JSON.parse(text) as { parts: string[]; told: [string, number[]][]; now: number };
	const states = parts.map((part) => JSON.parse(part) as [string, unknown]);
	const all = told.map(([words, own]) => ({ words, state: Object.fromEntries(own.map((i) => states[i]!)) as unknown as PlayState }));
	return { all, now };
}
