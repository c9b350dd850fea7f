// The settings: read with defaults, and written on the page where every view of ctkit looks for them.

export const PALETTES = ["blue-orange", "strong", "purple-green"] as const;
export const MOTIONS = ["auto", "reduced"] as const;

export interface Preferences {
	readonly model: string; // a name, a hub id or a folder
	readonly palette: (typeof PALETTES)[number];
	readonly motion: (typeof MOTIONS)[number];
	readonly lessons: string; // the folder; "" is the one the server was started in
}

export const DEFAULTS: Preferences = { model: "tiny", palette: "blue-orange", motion: "auto", lessons: "notebooks" };

/** The settings as they are stored; what does not fit is the default. */
export function decodePreferences(data: Readonly<Record<string, unknown>>): Preferences {
	const folder = words(data.lessons).replace(/^\/+|\/+$/g, "") || DEFAULTS.lessons;
	return {
		model: words(data.model) || DEFAULTS.model,
		palette: PALETTES.find((name) => name === data.palette) ?? DEFAULTS.palette,
		motion: MOTIONS.find((name) => name === data.motion) ?? DEFAULTS.motion,
		lessons: folder === "." ? "" : folder,
	};
}

/** Says colours and motion on the page's body. The views of ctkit follow at once (`lib/base.css`, `lib/theme.ts`). */
export function applyPreferences(body: HTMLElement, preferences: Preferences): void {
	body.dataset.ctkitPalette = preferences.palette;
	body.dataset.ctkitMotion = preferences.motion;
}

function words(value: unknown): string {
	return typeof value === "string" ? value.trim() : "";
}
