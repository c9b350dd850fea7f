// Whether a setup is one that is known, and which preset a state is. Pure.
import { same } from "./setup";
import type { Entry, Example, PlayState } from "./types";

/** Whether a known setup is what was asked for: what is asked may leave fields at their defaults out. */
export function matches(known: Entry[], asked: Entry[]): boolean {
	if (known.length !== asked.length) return false;
	return asked.every((entry, i) => Object.entries(entry).every(([name, value]) => same(known[i]?.[name] ?? null, value ?? null)));
}

/** The preset that a state shows: with its setup; or else one with its text, that of before if it can be. */
export function presetOf(state: PlayState, examples: Example[], before: string): Example | null {
	const alike = examples.filter((one) => same(one.pieces, state.prompt));
	return alike.find((one) => matches(one.setup, state.setup)) ?? alike.find((one) => one.id === before) ?? alike[0] ?? null;
}
