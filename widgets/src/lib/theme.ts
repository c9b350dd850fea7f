// The colours of the page as numbers, so that a canvas can mix them. CSS is the one place where they are chosen.

export type Rgb = readonly [number, number, number];
export interface Theme {
	paper: Rgb;
	ink: Rgb;
	mute: Rgb;
	line: Rgb;
	reads: Rgb;
	readBy: Rgb;
}

const FALLBACK: Theme = { paper: [255, 255, 255], ink: [29, 39, 51], mute: [96, 107, 119], line: [223, 228, 234], reads: [33, 102, 172], readBy: [164, 77, 5] };
const NAMES: Record<keyof Theme, string> = { paper: "--ck-paper", ink: "--ck-ink", mute: "--ck-mute", line: "--ck-line", reads: "--ck-reads", readBy: "--ck-readby" };

/** The colours that hold inside `root` now. */
export function readTheme(root: HTMLElement): Theme {
	const probe = document.createElement("span");
	probe.hidden = true;
	root.append(probe);
	const theme = { ...FALLBACK };
	for (const key of Object.keys(NAMES) as (keyof Theme)[]) {
		probe.style.color = `var(${NAMES[key]})`;
		theme[key] = parse(getComputedStyle(probe).color) ?? FALLBACK[key];
	}
	probe.remove();
	return theme;
}

/** What the two hues are called, for sentences that begin with them. The palette is a setting of the JupyterLab extension. */
export function hueNames(): { reads: string; readBy: string } {
	const green = document.body.dataset.ctkitPalette === "purple-green";
	return green ? { reads: "Purple", readBy: "Green" } : { reads: "Blue", readBy: "Orange" };
}

/** Calls back when the page changes between light and dark, or to other colours. */
export function watchTheme(changed: () => void, signal: AbortSignal): void {
	const observer = new MutationObserver(changed);
	const attributes = { attributes: true, attributeFilter: ["data-jp-theme-light", "data-jp-theme-name", "data-theme", "data-vscode-theme-kind", "class", "theme", "data-ctkit-palette"] };
	observer.observe(document.documentElement, attributes);
	observer.observe(document.body, attributes);
	signal.addEventListener("abort", () => observer.disconnect());
	if (typeof matchMedia === "function") matchMedia("(prefers-color-scheme: dark)").addEventListener("change", changed, { signal });
}

/** A colour between two, as a canvas takes it. */
export function mix(from: Rgb, to: Rgb, share: number): string {
	return css([0, 1, 2].map((i) => (from[i] ?? 0) + ((to[i] ?? 0) - (from[i] ?? 0)) * share) as unknown as Rgb);
}

/** A colour as CSS. */
export function css(rgb: Rgb): string {
	return `rgb(${rgb.map(Math.round).join(",")})`;
}

function parse(color: string): Rgb | null {
	const parts = color.match(/[\d.]+(e-?\d+)?/g)?.map(Number);
	if (!parts || parts.length < 3) return null;
	const scale = color.startsWith("color(") ? 255 : 1;
	return [parts[0]! * scale, parts[1]! * scale, parts[2]! * scale];
}
