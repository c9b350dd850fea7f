// The dose-response curve as SVG: a line a token, a grey band for random directions, a mark at the present strength.
import { svg } from "../../lib/svg";
import { signed } from "../../lib/words";
import { scaleEnd } from "../measure";
import type { Dose, DoseToken } from "../types";

export interface DoseScale {
	width: number;
	height: number;
	x(dose: number): number;
	y(probability: number): number;
	/** The dose at a place of the picture. */
	dose(x: number): number;
	end: number;
}

const [LEFT, RIGHT, TOP, BOTTOM] = [34, 96, 8, 22];
const LINES = ["ck-was", "ck-is", "ck-other"]; // likeliest before, likeliest after, any other

/** Where doses and probabilities stand in a picture of this size. */
export function doseScale(dose: Dose, width: number, height: number): DoseScale {
	const [low, high] = [dose.doses[0] ?? 0, dose.doses.at(-1) ?? 1];
	const span = high - low || 1;
	const end = scaleEnd(Math.max(0.02, ...dose.tokens.flatMap((token) => [...token.values, ...(token.high ?? [])])));
	return {
		width,
		height,
		end,
		x: (value) => LEFT + ((value - low) / span) * (width - LEFT - RIGHT),
		y: (value) => TOP + (1 - value / end) * (height - TOP - BOTTOM),
		dose: (x) => Math.max(low, Math.min(high, low + ((x - LEFT) / (width - LEFT - RIGHT)) * span)),
	};
}

export function drawDose(dose: Dose, scale: DoseScale, label: (token: string) => string): SVGElement {
	const picture = svg("svg", { width: scale.width, height: scale.height, viewBox: `0 0 ${scale.width} ${scale.height}` });
	const { x, y, end } = scale;
	const [low, high] = [dose.doses[0] ?? 0, dose.doses.at(-1) ?? 1];
	for (const value of [0, end / 2, end]) picture.append(line("ck-dose-grid", x(low), y(value), x(high), y(value)), text("ck-dose-tick", LEFT - 6, y(value) + 4, String(value), "end"));
	for (const value of [low, low / 2, 0, high / 2, high].filter((one, i, all) => all.indexOf(one) === i && one >= low)) picture.append(text("ck-dose-tick", x(value), scale.height - 6, value === 0 ? "0" : signed(value, Number.isInteger(value) ? 0 : 1), "middle"));
	if (low < 0) picture.append(line("ck-dose-zero", x(0), TOP, x(0), scale.height - BOTTOM));
	for (const token of dose.tokens) picture.append(...band(dose, token, scale));
	dose.tokens.forEach((token, i) => picture.append(svg("polyline", { class: `ck-curve ${LINES[Math.min(i, 2)]}`, points: dose.doses.map((one, at) => `${x(one).toFixed(1)},${y(token.values[at] ?? 0).toFixed(1)}`).join(" ") })));
	picture.append(line("ck-dose-at", x(dose.at), TOP, x(dose.at), scale.height - BOTTOM));
	const at = dose.doses.indexOf(dose.at);
	dose.tokens.forEach((token, i) => picture.append(svg("circle", { class: `ck-dot-${LINES[Math.min(i, 2)]}`, cx: x(dose.at), cy: y(token.values[at] ?? 0), r: 3.5 })));
	ends(dose, scale).forEach(({ token, i, at: place }) => picture.append(text(`ck-dose-name ${LINES[Math.min(i, 2)]}`, x(high) + 8, place + 4, label(token.token), "start")));
	return picture;
}

/** Names at the ends of the lines, pushed apart where they would touch. */
function ends(dose: Dose, scale: DoseScale): { token: DoseToken; i: number; at: number }[] {
	const names = dose.tokens.map((token, i) => ({ token, i, at: scale.y(token.values.at(-1) ?? 0) })).sort((a, b) => a.at - b.at);
	let last = -Infinity;
	for (const name of names) last = name.at = Math.max(name.at, last + 14);
	const over = last - (scale.height - BOTTOM);
	if (over > 0) for (const name of names) name.at -= over;
	return names;
}

function band(dose: Dose, token: DoseToken, { x, y }: DoseScale): SVGElement[] {
	const { low, high } = token;
	if (!low || !high) return [];
	const above = dose.doses.map((one, i) => `${x(one).toFixed(1)},${y(high[i] ?? 0).toFixed(1)}`);
	const below = dose.doses.map((one, i) => `${x(one).toFixed(1)},${y(low[i] ?? 0).toFixed(1)}`).reverse();
	return [svg("polygon", { class: "ck-band-of-chance", points: [...above, ...below].join(" ") })];
}

function line(name: string, x1: number, y1: number, x2: number, y2: number): SVGElement {
	return svg("line", { class: name, x1, y1, x2, y2 });
}

function text(name: string, x: number, y: number, words: string, anchor: string): SVGElement {
	const made = svg("text", { class: name, x, y, "text-anchor": anchor });
	made.textContent = words;
	return made;
}
