// Which panels there are and where each stands. A view names the ones it wants; one more panel is one more line here.
import { h } from "../../lib/dom";
import type { Context, Panel } from "../context";
import { beginnings } from "./about";
import { attention } from "./attention";
import { dosePanel } from "./dose";
import { codeBox, footer } from "./footer";
import { generated } from "./generated";
import { header } from "./header";
import { lens } from "./lens";
import { nextTokens } from "./next";
import { painter } from "./painter";
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
	painter: { area: "below", alone: "columns", make: painter },
	generated: { area: "below", make: generated },
	dose: { area: "below", make: dosePanel },
	steps: { area: "below", make: stepsPanel },
	population: { area: "below", make: population },
	code: { area: "below", make: codeBox },
	footer: { area: "below", make: footer },
};

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
