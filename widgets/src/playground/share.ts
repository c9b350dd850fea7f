// A state as JSON that can be sent to somebody; `received` takes it back. Pure.
import type { Json, PlayState } from "./types";

export const VERSION = 1;

export type Options = { [panel: string]: { [name: string]: Json } };

/** The state with the panels' own settings, and the name of the model it was seen on. */
export function toJson(state: PlayState, options: Options, model: string): string {
	return JSON.stringify({ ctkit: VERSION, model, ...state, options }, null, 1);
}
