// A thought and its edits, as Python is told of them. Pure.
import { same } from "../same";
import type { PieceText, Steps, StepsOptions, Told } from "../types";

type Thought = NonNullable<StepsOptions["thought"]>;

/** The parts of a thought: each step with what stands before it. With `index`, that step has another text; none where it is empty. */
export function parts(steps: Steps, index = -1, text = ""): string[] {
	const found = steps.steps.flatMap((step, i) => (i === index && text.trim() === "" ? [] : [step.lead + (i === index ? text : step.text)]));
	const last = found.pop();
	return last === undefined ? [] : [...found, last + steps.tail];
}

export function asText(told: Told): string {
	return typeof told === "string" ? told : told.join("");
}

/** The thought with one step changed; null where it is the model's own again. */
export function edited(steps: Steps, prompt: PieceText[], index: number, text: string): Thought | null {
	const now = parts(steps, index, text);
	if (asText(now).trim() === asText(steps.base).trim()) return unedited(steps, prompt);
	return { source: steps.source, prompt, base: steps.base, now };
}

/** The thought up to a step, behind which the model writes on. `told`: what was asked for last, of which an edit may be
 * newer than the steps on show. */
export function begun(steps: Steps, prompt: PieceText[], told: StepsOptions["thought"], index: number): Thought {
	const newer = told && !told.on && Array.isArray(told.now) && same(told.prompt, prompt) ? told.now : parts(steps);
	return { source: steps.source, prompt, base: steps.base, now: newer.slice(0, index + 1), on: true };
}

/** The thought as it was before anybody edited it. */
export function unedited(steps: Steps, prompt: PieceText[]): Thought | null {
	return steps.source === "model" ? null : { source: steps.source, prompt, base: steps.base };
}

/** A thought written by hand, a step a line; null where nothing was written. */
export function written(text: string, prompt: PieceText[]): Thought | null {
	const lines = text.split(/\r?\n/).map((line) => line.trim()).filter(Boolean);
	if (!lines.length) return null;
	return { source: "hand", prompt, base: lines.map((line, i) => (i + 1 < lines.length ? `${line} ` : line)) };
}
