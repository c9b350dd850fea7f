// The switches: on and off by shape, settings under each, a reset where something was changed.
import { freshId, h, setAttributes, setShown, setText } from "../../lib/dom";
import type { Context, Panel } from "../context";
import { type FieldControl, fieldControl } from "../fields/field";
import { applies, type Controls, defaults, fromSetup, initial, isChanged, toSetup } from "../setup";
import type { Json, Switch } from "../types";

export function switches(context: Context): Panel {
	const list = h("div", { class: "ck-switches" });
	const extras = h("div", { class: "ck-extras" });
	const el = h("section", { class: "ck-panel ck-switch-panel", "aria-label": "Switches" }, h("h3", {}, "Switches"), list, extras);
	let controls: Controls = initial([]);
	let rows: Row[] = [];

	const commit = () => context.commit({ setup: toSetup(context.catalog.switches, controls) });
	const change = (id: string, part: Partial<Controls["settings"][string]>) => {
		const setting = controls.settings[id];
		if (!setting) return;
		controls = { ...controls, settings: { ...controls.settings, [id]: { ...setting, ...part } } };
		draw();
		commit();
	};
	const draw = () => {
		for (const row of rows) row.draw(controls.settings[row.id]!);
		extras.replaceChildren(...controls.extras.map((entry, i) => extra(entry.intervention, () => {
			controls = { ...controls, extras: controls.extras.filter((_, at) => at !== i) };
			draw();
			commit();
		}, context.signal)));
	};
	const state = () => {
		controls = fromSetup(context.catalog.switches, context.state.setup, controls);
		draw();
	};
	const catalog = () => {
		controls = initial(context.catalog.switches);
		rows = context.catalog.switches.map((one) => row(context, one, change));
		list.replaceChildren(...rows.map((one) => one.el));
		state();
	};
	return { el, catalog, state };
}

interface Row {
	id: string;
	el: HTMLElement;
	draw(setting: Controls["settings"][string]): void;
}

function row(context: Context, one: Switch, change: (id: string, part: Partial<Controls["settings"][string]>) => void): Row {
	const { signal } = context;
	const [box, hint] = [freshId("switch"), freshId("hint")];
	const input = h("input", { type: "checkbox", class: "ck-toggle", id: box, "data-test": `switch-${one.id}`, "aria-describedby": hint, disabled: one.unsupported !== null });
	const reset = h("button", { type: "button", class: "ck-link", "data-test": `reset-${one.id}`, "aria-label": `Reset ${one.label}` }, "reset");
	const note = h("div", { class: "ck-hint", id: hint }, one.unsupported === null ? one.hint : `not with this model: ${one.unsupported}`);
	const fields = h("div", { class: "ck-fields", role: "group", "aria-label": `${one.label}: settings` });
	const el = h("div", { class: `ck-switch${one.unsupported === null ? "" : " ck-unsupported"}` }, input, h("label", { for: box }, one.label), reset, note, fields);

	let values: Record<string, Json> = defaults(one);
	const parts: FieldControl[] = one.fields.map((field) => fieldControl(field, { test: `${one.id}-${field.name}`, layers: context.catalog.model.n_layers, signal }, (value) => change(one.id, { values: { ...values, [field.name]: value } })));
	fields.append(...parts.map((part) => part.el));
	input.addEventListener("change", () => change(one.id, { on: input.checked }), { signal });
	reset.addEventListener("click", () => {
		change(one.id, { values: defaults(one), rest: {} });
		input.focus();
	}, { signal });

	const draw = (setting: Controls["settings"][string]) => {
		values = setting.values;
		input.checked = setting.on;
		if (one.unsupported !== null) setAttributes(input, { disabled: !setting.on });
		el.classList.toggle("ck-on", setting.on);
		setShown(reset, isChanged(one, setting));
		setShown(fields, setting.on && one.fields.length > 0);
		one.fields.forEach((field, i) => {
			const part = parts[i]!;
			setShown(part.el, applies(field, values));
			part.show(values[field.name] ?? null);
		});
	};
	return { id: one.id, el, draw };
}

function extra(name: string, remove: () => void, signal: AbortSignal): HTMLElement {
	const button = h("button", { type: "button", class: "ck-link", "aria-label": `Remove ${name}` }, "remove");
	button.addEventListener("click", remove, { signal });
	const label = h("span");
	setText(label, `also on, set in Python: ${name}`);
	return h("div", { class: "ck-extra" }, label, button);
}
