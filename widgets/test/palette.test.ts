// The palettes keep their contrast in both themes, and their two hues stay apart for the colour-blind.
import { afterEach, describe, expect, it } from "vitest";

import { PALETTES } from "../labextension/src/preferences";
import base from "../src/lib/base.css?raw";
import chosen from "../src/lib/palette.css?raw";
import { hueNames } from "../src/lib/theme";

type Rgb = [number, number, number];
const PAPER = { light: "#ffffff", dark: "#111417" };
const ON = { light: "#ffffff", dark: "#0b1118" };
// Machado, Oliveira and Fernandes 2009: what is seen without one kind of cone, in linear RGB
const BLIND = {
	protan: [0.152286, 1.052583, -0.204868, 0.114503, 0.786281, 0.099216, -0.003882, -0.048116, 1.051998],
	deutan: [0.367322, 0.860646, -0.227968, 0.280085, 0.672501, 0.047413, -0.01182, 0.04294, 0.968881],
	tritan: [1.255528, -0.076749, -0.178779, -0.078411, 0.930809, 0.147602, 0.004733, 0.691367, 0.3039],
};

describe.each(PALETTES)("%s", (palette) => {
	it.each(["light", "dark"] as const)("is legible and told apart in the %s theme", (theme) => {
		const [reads, readBy] = hues(palette, theme);
		for (const hue of [reads, readBy]) {
			expect(contrast(linear(hue), linear(PAPER[theme]))).toBeGreaterThan(4.5);
			expect(contrast(linear(hue), linear(ON[theme]))).toBeGreaterThan(4.5);
		}
		for (const matrix of Object.values(BLIND)) {
			expect(distance(seen(linear(reads), matrix), seen(linear(readBy), matrix))).toBeGreaterThan(25);
		}
	});
});

it("a page is dark in the words of JupyterLab, VS Code, Colab and marimo, and in our own", () => {
	document.body.replaceChildren();
	const dark = base.match(/:is\(([^{]*)\) \.ctkit\.ctkit/)![1]!;
	const { body, documentElement: page } = document;
	for (const [element, name, value] of [[body, "data-jp-theme-light", "false"], [body, "data-vscode-theme-kind", "vscode-dark"], [page, "theme", "dark"], [body, "class", "contents dark"], [body, "data-theme", "dark"]] as const) {
		element.setAttribute(name, value);
		expect(element.matches(dark)).toBe(true);
		element.removeAttribute(name);
		expect(element.matches(dark)).toBe(false);
	}
});

describe("the names of the hues", () => {
	afterEach(() => delete document.body.dataset.ctkitPalette);

	it("follow the palette", () => {
		expect(hueNames()).toEqual({ reads: "Blue", readBy: "Orange" });
		document.body.dataset.ctkitPalette = "strong";
		expect(hueNames()).toEqual({ reads: "Blue", readBy: "Orange" });
		document.body.dataset.ctkitPalette = "purple-green";
		expect(hueNames()).toEqual({ reads: "Purple", readBy: "Green" });
	});
});

function hues(palette: string, theme: "light" | "dark"): [string, string] {
	const rules = [base, chosen].flatMap((css) => css.match(/[^{}]*\{[^{}]*--ck-reads:[^{}]*\}/g) ?? []);
	const mine = rules.filter((rule) => (palette === "blue-orange" ? !rule.includes("data-ctkit-palette") : rule.includes(`="${palette}"`)));
	const rule = mine.find((text) => text.includes('data-jp-theme-light="false"') === (theme === "dark"))!;
	return [rule.match(/--ck-reads: (#\w+)/)![1]!, rule.match(/--ck-readby: (#\w+)/)![1]!];
}

function linear(hex: string): Rgb {
	return [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16) / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as Rgb;
}

function seen(rgb: Rgb, m: readonly number[]): Rgb {
	return [0, 3, 6].map((row) => Math.min(1, Math.max(0, m[row]! * rgb[0] + m[row + 1]! * rgb[1] + m[row + 2]! * rgb[2]))) as Rgb;
}

function luminance([r, g, b]: Rgb): number {
	return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function contrast(a: Rgb, b: Rgb): number {
	const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y) as [number, number];
	return (high + 0.05) / (low + 0.05);
}

function distance(a: Rgb, b: Rgb): number {
	const [p, q] = [lab(a), lab(b)];
	return Math.hypot(p[0] - q[0], p[1] - q[1], p[2] - q[2]);
}

function lab([r, g, b]: Rgb): Rgb {
	const f = (t: number) => (t > 216 / 24389 ? Math.cbrt(t) : (24389 / 27 / 116) * t + 16 / 116);
	const [x, y, z] = [f((0.4124 * r + 0.3576 * g + 0.1805 * b) / 0.9505), f(0.2126 * r + 0.7152 * g + 0.0722 * b), f((0.0193 * r + 0.1192 * g + 0.9505 * b) / 1.089)];
	return [116 * y - 16, 500 * (x - y), 200 * (y - z)];
}
