// The setup (what runs, in order) as switches and their settings (what is seen), and back. Pure.
import { applies, fromEntry, makes, type Setting, toEntry } from "./entry";
import { same } from "./same";
import type { Entry, Field, Json, Switch } from "./types";

export { applies, type Setting } from "./entry";
export { same } from "./same";

/** What stands at a place of the setup: a switch by its id, or an entry that no switch shows, by its number. */
export type Key = string | number;

export interface Controls {
	settings: Record<string, Setting>;
	/** What is on, in the order in which it acts. */
	order: Key[];
	/** Entries that no switch shows: of another kind, or a second one of a kind. */
	extras: Entry[];
	/** Which entry of its kind a switch shows, where it is not the first. */
	nth: Record<string, number>;
}

/** All switches off, with the catalog's values. */
export function initial(switches: Switch[]): Controls {
	return { settings: Object.fromEntries(switches.map((one) => [one.id, asOffered(one)])), order: [], extras: [], nth: {} };
}

/** The controls that show a setup; a switch that is off keeps the settings it had in `kept`. */
export function fromSetup(switches: Switch[], setup: Entry[], kept: Controls): Controls {
	const settings: Record<string, Setting> = {};
	const [order, extras]: [Key[], Entry[]] = [setup.map(() => 0), []];
	const nth: Record<string, number> = {};
	const shown = new Set<number>();
	for (const one of switches) {
		const own = setup.flatMap((entry, i) => (makes(one, entry) ? [i] : []));
		const which = own[kept.nth[one.id] ?? 0] === undefined ? 0 : (kept.nth[one.id] ?? 0);
		const at = own[which];
		const old = kept.settings[one.id] ?? asOffered(one);
		settings[one.id] = at === undefined ? { ...old, on: false } : fromEntry(one, setup[at]!, old);
		if (at === undefined) continue;
		if (which) nth[one.id] = which;
		shown.add(at);
		order[at] = one.id;
	}
	setup.forEach((entry, i) => {
		if (!shown.has(i)) order[i] = extras.push(entry) - 1;
	});
	return { settings, order, extras, nth };
}

/** The setup that the controls stand for. */
export function toSetup(switches: Switch[], controls: Controls): Entry[] {
	return controls.order.flatMap((key) => {
		if (typeof key === "number") return controls.extras[key] ?? [];
		const [one, setting] = [switches.find((each) => each.id === key), controls.settings[key]];
		return one && setting ? toEntry(one, setting) : [];
	});
}

/** A switch on or off. One that comes on acts where its kind does: before the switches behind it. */
export function switched(switches: Switch[], controls: Controls, id: string, on: boolean): Controls {
	const setting = controls.settings[id];
	if (!setting) return controls;
	const rank = (key: Key) => (typeof key === "number" ? switches.length : switches.findIndex((one) => one.id === key));
	const order = controls.order.filter((key) => key !== id);
	if (on) {
		const before = order.findIndex((key) => rank(key) > rank(id));
		order.splice(before < 0 ? order.length : before, 0, id);
	}
	return { ...controls, order, settings: { ...controls.settings, [id]: { ...setting, on } } };
}

/** What acts at a place, one place earlier (−1) or later (1). */
export function moved(controls: Controls, key: Key, by: -1 | 1): Controls {
	const order = [...controls.order];
	const at = order.indexOf(key);
	if (at < 0 || order[at + by] === undefined) return controls;
	[order[at], order[at + by]] = [order[at + by]!, key];
	return { ...controls, order };
}

/** The switch that can show an entry, if any. */
export function switchOf(switches: Switch[], entry: Entry): Switch | undefined {
	return switches.find((one) => makes(one, entry));
}

/** The controls with another entry of its kind under a switch: the one at this place of the setup. */
export function showing(switches: Switch[], setup: Entry[], controls: Controls, place: number): Controls {
	const one = setup[place] && switchOf(switches, setup[place]);
	if (!one) return controls;
	const which = setup.slice(0, place).filter((entry) => makes(one, entry)).length;
	return fromSetup(switches, setup, { ...controls, nth: { ...controls.nth, [one.id]: which } });
}

/** Whether a switch has settings that are not the catalog's. */
export function isChanged(one: Switch, setting: Setting): boolean {
	return one.fields.some((field) => applies(field, setting.values) && !same(setting.values[field.name] ?? null, field.value));
}

/** A switch that is off, with the catalog's values. */
export function asOffered(one: Switch): Setting {
	return { on: false, values: Object.fromEntries(one.fields.map((field) => [field.name, field.value])), intervention: one.intervention, rest: {} };
}

/** A setting with one value changed, and what goes with it. What Python set for another way does not fit this one. */
export function changed(one: Switch, setting: Setting, field: Field, value: Json): Setting {
	const also = "choices" in field && field.type !== "way" ? field.choices.find((choice) => same(choice.value, value))?.also : undefined;
	const values = { ...setting.values, ...also, [field.name]: value };
	return { ...setting, values, ...(field.type === "way" ? { rest: {}, intervention: one.intervention } : {}) };
}
