// The switches: on and off by shape, settings under each, a reset where something was changed, and their order.
import { freshId, h, listen, setAttributes, setShown } from "../../lib/dom";
import type { Context, Panel } from "../context";
import { type FieldControl, fieldControl, type FieldOptions } from "../fields/field";
import { blank, writePaint } from "../paint";
import { fitted, pieceNames, placesOf, returned } from "../places";
import { watchSelection } from "../selecting";
import { applies, asOffered, changed, type Controls, fromSetup, initial, isChanged, type Setting, switched, toSetup } from "../setup";
import type { Switch } from "../types";
import { textSide } from "../view";
import { orderList } from "./order";

const RESTS = 60; // ms that a pointer, or the focus, is on a switch until its flip is worked out ahead

export function switches(context: Context): Panel {
	const list = h("div", { class: "ck-switches" });
	const few = h("div");
	const more = h("details", { class: "ck-more", "data-test": "more-switches" }, h("summary", {}, "More switches"), few);
	let controls: Controls = initial([]);
	let rows: Row[] = [];
	let resting = 0;

	const take = (next: Controls) => {
		controls = next;
		if (!context.commit({ setup: toSetup(context.catalog.switches, controls) })) state(); // nothing was new
	};
	const order = orderList(context, take);
	const el = h("section", { class: "ck-panel ck-switch-panel", "aria-label": "Switches" }, h("h3", {}, "Switches"), list, more, order.el);
	const set = (one: Switch, setting: Setting) => take({ ...controls, settings: { ...controls.settings, [one.id]: complete(context, one, setting) } });
	const flipped = (one: Switch, on: boolean) => {
		const old = controls.settings[one.id]!;
		const settings = { ...controls.settings, [one.id]: on ? fresh(context, one, old) : complete(context, one, old) };
		return switched(context.catalog.switches, { ...controls, settings }, one.id, on);
	};
	const flip = (one: Switch, on: boolean) => {
		clearTimeout(resting);
		take(flipped(one, on));
	};
	const rest = (one: Switch | null) => {
		clearTimeout(resting);
		if (!one || one.unsupported !== null) return;
		resting = window.setTimeout(() => {
			const { notice } = context; // it is said of a flip that was done
			const setup = toSetup(context.catalog.switches, flipped(one, !controls.settings[one.id]!.on));
			context.notice = notice;
			context.foresee({ setup });
		}, RESTS);
	};
	context.signal.addEventListener("abort", () => rest(null));
	const draw = () => {
		for (const row of rows) row.draw(controls.settings[row.id]!);
		order.draw(controls);
		if (context.catalog.switches.some((one) => one.more && controls.settings[one.id]?.on)) more.open = true;
	};
	const state = () => {
		controls = fromSetup(context.catalog.switches, context.state.setup, controls);
		draw();
	};
	const listeners: ((words: string) => void)[] = [];
	watchSelection(context, (words) => listeners.forEach((listener) => listener(words)));
	const options = (test: string): FieldOptions => ({
		test,
		layers: context.catalog.model.n_layers,
		heads: context.catalog.model.n_heads,
		signal: context.signal,
		pieces: (typed) => pieceNames(typed ? null : context.view.look.frame, context.state.prompt),
		places: () => placesOf(context.view.look.frame, context.state.prompt),
		onSelected: (listener) => void listeners.push(listener),
		send: (command) => context.send(command),
		id: () => freshId("field"),
	});
	const catalog = () => {
		controls = initial(context.catalog.switches);
		listeners.length = 0;
		rows = context.catalog.switches.map((one) => row(context, one, options, (setting) => set(one, setting), (on) => flip(one, on)));
		rows.forEach(({ el }, i) => {
			for (const event of ["pointerenter", "focusin"] as const) listen(el, event, () => rest(context.catalog.switches[i]!), context.signal);
			for (const event of ["pointerleave", "focusout"] as const) listen(el, event, () => rest(null), context.signal);
		});
		list.replaceChildren(...rows.filter((one) => !one.more).map((one) => one.el));
		few.replaceChildren(...rows.filter((one) => one.more).map((one) => one.el));
		setShown(more, few.childElementCount > 0);
		state();
	};
	context.view.on((_look, isNew) => {
		if (isNew("frame")) draw(); // other pieces to choose from
	});
	return { el, catalog, state };
}

/** A setting as it comes on: what it kept of another prompt is as it was offered, and that is said. */
function fresh(context: Context, one: Switch, old: Setting): Setting {
	const { frame } = context.view.look;
	const { prompt } = context.state;
	const words = [...(frame ? [textSide(frame).tokens.join("")] : []), ...prompt.map((piece) => piece.text)].join("\n");
	const { setting, gone } = returned(one, old, [...pieceNames(frame, prompt), ...pieceNames(null, prompt)], words);
	const made = complete(context, one, setting);
	context.notice = gone.map(({ name, label }) => `${one.label}, ${label}: ${made.values[name]}, as ${old.values[name]} is not in this text. `).join("");
	return made;
}

/** A setting that can run on the prompt on show: with pieces it has, and with paint of its size. */
function complete(context: Context, one: Switch, setting: Setting): Setting {
	const { frame, base } = context.view.look;
	const { prompt } = context.state;
	const here = fitted(one, setting, pieceNames(frame, prompt), pieceNames(null, prompt));
	const paint = one.fields.find((field) => field.type === "paint" && applies(field, here.values));
	if (!paint || here.values[paint.name] || !base) return here;
	return { ...here, values: { ...here.values, [paint.name]: writePaint(blank(textSide(base))) } };
}

interface Row {
	id: string;
	more: boolean;
	el: HTMLElement;
	draw(setting: Setting): void;
}

function row(context: Context, one: Switch, options: (test: string) => FieldOptions, set: (setting: Setting) => void, flip: (on: boolean) => void): Row {
	const { signal } = context;
	const [box, hint] = [freshId("switch"), freshId("hint")];
	const input = h("input", { type: "checkbox", class: "ck-toggle", id: box, "data-test": `switch-${one.id}`, "aria-describedby": hint, disabled: one.unsupported !== null });
	const reset = h("button", { type: "button", class: "ck-link", "data-test": `reset-${one.id}`, "aria-label": `Reset ${one.label}` }, "reset");
	const note = h("div", { class: "ck-hint", id: hint }, one.unsupported === null ? one.hint : `not with this model: ${one.unsupported}`);
	const rest = h("div", { class: "ck-fields" });
	const more = h("details", { class: "ck-more", "data-test": `more-${one.id}` }, h("summary", {}, "more"), rest);
	const fields = h("div", { class: "ck-fields", role: "group", "aria-label": `${one.label}: settings` });
	const el = h("div", { class: `ck-switch${one.unsupported === null ? "" : " ck-unsupported"}` }, input, h("label", { for: box }, one.label), reset, note, fields);

	let now: Setting = asOffered(one);
	const parts: FieldControl[] = one.fields.map((field) => fieldControl(field, options(`${one.id}-${field.name}`), (value) => set(changed(one, now, field, value))));
	fields.append(...parts.filter((_, i) => !one.fields[i]!.more).map((part) => part.el), more);
	rest.append(...parts.filter((_, i) => one.fields[i]!.more).map((part) => part.el));
	listen(input, "change", () => flip(input.checked), signal);
	listen(reset, "click", () => {
		set({ ...asOffered(one), on: now.on });
		input.focus();
	}, signal);

	const draw = (setting: Setting) => {
		now = setting;
		input.checked = setting.on;
		if (one.unsupported !== null) setAttributes(input, { disabled: !setting.on });
		el.classList.toggle("ck-on", setting.on);
		setShown(reset, isChanged(one, setting));
		setShown(fields, setting.on && one.fields.length > 0);
		one.fields.forEach((field, i) => {
			const part = parts[i]!;
			setShown(part.el, applies(field, setting.values));
			if (setting.on) part.show(setting.values[field.name] ?? null);
		});
		setShown(more, one.fields.some((field) => field.more && applies(field, setting.values)));
	};
	return { id: one.id, more: one.more === true, el, draw };
}
