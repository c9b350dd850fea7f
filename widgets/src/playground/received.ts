// A state that somebody sent as JSON, looked at value by value. Pure; of the second script.
import { type Options, VERSION } from "./share";
import type { Entry, PieceText, PlayState } from "./types";

const LONGEST = 4_000_000; // letters
const MOST_PIECES = 64;
const MOST_PROBLEMS = 5_000;

export interface Shared {
	state: PlayState;
	options: Options;
	/** The model that it was seen on, by name; "" where that is not said. */
	model: string;
}

/** The state in a text, or in words why there is none. Interventions are looked at by Python, when they are run. */
export function fromJson(text: string): Shared | { found: string } {
	if (text.length > LONGEST) return { found: `${text.length} letters` };
	let data: unknown;
	try {
		data = JSON.parse(text);
	} catch (error) {
		return { found: `no JSON: ${error instanceof Error ? error.message : String(error)}` };
	}
	if (!isObject(data) || data.ctkit !== VERSION) return { found: "JSON of something else" };
	const { prompt, setup, against = [], task = null, difficulty = null, n = 200, seed = 10_000, options = {} } = data;
	if (!isPrompt(prompt)) return { found: "a prompt that is no list of pieces with names of their own, each with a text" };
	if (!isSetup(setup) || !isSetup(against)) return { found: "a setup that is no list of interventions" };
	if (task !== null && typeof task !== "string") return { found: "a task that is no name" };
	if (difficulty !== null && !whole(difficulty, 0, 1000)) return { found: "a difficulty that is no number" };
	if (!whole(n, 1, MOST_PROBLEMS) || !whole(seed, 0, Number.MAX_SAFE_INTEGER)) return { found: "a number of problems, or a first problem, that cannot be" };
	if (!isObject(options) || !Object.values(options).every(isObject)) return { found: "settings of panels that are none" };
	const pieces = prompt.map(({ name, text: words }) => ({ name, text: words }));
	return { state: { prompt: pieces, setup, against, task, difficulty, n, seed }, options: options as Options, model: typeof data.model === "string" ? data.model : "" };
}

function isObject(value: unknown): value is Record<string, unknown> {
	return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isPrompt(value: unknown): value is PieceText[] {
	if (!Array.isArray(value) || value.length === 0 || value.length > MOST_PIECES) return false;
	if (!value.every((piece) => isObject(piece) && typeof piece.name === "string" && typeof piece.text === "string")) return false;
	return new Set(value.map((piece: PieceText) => piece.name)).size === value.length;
}

function isSetup(value: unknown): value is Entry[] {
	return Array.isArray(value) && value.every((entry) => isObject(entry) && typeof entry.intervention === "string");
}

function whole(value: unknown, least: number, most: number): value is number {
	return Number.isInteger(value) && (value as number) >= least && (value as number) <= most;
}
