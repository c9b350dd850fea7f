// The history over a reload of the page: what is kept for the tab, how little, and what comes back.
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { state } from "../harness/fake";
import { kept, packed, unpacked } from "../src/playground/kept";
import type { PlayState } from "../src/playground/types";

const LONG = "word ".repeat(4000);
const visits = (count: number, of: (i: number) => Partial<PlayState>) => Array.from({ length: count }, (_, i) => ({ state: state(of(i)), words: `step ${i}` }));

beforeEach(() => sessionStorage.clear());
afterEach(() => vi.restoreAllMocks());

/** What a page that was loaded anew has of a history. */
async function fresh(key: string, now: PlayState) {
	vi.resetModules();
	return (await import("../src/playground/history")).historyOf(key, now);
}

test("what was kept is what was visited", () => {
	const all = visits(5, (i) => ({ n: i + 1, setup: [{ intervention: "Reread", times: i }] }));
	expect(unpacked(packed({ all, now: 2 }))).toEqual({ all, now: 2 });
});

test("a long text that stays the same is kept once", () => {
	const text = packed({ all: visits(100, (i) => ({ prompt: [{ name: "text", text: LONG }], n: i + 1 })), now: 99 });
	expect(text.length).toBeLessThan(LONG.length + 15_000);
	expect(unpacked(text).all).toHaveLength(100);
});

test("of long texts that differ only the latest are kept, and always the present one", () => {
	const all = visits(100, (i) => ({ prompt: [{ name: "text", text: `${i} ${LONG}` }] }));
	const text = packed({ all, now: 99 });
	expect(text.length).toBeLessThan(210_000);
	const { all: left, now } = unpacked(text);
	expect(left.length).toBeGreaterThan(5);
	expect([left[now], left.at(-1)]).toEqual([all[99], all[99]]);
	const early = unpacked(packed({ all, now: 98 }, 100));
	expect([early.all.length, early.all[early.now]]).toEqual([2, all[98]]);
});

test("a history comes back with the page, at its place, and goes on from there", async () => {
	const history = await fresh("one", state());
	history.on(() => {}, new AbortController().signal);
	history.push(state({ n: 1 }), "one");
	history.push(state({ n: 2 }), "two");
	history.go(1);
	dispatchEvent(new Event("pagehide"));
	const again = await fresh("one", state({ n: 1 }));
	expect(again.visits.map((visit) => visit.words)).toEqual(["start", "one", "two"]);
	expect([again.at, again.current.n, again.canRedo]).toEqual([1, 1, true]);
	expect((await fresh("another", state())).visits).toHaveLength(1);
});

test("what nobody looks at any more is not kept, nor where the page has no room", async () => {
	const history = await fresh("two", state());
	const stop = new AbortController();
	history.on(() => {}, stop.signal);
	history.push(state({ n: 1 }), "one");
	const full = vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
		throw new DOMException("full", "QuotaExceededError");
	});
	dispatchEvent(new Event("pagehide"));
	full.mockRestore();
	expect(kept("two")).toBeNull();
	dispatchEvent(new Event("pagehide"));
	expect(kept("two")?.all).toHaveLength(2);
	stop.abort();
	dispatchEvent(new Event("pagehide"));
	expect(kept("two")).toBeNull();
	sessionStorage.setItem("ctkit-history-two", "{");
	expect(kept("two")).toBeNull();
});
