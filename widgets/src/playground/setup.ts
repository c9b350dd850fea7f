// The setup (what runs) as switches and their settings (what is seen), and back. Pure.
import type { Entry, Field, Json, Switch } from "./types";

export interface Setting {
	on: boolean;
	values: Record<string, Json>;
	/** Fields of the entry that no control shows: they stay as Python set them. */
	rest: Record<string, Json>;
}

export interface Controls {
	settings: Record<string, Setting>;
	/** Entries that no switch stands for, as Python set them. */
	extras: Entry[];
}

/** All switches off, with the catalog's values. */
export function initial(switches: Switch[]): Controls {
	const settings = Object.fromEntries(switches.map((one) => [one.id, { on: false, values: defaults(one), rest: {} }]));
	return { settings, extras: [] };
}

/** The controls that show a setup; a switch that is off keeps the settings it had in `kept`. */
export function fromSetup(switches: Switch[], setup: Entry[], kept: Controls): Controls {
	const left = [...setup];
	const settings: Record<string, Setting> = {};
	for (const one of switches) {
		const old = kept.settings[one.id] ?? { on: false, values: defaults(one), rest: {} };
		const at = left.findIndex((entry) => entry.intervention === one.intervention);
		const [entry] = at < 0 ? [] : left.splice(at, 1);
		settings[one.id] = entry ? fromEntry(one, entry, old) : { ...old, on: false };
	}
	return { settings, extras: left };
}

/** The setup that the controls stand for: the switches that are on, in their order, then the rest. */
export function toSetup(switches: Switch[], controls: Controls): Entry[] {
	const entries: Entry[] = [];
	for (const one of switches) {
		const setting = controls.settings[one.id];
		if (setting?.on) entries.push(toEntry(one, setting));
	}
	return [...entries, ...controls.extras];
}

/** Whether a field is shown, given the values of the others. */
export function applies(field: Field, values: Record<string, Json>): boolean {
	return Object.entries(field.when ?? {}).every(([name, value]) => {
		const now = values[name] ?? null;
		return Array.isArray(value) && !Array.isArray(now) ? value.some((one) => same(one, now)) : same(value, now);
	});
}

/** Whether a switch has settings that are not the catalog's. */
export function isChanged(one: Switch, setting: Setting): boolean {
	return one.fields.some((field) => applies(field, setting.values) && !same(setting.values[field.name] ?? null, field.value));
}

/** The catalog's values of a switch. */
export function defaults(one: Switch): Record<string, Json> {
	return Object.fromEntries(one.fields.map((field) => [field.name, field.value]));
}

/** Whether two values are the same data, whatever the order of their keys. */
export function same(a: unknown, b: unknown): boolean {
	if (Object.is(a, b)) return true;
	if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
	if (Array.isArray(a) !== Array.isArray(b)) return false;
	const left = a as Record<string, unknown>;
	const right = b as Record<string, unknown>;
	const keys = Object.keys(left);
	return keys.length === Object.keys(right).length && keys.every((key) => key in right && same(left[key], right[key]));
}

function fromEntry(one: Switch, entry: Entry, old: Setting): Setting {
	const values = { ...old.values };
	const rest: Record<string, Json> = { ...entry };
	delete rest.intervention;
	for (const field of one.fields) {
		const [low, high] = field.type === "range" && field.names ? field.names : [field.name];
		if (low in entry) values[field.name] = high === undefined ? entry[low]! : [entry[low]!, entry[high] ?? entry[low]!];
		delete rest[low];
		if (high !== undefined) delete rest[high];
	}
	return { on: true, values, rest };
}

function toEntry(one: Switch, setting: Setting): Entry {
	const entry: Entry = { intervention: one.intervention, ...setting.rest };
	for (const field of one.fields) {
		if (!applies(field, setting.values)) continue;
		const value = setting.values[field.name] ?? null;
		if (field.type === "range" && field.names && Array.isArray(value)) {
			entry[field.names[0]] = value[0] ?? null;
			entry[field.names[1]] = value[1] ?? null;
		} else entry[field.name] = value;
	}
	return entry;
}
