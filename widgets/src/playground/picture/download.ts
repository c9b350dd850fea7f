// Files out of the page: a download, and a drawn picture as pixels.
import { h } from "../../lib/dom";
import { svgText } from "./svg";

const SHARP = 2; // pixels of a PNG for one of the picture
const KEPT = 60_000; // ms that the browser has to fetch what it is given

/** Offers a file to the browser; what was done, in words. */
export function download(name: string, content: Blob): string {
	const url = URL.createObjectURL(content);
	const link = h("a", { href: url, download: name, hidden: true });
	document.body.append(link);
	link.click();
	link.remove();
	setTimeout(() => URL.revokeObjectURL(url), KEPT);
	return `Saved as ${name}.`;
}

/** A picture as PNG; null where the browser cannot. */
export async function toPng(picture: SVGElement): Promise<Blob | null> {
	const [width, height] = [Number(picture.getAttribute("width")), Number(picture.getAttribute("height"))];
	const image = new Image(width, height);
	image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svgText(picture))}`;
	const canvas = h("canvas", { width: width * SHARP, height: height * SHARP });
	try {
		await image.decode();
		const context = canvas.getContext("2d");
		if (!context) return null;
		context.drawImage(image, 0, 0, canvas.width, canvas.height);
	} catch {
		return null; // the browser draws no such picture, and the caller says so
	}
	return new Promise((done) => canvas.toBlob(done, "image/png"));
}
