// What is pointed at: from a cell of the matrix to a token of the text and back, and in words. Pure.
import { number, short, signed } from "../lib/words";
import { type Decoded, type Reading, ready } from "./decode";
import { cells } from "./measure";
import { type Look, tabOf, textSide } from "./view";

/** The run whose tokens stand at the matrix. */
export function sideOf(look: Look, frame: Decoded): Reading {
	return tabOf(look) === "after" ? textSide(frame) : frame.before;
}

/** The token of the text that a row of the matrix stands for, or null. */
export function textIndex(look: Look, frame: Decoded, row: number): number | null {
	if (!frame.after || tabOf(look) === "after") return row;
	const at = frame.align[row] ?? -1;
	return at < 0 ? null : at;
}

/** The row of the matrix that stands for the token pointed at, or null. */
export function rowOf(look: Look): number | null {
	const { frame, token } = look;
	if (!frame || token === null) return null;
	if (!frame.after || tabOf(look) === "after") return token < textSide(frame).size ? token : null;
	const at = frame.fold[token] ?? -1;
	return at < 0 ? null : at;
}

/** One cell in words and numbers. */
export function readout(look: Look, frame: Decoded, row: number, column: number): string {
	const tab = tabOf(look);
	const side = sideOf(look, frame);
	const quoted = (token: string | undefined) => `“${short(token ?? "")}”`;
	const names = `${quoted(side.tokens[row])} → ${quoted(side.tokens[column])}`;
	if (!ready(frame, look.layer, look.head)) return `${names} is loading`;
	const square = cells(frame, tab, look.layer, look.head, false);
	const at = row * square.size + column;
	if (tab === "difference" && (frame.align[row] ?? -1) < 0) return `${quoted(side.tokens[row])} is not in the text after`;
	if (!square.open[at]) return `${names} masked`;
	const value = square.values[at] ?? 0;
	const hidden = look.hideFirst && column === 0 ? " (hidden in the picture, not masked)" : "";
	if (tab !== "difference") return `${names} ${number(value)}${hidden}`;
	const old = (frame.before.weights(look.layer, look.head)[at] ?? 0) / 255;
	const dropped = square.dropped?.[row] ?? 0;
	return `${names} ${number(old)} → ${number(Math.max(0, old + value))} (${signed(value)})${dropped > 0.005 ? ` · ${number(dropped)} on new tokens` : ""}${hidden}`;
}
