// The recorded text of a page, opened: base64, deflated, JSON with every buffer once behind it.
import type { Recorded } from "./recorded";

/** What `packed` in ctkit/ui/export.py wrote: `{"$bytes": [start, length]}` becomes a DataView. */
export async function opened(text: string): Promise<Recorded> {
	const whole = await inflated(Uint8Array.from(atob(text.trim()), (letter) => letter.charCodeAt(0)));
	const view = new DataView(whole);
	const end = 4 + view.getUint32(0, true);
	const json = new TextDecoder().decode(new Uint8Array(whole, 4, end - 4));
	return JSON.parse(json, (_, value: unknown) => {
		if (value === null || typeof value !== "object" || !("$bytes" in value) || !Array.isArray(value.$bytes)) return value;
		const [start, length] = value.$bytes as [number, number];
		return new DataView(whole, end + start, length);
	}) as Recorded;
}

async function inflated(bytes: Uint8Array<ArrayBuffer>): Promise<ArrayBuffer> {
	const stream = new ReadableStream<Uint8Array<ArrayBuffer>>({
		start(control) {
			control.enqueue(bytes);
			control.close();
		},
	});
	return new Response(stream.pipeThrough(new DecompressionStream("deflate"))).arrayBuffer();
}
