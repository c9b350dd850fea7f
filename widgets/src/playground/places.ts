// Places in the prompt on show, to choose from: its pieces, its readings, its sentences. Pure.
import { applies, type Setting } from "./entry";
import type { Decoded } from "./decode";
import { same } from "./same";
import type { Field, Json, PieceText, Switch } from "./types";
import { textSide } from "./view";

export interface Place {
	label: string;
	value: string;
}

const MOST = 24; // sentences
const LONGEST = 34; // letters of a label

/** Pieces with tokens, as the model reads them now (with what was switched on). */
export function pieceNames(frame: Decoded | null, prompt: PieceText[]): string[] {
	return frame ? textSide(frame).pieces.filter((piece) => piece.origin !== "phrase").map((piece) => piece.name) : prompt.filter((piece) => piece.text.trim()).map((piece) => piece.name);
}

/** What a place can be: a piece, a reading, everything, or a sentence by its words. */
export function placesOf(frame: Decoded | null, prompt: PieceText[]): Place[] {
	const names = pieceNames(frame, prompt).map((name) => ({ label: name, value: name }));
	const readings = frame ? Math.max(1, ...textSide(frame).pieces.map((piece) => piece.reading)) : 1;
	const again = readings < 2 ? [] : Array.from({ length: readings }, (_, i) => ({ label: `reading ${i + 1}`, value: `reading ${i + 1}` }));
	const said = prompt.flatMap((piece) => piece.text.match(/[^.!?\n]+[.!?]*/g) ?? []).map((words) => words.trim());
	const sentences = [...new Set(said)].filter((words) => words.length > 2 && !prompt.some((piece) => piece.text.trim() === words)).slice(0, MOST);
	return [...names, ...again, { label: "all tokens", value: "all" }, ...sentences.map((words) => ({ label: `“${short(words)}”`, value: words }))];
}

/** A setting whose places are in the prompt: what the catalog offers and the prompt has not becomes what it has. `typed`:
 * its pieces before anything was switched on, for what can only be one of those. */
export function fitted(one: Switch, setting: Setting, pieces: string[], typed = pieces): Setting {
	const values: Record<string, Json> = { ...setting.values };
	for (const field of one.fields) {
		const value = values[field.name] ?? null;
		const names = field.type === "place" && field.whole ? typed : pieces;
		const text = names.filter((name) => name !== "cue");
		const [first, last] = [text[0] ?? names[0], text.at(-1) ?? names[0]];
		if (first === undefined || last === undefined) continue;
		if (!applies(field, values) || !same(value, field.value)) continue;
		const gone = (name: Json) => typeof name === "string" && name !== "all" && !names.includes(name);
		if (field.type === "place" && gone(value)) values[field.name] = last;
		if ((field.type === "pair" || field.type === "places") && Array.isArray(value) && value.some(gone)) values[field.name] = field.type === "pair" ? [first, last] : text;
	}
	return { ...setting, values };
}

/** A setting of another prompt: places that this one does not have are the catalog's again; `gone` are their fields.
 * `names` of pieces, and all the `words`. A place that may be there stays: Python says where it is not. */
export function returned(one: Switch, setting: Setting, names: string[], words: string): { setting: Setting; gone: Field[] } {
	const values = { ...setting.values };
	const here = (place: Json): boolean => {
		if (typeof place !== "string" || /^(all|prompt|generated|reading \d+)$/.test(place)) return true;
		return words.includes(place) || names.includes(place.replace(/^(every|after|before) | \(\d+\)$/g, ""));
	};
	const gone = one.fields.filter(({ name, type, value }) => {
		const there = !/^pl|^pair/.test(type) || same(values[name] ?? null, value) || [values[name] ?? null].flat().every(here); // place, pair, places
		if (!there) values[name] = value;
		return !there;
	});
	return { setting: { ...setting, values }, gone };
}

export function short(words: string): string {
	const letters = [...words];
	return letters.length <= LONGEST ? words : `${letters.slice(0, LONGEST - 1).join("")}…`;
}
