// The second script, fetched once: asked of Python, and imported as the notebook imports the first one.
import type { Context } from "./context";
import type { Reply } from "./types";

export type More = typeof import("./more");

let here: More | null = null;
const coming = new WeakMap<Context, Promise<More>>();

/** Has the script at hand: a page without a kernel brings it along. */
export function bring(more: More): void {
	here = more;
}

/** The script, where it is here already. */
export function atHand(): More | null {
	return here;
}

/** The script, which is asked for where it is not here. A view asks once; after a failure, the next who wants it asks anew. */
export function more(context: Context): Promise<More> {
	if (here) return Promise.resolve(here);
	const known = coming.get(context);
	if (known) return known;
	const found = asked(context).then(imported).then((script) => (here = script));
	coming.set(context, found);
	found.catch(() => coming.delete(context));
	return found;
}

/** What went wrong, in words. */
export function inWords(error: unknown): string {
	return error instanceof Error ? error.message : String(error);
}

function asked({ model, signal }: Context): Promise<string> {
	return new Promise((done, fail) => {
		const heard = (reply: Reply) => {
			if (reply.type === "script" && reply.name === "more") done(reply.text);
			else if (reply.type === "failed" && reply.asked === "more") fail(new Error(reply.found));
			else return;
			model.off?.("msg:custom", heard);
		};
		model.on("msg:custom", heard);
		signal.addEventListener("abort", () => model.off?.("msg:custom", heard));
		model.send({ type: "script", name: "more" });
	});
}

async function imported(text: string): Promise<More> {
	const url = URL.createObjectURL(new Blob([text], { type: "text/javascript" }));
	try {
		return (await import(/* @vite-ignore */ url)) as More;
	} finally {
		URL.revokeObjectURL(url);
	}
}
