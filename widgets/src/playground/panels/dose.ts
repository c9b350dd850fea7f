// How much steering does what: the probability of some tokens at each strength, beside random directions.
import { freshId, h, listen, setShown, setText } from "../../lib/dom";
import { number, quoted, short, shown, signed } from "../../lib/words";
import type { Context, Panel } from "../context";
import { doseScale, type DoseScale, drawDose } from "../draw/dose";
import { same } from "../same";
import type { Dose } from "../types";

const [WIDEST, TALL] = [720, 190];

export function dosePanel(context: Context): Panel {
	const { signal } = context;
	const title = h("h3");
	const note = h("p", { class: "ck-note", "data-test": "dose-note" });
	const picture = h("div", { class: "ck-dose", role: "img", "data-test": "dose" });
	const pick = h("select", { id: freshId("token"), "data-test": "dose-token" });
	const key = h("p", { class: "ck-key" }, h("span", { class: "ck-swatch ck-chance", "aria-hidden": "true" }), h("span"), h("label", { for: pick.id }, "also look at"), pick);
	const table = h("div", { class: "ck-table", tabindex: 0, role: "group", "aria-label": "Table of strengths" });
	const more = h("details", { class: "ck-more", "data-test": "dose-table" }, h("summary", {}, "Show as table, set a strength"), table);
	const el = h("section", { class: "ck-band ck-dose-panel", "aria-label": "Dose and response", hidden: true }, title, note, picture, key, more);
	let now: Dose | null = null;
	let scale: DoseScale | null = null;
	let listed: unknown = null;

	const set = (strength: number) => {
		let first = true;
		context.commit({
			setup: context.state.setup.map((entry) => {
				if (entry.intervention !== "Steer" || !first) return entry;
				first = false;
				return { ...entry, strength, kl: null };
			}),
		});
	};
	listen(picture, "click", (event) => {
		if (!scale || !now) return;
		const step = Math.abs(now.doses.at(-1) ?? 1) > 2 ? 0.5 : 0.05;
		set(Number((Math.round(scale.dose(event.clientX - picture.getBoundingClientRect().left) / step) * step).toFixed(2)));
	}, signal);
	listen(pick, "change", () => context.setOptions("dose", { token: pick.value === "" ? null : Number(pick.value) }), signal);

	const draw = () => {
		if (!now || now.note) return;
		const room = el.clientWidth ? el.clientWidth - 32 : WIDEST;
		scale = doseScale(now, Math.max(260, Math.min(WIDEST, room)), TALL);
		picture.replaceChildren(drawDose(now, scale, (token) => short(shown(token), 12)));
	};
	const results = () => {
		const steers = context.state.setup.some((entry) => entry.intervention === "Steer");
		const dose = context.model.get("dose");
		setShown(el, steers && dose !== null);
		if (!steers || !dose) return;
		el.classList.toggle("ck-stale", context.old(dose));
		if (dose === now) return;
		now = dose;
		for (const part of [picture, key, more]) setShown(part, !dose.note);
		setText(note, dose.note || sentence(dose));
		setText(title, dose.note ? "Dose and response" : `Dose and response · ${dose.name}`);
		if (dose.note) return;
		picture.setAttribute("aria-label", sentence(dose));
		setText(key.children[1]!, dose.random ? `${dose.random} random ${dose.random === 1 ? "direction" : "directions"} as long, lowest to highest. A click sets the strength.` : "random directions follow. A click sets the strength.");
		const chosen = context.options("dose").token ?? null;
		if (!same(listed, dose.offered)) pick.replaceChildren(h("option", { value: "" }, "…"), ...dose.offered.map((one) => h("option", { value: one.id }, shown(one.token))));
		listed = dose.offered;
		pick.value = chosen === null ? "" : String(chosen);
		table.replaceChildren(build(dose, set, signal));
		draw();
	};
	return { el, results, state: results, resized: draw };
}

/** The curve in words: where it starts, where it is, and what chance does. */
export function sentence(dose: Dose): string {
	const [zero, at] = [dose.doses.indexOf(0), dose.doses.indexOf(dose.at)];
	return dose.tokens
		.slice(0, 2)
		.map((token) => {
			const chance = token.low && token.high ? `; along random directions ${number(token.low[at] ?? 0)} to ${number(token.high[at] ?? 0)}` : "";
			return `${quoted(token.token)} ${number(token.values[zero] ?? 0)} at strength 0, ${number(token.values[at] ?? 0)} at ${signed(dose.at, 2)}${chance}.`;
		})
		.join(" ");
}

function build(dose: Dose, set: (strength: number) => void, signal: AbortSignal): HTMLTableElement {
	const names = ["strength", ...dose.tokens.flatMap((token) => [shown(token.token), "random"])];
	const rows = dose.doses.map((one, i) => {
		const button = h("button", { type: "button", class: "ck-link", "data-test": `dose-${i}`, "aria-label": `Set the strength to ${signed(one, 2)}` }, signed(one, 2));
		listen(button, "click", () => set(one), signal);
		const values = dose.tokens.flatMap((token) => [h("td", {}, (token.values[i] ?? 0).toFixed(4)), h("td", { class: "ck-mute" }, token.low && token.high ? `${(token.low[i] ?? 0).toFixed(4)} to ${(token.high[i] ?? 0).toFixed(4)}` : "")]);
		return h("tr", { class: one === dose.at ? "ck-present" : null }, h("th", { scope: "row" }, button), ...values);
	});
	return h("table", {}, h("caption", {}, `Probability of the next token, op ${dose.op}`), h("thead", {}, h("tr", {}, ...names.map((name) => h("th", { scope: "col" }, name)))), h("tbody", {}, ...rows));
}
