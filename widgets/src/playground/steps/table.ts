// All numbers of the steps as a table. Built when it is opened.
import { table } from "../../lib/parts";
import { visible } from "../../lib/words";
import type { Steps } from "../types";
import { changed } from "./row";

export function stepTable(steps: Steps, method: string): HTMLTableElement {
	const found = steps.measures[method];
	const label = steps.methods.find((one) => one.name === method)?.label ?? method;
	const columns: [string, (number | null)[]][] = found ? [["effect", found.scores], ["from", found.low], ["to", found.high], ...(found.before ? ([[steps.outline, found.before]] as [string, (number | null)[]][]) : []), ...Object.entries(found.evaluations)] : [];
	const rows = steps.steps.map((step, i) => [`${i + 1} ${visible(step.text)}`, [step.label, changed(step)].filter(Boolean).join(", "), ...columns.map(([, values]) => values[i]?.toFixed(4) ?? "–")]);
	return table(`Effect of each step: ${label}, with its 95 % interval`, ["step", "label", ...columns.map(([name]) => name)], rows);
}
