// What comes in the second script: asked for once, when it is wanted; it is told everything; a failure is in words.
import { beforeEach, expect, test, vi } from "vitest";
import { CATALOG, DOSE, state } from "../harness/fake";
import { FakeModel } from "../harness/model";
import type { Context, Panel } from "../src/playground/context";
import type { More } from "../src/playground/second";
import type { Entry } from "../src/playground/types";
import { twoReadings } from "./readings";

const PAINTED: Entry = { intervention: "Mask", kind: ["painted", "0:", []], layers: null, heads: null };
const STEER: Entry = { intervention: "Steer", strength: 1 };
const ASKED = { type: "script", name: "more" };

// A script as Python sends it: each panel writes down what it is told.
const SCRIPT = `
const made = (name) => (context) => {
	const el = document.createElement("section");
	el.dataset.test = "real-" + name;
	const told = (what) => () => { el.textContent += what + " "; };
	return { el, catalog: told("catalog"), state: told("state"), results: told("results"), theme: told("theme"), resized: told("resized") };
};
export const painter = made("painter");
export const dosePanel = made("dose");
export const grid = made("grid");
export const drawPicture = () => null;
`;

beforeEach(() => {
	vi.resetModules(); // a page that has no second script yet
	document.body.replaceChildren();
	kept.length = 0;
	vi.stubGlobal("URL", { createObjectURL: (blob: Blob) => (kept.push(blob), address), revokeObjectURL: () => undefined });
});
const kept: Blob[] = [];
const address = `data:text/javascript,${encodeURIComponent(SCRIPT)}`;
const at = (name: string) => document.querySelector<HTMLElement>(`[data-test="${name}"]`);
const words = () => [...document.querySelectorAll<HTMLElement>('[data-test="later"]')].filter((one) => !one.closest("section")!.hidden).map((one) => one.textContent);

async function playground(setup: Entry[], panels: string[] | null = null) {
	const { default: widget } = await import("../src/playground/index");
	const model = new FakeModel({ catalog: CATALOG, state: state({ setup }), seq: 1, frame: twoReadings(1), dose: DOSE, panels });
	const stop = new AbortController();
	widget.render({ model, el: document.body, signal: stop.signal });
	return { model, stop };
}

test("nobody asks before a panel is wanted; two panels ask once, and both come", async () => {
	const { model } = await playground([]);
	expect([model.sent, words()]).toEqual([[], []]);
	model.push({ state: state({ setup: [PAINTED, STEER] }) });
	expect(model.sent).toEqual([ASKED]);
	expect(words()).toEqual(Array(2).fill("loading this panel from the kernel …"));
	model.reply({ type: "script", name: "other", text: "" });
	model.reply({ type: "script", name: "more", text: SCRIPT });
	await vi.waitFor(() => expect(at("real-dose")).not.toBeNull());
	expect(kept.map((blob) => [blob.size, blob.type])).toEqual([[new TextEncoder().encode(SCRIPT).length, "text/javascript"]]);
	expect([at("real-painter") !== null, words()]).toEqual([true, []]);
	expect(at("real-grid")).toBeNull(); // nobody wants the steps' square
	expect(model.sent).toEqual([ASKED]);
	const frame = [...document.querySelector(".ck-frame")!.children].map((one) => (one as HTMLElement).dataset.test ?? "");
	expect(frame.indexOf("real-painter")).toBeLessThan(frame.indexOf("real-dose"));
});

test("a panel that comes later is told everything once, and then whatever happens", async () => {
	const { later } = await import("../src/playground/panels/later");
	const told: string[] = [];
	const model = new FakeModel({});
	const context = { model, signal: new AbortController().signal } as unknown as Context;
	const tell = (name: string) => () => void told.push(name);
	const names = ["catalog", "state", "results", "theme", "resized"] as const;
	const panel = later(() => true, () => () => ({ el: document.createElement("b"), ...Object.fromEntries(names.map((name) => [name, tell(name)])) }) as Panel)(context);
	document.body.append(panel.el);
	for (const name of names) panel[name]!();
	expect(told).toEqual([]);
	model.reply({ type: "script", name: "more", text: SCRIPT });
	await vi.waitFor(() => expect(document.querySelector("b")).not.toBeNull());
	expect(told).toEqual(names);
	for (const name of names) panel[name]!();
	expect(told).toEqual([...names, ...names]);
	expect(panel.el.isConnected).toBe(false);
});

test("a script that is refused is said in words, in the panel; the picture that wants it next asks anew", async () => {
	const { model } = await playground([PAINTED]);
	model.reply({ type: "failed", asked: "more", found: "more.js cannot be read" });
	await vi.waitFor(() => expect(words()).toEqual(["This panel could not be loaded: more.js cannot be read."]));
	at("save-svg")!.click();
	expect(model.sent).toEqual([ASKED, ASKED]);
	model.reply({ type: "failed", asked: "more", found: "still not" });
	await vi.waitFor(() => expect(at("saved")!.textContent).toBe("No picture: still not."));
	at("save-svg")!.click();
	model.reply({ type: "script", name: "more", text: SCRIPT });
	await vi.waitFor(() => expect(at("saved")!.textContent).toBe("There is no picture yet."));
});

test("a script that cannot be read, and a kernel that is gone, are said in words", async () => {
	const { model } = await playground([STEER]);
	vi.stubGlobal("URL", { createObjectURL: () => "data:text/javascript,export const dosePanel = (;", revokeObjectURL: () => undefined });
	model.reply({ type: "script", name: "more", text: "export const dosePanel = (;" });
	await vi.waitFor(() => expect(words()[0]).toMatch(/^This panel could not be loaded: .+\.$/));
	const gone = await playground([]);
	gone.model.send = () => {
		throw new Error("the connection is closed");
	};
	gone.model.push({ state: state({ setup: [PAINTED] }) });
	await vi.waitFor(() => expect(words()).toContain("This panel could not be loaded: the connection is closed."));
});

test("a view that is closed before the script comes shows nothing; the next one has it at hand", async () => {
	const { model, stop } = await playground([PAINTED]);
	model.reply({ type: "script", name: "more", text: SCRIPT }); // on its way when the view is closed
	stop.abort();
	await vi.waitFor(() => expect(kept).toHaveLength(1));
	await new Promise((done) => setTimeout(done, 50));
	expect([model.listening, at("real-painter")]).toEqual([0, null]);
	const second = await playground([PAINTED]);
	expect(second.model.sent).toEqual([]); // the script is here, though the view that asked is gone
	expect(at("real-painter")?.isConnected).toBe(true);
});

test("a view that is closed before anybody answers listens no more", async () => {
	const { model, stop } = await playground([PAINTED]);
	stop.abort();
	expect([model.sent, model.listening]).toEqual([[ASKED], 0]);
});

test("with the script at hand nobody asks, and the panels are there at once", async () => {
	(await import("../src/playground/second")).bring(await import("../src/playground/more") as More);
	const { model } = await playground([PAINTED, STEER]);
	expect([model.sent, at("later"), at("painter") !== null, at("dose") !== null]).toEqual([[], null, true, true]);
});
