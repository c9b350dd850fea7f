// Makes the elements of a picture. Text enters only here and only as text nodes; what XML cannot hold is replaced.
import { SVG } from "../../lib/svg";

const BAD = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]|[\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu; // with u, half a pair counts
export const MONO = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace";

/** An element of a picture with attributes and children. */
export function s(tag: string, attributes: Record<string, string | number>, ...children: (Node | string)[]): SVGElement {
	const element = document.createElementNS(SVG, tag) as SVGElement;
	for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, typeof value === "number" ? String(Math.round(value * 100) / 100) : clean(value));
	element.append(...children.map((child) => (typeof child === "string" ? clean(child) : child)));
	return element;
}

/** A text without what an XML file cannot hold, and without marks that would turn the text around them. */
export function clean(text: string): string {
	return text.replace(BAD, "�");
}

/** A text of at most so many letters. */
export function cut(text: string, most: number): string {
	const letters = [...text];
	return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : text;
}

/** How many columns of a monospaced font a text takes: letters of wide scripts and pictures take two. */
export function columns(text: string): number {
	return [...text].reduce((sum, letter) => sum + (letter.codePointAt(0)! >= 0x1100 ? 2 : 1), 0);
}

/** The picture as a file: made by the browser's own writer of XML. */
export function svgText(picture: SVGElement): string {
	return new XMLSerializer().serializeToString(picture);
}
