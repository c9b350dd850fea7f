// A playground in the page of a test, with a fake model behind it.
import { afterAll } from "vitest";
import { FakeModel } from "../harness/model";
import { CATALOG, state } from "../harness/fake";
import widget from "../src/playground/index";
import * as more from "../src/playground/more";
import { bring } from "../src/playground/second";
import type { State } from "../src/playground/types";
import { twoReadings } from "./readings";

bring(more); // no kernel answers in a test; what a kernel answers is tested in later.test.ts

let last: AbortController | null = null;
afterAll(() => last?.abort()); // a view left alone would still act on its timers when the page is gone

export function shown(part: Partial<State> = {}, place = document.body) {
	last?.abort();
	place.replaceChildren();
	const model = new FakeModel({ catalog: CATALOG, state: state(), seq: 1, frame: twoReadings(1), code: "import ctkit as ct", ...part });
	const stop = (last = new AbortController());
	widget.render({ model, el: place, signal: stop.signal });
	const at = <E extends HTMLElement>(name: string): E => {
		const found = place.querySelector<E>(`[data-test="${name}"]`);
		if (!found) throw new Error(`nothing is called ${name}`);
		return found;
	};
	return { model, stop, at, root: at("playground") };
}

export function press(element: Element, key: string, more: KeyboardEventInit = {}): KeyboardEvent {
	const event = new KeyboardEvent("keydown", { key, bubbles: true, cancelable: true, ...more });
	element.dispatchEvent(event);
	return event;
}

export function change(element: HTMLInputElement | HTMLSelectElement | HTMLTextAreaElement, value: string): void {
	element.value = value;
	element.dispatchEvent(new Event("change", { bubbles: true }));
}
