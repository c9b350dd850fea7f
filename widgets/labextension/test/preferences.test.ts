import { describe, expect, it } from "vitest";

import schema from "../schema/plugin.json";
import { applyPreferences, DEFAULTS, decodePreferences, MOTIONS, PALETTES } from "../src/preferences";

const choices = (name: "palette" | "motion") => schema.properties[name].oneOf.map((choice) => choice.const);

describe("preferences", () => {
	it("are those of the schema", () => {
		expect(choices("palette")).toEqual([...PALETTES]);
		expect(choices("motion")).toEqual([...MOTIONS]);
		const defaults = Object.fromEntries(Object.entries(schema.properties).map(([name, property]) => [name, property.default]));
		expect(defaults).toEqual(DEFAULTS);
	});

	it("take what fits, and the default else", () => {
		expect(decodePreferences({})).toEqual(DEFAULTS);
		expect(decodePreferences({ model: "  ", palette: "pink", motion: 3, lessons: "//" })).toEqual(DEFAULTS);
		const chosen = { model: "gpt2", palette: "strong", motion: "reduced", lessons: "my/course" };
		expect(decodePreferences({ ...chosen, lessons: "/my/course/" })).toEqual(chosen);
		expect(decodePreferences({ lessons: "." }).lessons).toBe("");
	});

	it("are said on the page's body", () => {
		applyPreferences(document.body, { ...DEFAULTS, palette: "purple-green", motion: "reduced" });
		expect(document.body.dataset).toMatchObject({ ctkitPalette: "purple-green", ctkitMotion: "reduced" });
	});
});
