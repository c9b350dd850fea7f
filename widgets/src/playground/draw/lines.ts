// One small line plot: probabilities by layer, grey before and blue after, and a mark at a layer. Vector, so it prints.
import { h } from "../../lib/dom";
import { svg as make } from "../../lib/svg";

const [WIDTH, HEIGHT, EDGE] = [120, 30, 3];

export interface Lines {
	svg: SVGElement;
	/** Where the numbers of the chosen layer stand. */
	value: HTMLElement;
	pick(layer: number, words: string): void;
}

/** Two lines over the layers; values are probabilities. */
export function lines(before: number[], after: number[] | null): Lines {
	const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", class: "ck-lines", "aria-hidden": "true" });
	const mark = make("line", { y1: 0, y2: HEIGHT, class: "ck-lines-at" });
	const last = Math.max(1, before.length - 1);
	const x = (layer: number) => EDGE + ((WIDTH - 2 * EDGE) * layer) / last;
	const y = (value: number) => EDGE + (HEIGHT - 2 * EDGE) * (1 - value);
	const path = (values: number[]) => values.map((value, layer) => `${x(layer).toFixed(1)},${y(value).toFixed(1)}`).join(" ");
	svg.append(make("line", { x1: 0, x2: WIDTH, y1: y(0), y2: y(0), class: "ck-lines-zero" }), mark);
	svg.append(make("polyline", { points: path(before), class: "ck-lines-before" }));
	if (after) svg.append(make("polyline", { points: path(after), class: "ck-lines-after" }));
	const value = h("span", { class: "ck-value" });
	const pick = (layer: number, words: string) => {
		mark.setAttribute("x1", String(x(layer)));
		mark.setAttribute("x2", String(x(layer)));
		value.textContent = words;
	};
	return { svg, value, pick };
}
