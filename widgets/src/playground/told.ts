// A change of the state in words, for the list of what was visited. Pure.
import { same } from "./setup";
import type { Catalog, Entry, Json, PlayState, Switch } from "./types";

const LONGEST = 30;

/** How a state differs from the one before: "+ Read again", "Mask: prefix", "another text". */
export function told(old: PlayState, next: PlayState, catalog: Catalog): string {
	const said: string[] = [];
	if (!same(old.prompt, next.prompt)) said.push(`text “${cut(next.prompt.map((piece) => piece.text).join(" "))}”`);
	else if (old.task !== next.task) said.push(next.task ? `task ${next.task}` : "no task");
	said.push(...changes(old.setup, next.setup, catalog.switches));
	if (!same(old.against, next.against)) said.push(`compared with ${summary(next.against, catalog.switches)}`);
	if (old.difficulty !== next.difficulty && old.task === next.task) said.push(`difficulty ${next.difficulty ?? "any"}`);
	if (old.n !== next.n) said.push(`${next.n} problems`);
	if (old.seed !== next.seed) said.push(`problems from ${next.seed}`);
	return said.join(", ") || "the same";
}

/** A setup in words: "nothing on", "Mask + Read again". */
export function summary(setup: Entry[], switches: Switch[]): string {
	return setup.map((entry) => label(entry, switches)).join(" + ") || "nothing on";
}

function changes(old: Entry[], next: Entry[], switches: Switch[]): string[] {
	const left = [...old];
	const said: string[] = [];
	for (const entry of next) {
		const at = left.findIndex((one) => one.intervention === entry.intervention);
		if (at < 0) said.push(`+ ${label(entry, switches)}`);
		else {
			const [was] = left.splice(at, 1);
			if (!same(was, entry)) said.push(`${label(entry, switches)}: ${fields(was!, entry, switches)}`);
		}
	}
	said.push(...left.map((entry) => `− ${label(entry, switches)}`));
	return said.length || same(old, next) ? said : ["another order"];
}

function label(entry: Entry, switches: Switch[]): string {
	return switches.find((one) => one.intervention === entry.intervention)?.label ?? entry.intervention;
}

/** The fields that changed, in the words of their controls. */
function fields(was: Entry, now: Entry, switches: Switch[]): string {
	const known = switches.find((one) => one.intervention === now.intervention)?.fields ?? [];
	const names = [...new Set([...Object.keys(was), ...Object.keys(now)])].filter((name) => !same(was[name] ?? null, now[name] ?? null));
	const said = names.map((name) => {
		const value = now[name] ?? null;
		const field = known.find((one) => (one.key ?? one.name) === name || (one.type === "range" && one.names?.includes(name)));
		const choice = field && "choices" in field ? field.choices.find((one) => same(one.value, value)) : undefined;
		return choice ? choice.label : `${field?.label ?? name} ${plain(value)}`.trim();
	});
	return cut(said.filter(Boolean).join(", ") || "as it was");
}

function plain(value: Json): string {
	if (value === null) return "all";
	if (Array.isArray(value)) return value.length <= 6 && value.every((one) => typeof one !== "object") ? value.join(", ") : "";
	return typeof value === "object" ? String(value.name ?? "") : String(value);
}

function cut(text: string): string {
	const letters = [...text];
	return letters.length > LONGEST ? `${letters.slice(0, LONGEST).join("")}…` : text;
}
