// What went wrong, as text in the picture: what was asked, what was found, what to try.
import { h, setShown } from "../../lib/dom";
import type { Context, Panel } from "../context";
import type { Failure } from "../types";

export function failure(context: Context): Panel & { view(failure: Failure | null): void } {
	let own: Failure | null = null; // what the view itself could not do
	const el = h("div", { class: "ck-error", role: "alert", "data-test": "error", hidden: true });
	const show = (found: Failure | null) => {
		setShown(el, found !== null);
		if (!found) return el.replaceChildren();
		const rows: [string, string][] = [["asked for", found.asked], ["found", found.found], ["try", found.remedy]];
		el.replaceChildren(...rows.filter(([, text]) => text).map(([name, text]) => h("div", {}, h("b", {}, name), h("span", {}, text))));
		if (context.view.look.frame) el.append(h("p", {}, "The picture shows the last run that worked."));
	};
	const results = () => show(own ?? context.model.get("error"));
	const view = (failure: Failure | null) => {
		own = failure;
		results();
	};
	return { el, view, results, hears: ["error"] };
}
