// How long a bar is, and how its number reads. Pure.
import { number, signed } from "../../lib/words";
import type { Measured } from "../types";

export interface Scale {
	/** What a full bar stands for. */
	end: number;
	digits: number;
}

/** Effects on a probability end at 1; others (attention received) at their largest, and that is said. */
export function scaleOf(measured: Measured, method: string): Scale {
	const values = [...measured.scores, ...(measured.before ?? [])].flatMap((value) => (value === null ? [] : [Math.abs(value)]));
	const most = Math.max(0, ...values);
	if (most <= 1.0001 && method !== "receiver") return { end: 1, digits: 2 };
	const power = 10 ** Math.floor(Math.log10(most || 1));
	const end = Math.ceil((most || 1) / power) * power;
	return { end, digits: end < 0.2 ? 3 : 2 };
}

/** A share of the track, in per cent. */
export function share(value: number, { end }: Scale): number {
	return 100 * Math.max(0, Math.min(1, value / end));
}

export function shownScore(value: number | null, { digits }: Scale): string {
	if (value === null) return "–";
	if (value < 0) return signed(value, digits);
	return digits === 2 ? number(value) : value.toFixed(digits);
}
