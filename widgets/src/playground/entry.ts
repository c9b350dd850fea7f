// One switch with its settings as an entry of a setup, and back: the mirror of ctkit/ui/entries.py. Pure.
import { same } from "./same";
import type { Entry, Field, Json, Switch, Way } from "./types";

export interface Setting {
	on: boolean;
	values: Record<string, Json>;
	intervention: string;
	/** Fields of the entry that no control shows: they stay as Python set them. */
	rest: Record<string, Json>;
}

/** Whether a field is shown, given the values of the others. */
export function applies(field: Field, values: Record<string, Json>): boolean {
	return Object.entries(field.when ?? {}).every(([name, value]) => {
		const now = values[name] ?? null;
		return Array.isArray(value) && !Array.isArray(now) ? value.some((one) => same(one, now)) : same(value, now);
	});
}

/** The field that decides what the entry is. */
function wayOf(one: Switch): (Field & { type: "way" }) | undefined {
	return one.fields.find((field) => field.type === "way");
}

/** Whether a switch can show an entry. */
export function makes(one: Switch, entry: Entry): boolean {
	return one.intervention === entry.intervention || !!wayOf(one)?.choices.some((way) => way.entry.intervention === entry.intervention);
}

/** Whether an entry is what a way writes. A list stands for all lists that begin with it; what is left out, for all. */
function written(way: Way, one: Switch, entry: Entry): boolean {
	if ((way.entry.intervention ?? one.intervention) !== entry.intervention) return false;
	return Object.entries(way.entry).every(([name, value]) => {
		const now = entry[name];
		return now === undefined || (Array.isArray(value) ? Array.isArray(now) && value.every((part, i) => same(part, now[i])) : same(value, now));
	});
}

/** The setting that shows an entry. */
export function fromEntry(one: Switch, entry: Entry, old: Setting): Setting {
	const values = { ...old.values };
	const rest: Record<string, Json> = { ...entry };
	delete rest.intervention;
	const way = wayOf(one);
	if (way) {
		const found = way.choices.find((choice) => written(choice, one, entry));
		values[way.name] = found?.value ?? null;
		for (const name of Object.keys(found?.entry ?? {})) delete rest[name];
	}
	for (const field of one.fields) {
		if (field.type === "way" || !applies(field, values)) continue;
		const [low, high] = field.type === "range" && field.names ? field.names : [field.key ?? field.name];
		if (low in entry) values[field.name] = high === undefined ? entry[low]! : [entry[low]!, entry[high] ?? entry[low]!];
		delete rest[low];
		if (high !== undefined) delete rest[high];
	}
	return { on: true, values, intervention: entry.intervention, rest };
}

/** The entry that a setting stands for. */
export function toEntry(one: Switch, setting: Setting): Entry {
	const entry: Entry = { ...setting.rest, intervention: setting.intervention };
	for (const field of one.fields) {
		if (!applies(field, setting.values)) continue;
		const value = setting.values[field.name] ?? null;
		if (field.type === "way") Object.assign(entry, field.choices.find((way) => way.value === value)?.entry);
		else if (field.type === "range" && field.names && Array.isArray(value)) {
			entry[field.names[0]] = value[0] ?? null;
			entry[field.names[1]] = value[1] ?? null;
		} else entry[field.key ?? field.name] = value;
	}
	return entry;
}
