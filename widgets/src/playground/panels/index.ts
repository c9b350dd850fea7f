// Which panels there are and where each stands. A view names the ones it wants; one more panel is one more line here.
import { h } from "../../lib/dom";
import type { Context, Panel } from "../context";
import { isPainted } from "../paint";
import { beginnings } from "./about";
import { attention } from "./attention";
import { codeBox, footer } from "./footer";
import { generated } from "./generated";
import { header } from "./header";
import { later } from "./later";
import { lens } from "./lens";
import { nextTokens } from "./next";
import { population } from "./population";
import { promptBox } from "./prompt";
import { stepsPanel } from "./steps";
import { switches } from "./switches";
import { text } from "./text";

/** Above: over the whole width. Columns: side by side, in this order. Under: in the column of the panel before. Below:
 * over the whole width again. */
export type Area = "above" | "columns" | "under" | "below";

/** `alone`: where a panel stands in a view that has no switches. */
export const PANELS: Record<string, { area: Area; alone?: Area; make: (context: Context) => Panel }> = {
	header: { area: "above", make: header },
	text: { area: "above", make: textAndBox },
	switches: { area: "columns", make: switches },
	attention: { area: "columns", make: attention },
	next: { area: "columns", make: nextTokens },
	lens: { area: "under", make: lens },
	painter: { area: "below", alone: "columns", make: later(paints, (more) => more.painter) },
	generated: { area: "below", make: generated },
	dose: { area: "below", make: later(steers, (more) => more.dosePanel) },
	steps: { area: "below", make: stepsPanel },
	population: { area: "below", make: population },
	code: { area: "below", make: codeBox },
	footer: { area: "below", make: footer },
};

/** Whether there is something to paint on: a mask that is painted, or a view that is about nothing else. */
function paints(context: Context): boolean {
	return context.model.get("panels")?.includes("switches") === false || isPainted(context.state.setup);
}

/** Whether a response to steering was measured. */
function steers(context: Context): boolean {
	return context.model.get("dose") !== null && context.state.setup.some((entry) => entry.intervention === "Steer");
}

/** The prompt to read, and behind its button the same prompt to edit. */
function textAndBox(context: Context): Panel {
	const box = promptBox(context);
	const read = text(context, box.toggle);
	const begin = beginnings(context);
	const state = () => {
		box.state?.();
		begin.state?.();
	};
	return { el: h("div", {}, read.el, box.el, begin.el), results: read.results, state, catalog: begin.catalog };
}

/** The panels of the playground, for a host that names none. */
export const ALL = Object.keys(PANELS);
