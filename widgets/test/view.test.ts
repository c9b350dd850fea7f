import { expect, test, vi } from "vitest";
import { CATALOG, measured, POPULATION, state, STEPS, tensor } from "../harness/fake";
import { bytes } from "../src/lib/bytes";
import { answer, longReadings, twoReadings } from "./readings";
import { change, press, shown } from "./shown";

test("a frame is painted and numbered; an older one is ignored", () => {
	const { model, root, at } = shown({ frame: { ...twoReadings(4), sentence: "fourth" }, seq: 4 });
	expect(root.dataset.seq).toBe("4");
	model.push({ frame: { ...twoReadings(3), sentence: "third" } });
	expect(at("sentence").textContent).toBe("fourth");
	model.push({ frame: { ...twoReadings(5), sentence: "fifth" } });
	expect([at("sentence").textContent, root.dataset.seq]).toEqual(["fifth", "5"]);
	expect(at("status").textContent).toBe("fifth");
});

test("before the first frame the view says that it runs, or why there is nothing", () => {
	const { model, at } = shown({ frame: null });
	expect(at("sentence").textContent).toBe("running…");
	expect(document.body.textContent).toContain("The key is in the box.");
	model.push({ error: { asked: "a", found: "b", remedy: "c" } });
	expect(at("sentence").textContent).toBe("No picture yet: see the message above.");
});

test("a view without any trait set is not blank", () => {
	const { at } = shown({ catalog: null, state: null, frame: null, seq: 0 });
	expect(at("sentence").textContent).toBe("running…");
});

test("an error is text with its three parts, and leaves with the next frame", () => {
	const { model, at } = shown();
	expect(at("error").hidden).toBe(true);
	model.push({ error: { asked: "a <b>prompt</b>", found: "512 tokens", remedy: "fewer" } });
	expect(at("error").hidden).toBe(false);
	expect(at("error").getAttribute("role")).toBe("alert");
	expect(at("error").textContent).toContain("asked fora <b>prompt</b>found512 tokenstryfewer");
	expect(at("error").querySelectorAll("img, b b")).toHaveLength(0);
	model.push({ error: null });
	expect(at("error").hidden).toBe(true);
});

test("a frame that cannot be read is an error in words, and the picture before stays", () => {
	const { model, at, root } = shown();
	const broken = twoReadings(2);
	broken.before.attention = tensor([1, 2, 2, 2], new Uint8Array(3));
	model.push({ frame: broken });
	expect(at("error").textContent).toContain("3 bytes for 2 tokens");
	expect(root.dataset.seq).toBe("1");
	model.push({ frame: twoReadings(3) });
	expect(at("error").hidden).toBe(true);
});

test("text from outside never becomes an element", () => {
	const bad = '</script><img src=x onerror="window.pwned=1"><b>x</b>';
	const frame = twoReadings(2);
	frame.before.tokens = [bad, " b"];
	frame.after!.tokens = [bad, bad, "\n", bad, bad];
	frame.next = [{ token: bad, before: 0.5, after: 0.5 }];
	frame.sentence = bad;
	const flipped = [{ seed: 1, text: bad, answer: bad, before: bad, after: bad }];
	const { at } = shown({
		frame, seq: 2, code: bad, error: { asked: bad, found: bad, remedy: bad }, state: state({ prompt: [{ name: bad, text: bad }], setup: [{ intervention: bad }] }),
		steps: { ...STEPS, sentence: bad, outline: bad, methods: [{ name: bad, label: bad, hint: bad }], error: { asked: bad, found: bad, remedy: bad }, steps: [{ ...STEPS.steps[0]!, text: bad, label: bad, reads: [{ name: bad, text: bad, share: 0.5 }] }], answers: { answer: bad, before: 0.5, after: 0.5, tokens: [{ token: bad, before: 0.5, after: 0.5 }] }, measures: { mistake: measured([0.5], { sentences: [bad], answer: bad }) } }, population: { ...POPULATION, title: bad, note: bad, flipped },
		catalog: { ...CATALOG, model: { ...CATALOG.model, name: bad }, examples: [{ ...CATALOG.examples[0]!, label: bad, note: bad }] },
	});
	document.querySelectorAll("details").forEach((details) => {
		details.open = true;
		details.dispatchEvent(new Event("toggle"));
	});
	press(at("tokens"), "ArrowRight");
	expect(document.querySelectorAll("img, script")).toHaveLength(0);
	expect([...document.querySelectorAll("b")].every((b) => b.textContent !== "x")).toBe(true);
	expect(at("next-tokens").textContent).toContain('</script><img·src=x');
	expect((globalThis as { pwned?: number }).pwned).toBeUndefined();
});

test("tokens are chosen with arrow keys, locked with Enter, freed with Escape", () => {
	const { at } = shown();
	const words = () => at("reads").textContent;
	press(at("tokens"), "End");
	expect(words()).toBe("“b” reads b 0.40 · a 0.20 · ⏎ 0.20 · a 0.20 · is read by nothing");
	press(at("tokens"), "Enter");
	expect(words()).toContain("locked");
	expect(at("tokens").getAttribute("aria-activedescendant")).toBe(document.querySelector('[role="option"][aria-selected="true"]')?.id);
	press(at("tokens"), "Escape");
	expect(words()).toContain("Point at a word");
	press(at("tokens"), "ArrowRight");
	expect(words()).toContain("“a” reads a 1.00 · is read by b 0.40 · ⏎ 0.20 · a 0.20");
});

test("pointing does not move what is locked", () => {
	const { at } = shown();
	const [first, second] = document.querySelectorAll<HTMLElement>(".ck-token");
	first!.click();
	second!.dispatchEvent(new MouseEvent("pointermove", { bubbles: true }));
	expect(at("reads").textContent).toContain("“a” reads");
	first!.click();
	second!.dispatchEvent(new MouseEvent("pointermove", { bubbles: true }));
	expect(at("reads").textContent).toContain("“b” reads");
});

test("the second reading is marked where it begins, and a part that is no word is dotted", () => {
	shown();
	expect([...document.querySelectorAll(".ck-again")].map((badge) => [badge.textContent, badge.nextElementSibling?.textContent])).toEqual([["read again", "a"]]);
	expect(document.querySelectorAll(".ck-unknown")).toHaveLength(1);
	expect(document.querySelector(".ck-blank")?.textContent).toBe("⏎");
});

test("heads are chosen with arrow keys and by a click; the most changed one is marked and chosen first", () => {
	const { at } = shown();
	expect(at("attention-title").textContent).toMatch(/layer 0, head 0 · changed most · moves \d+/);
	expect(at("head-0-0").hasAttribute("data-most")).toBe(true);
	press(at("heads"), "ArrowRight");
	expect(at("head-0-1").getAttribute("aria-selected")).toBe("true");
	expect(at("heads").getAttribute("aria-activedescendant")).toBe(at("head-0-1").id);
	at("head-0-0").click();
	expect(at("attention-title").textContent).toContain("head 0");
	at("head-0-1").click();
	expect(at("head-0-1").getAttribute("aria-selected")).toBe("true");
});

test("heads can be sorted by change; arrows then follow that order, and the head that changed most is chosen", () => {
	const swapped = twoReadings(2); // the second head is the one that changes
	for (const side of [swapped.before, swapped.after!]) {
		const size = side.tokens.length ** 2;
		const data = bytes(side.attention!.data);
		side.attention = tensor(side.attention!.shape, Uint8Array.from([...data.subarray(size), ...data.subarray(0, size)]));
	}
	const { at } = shown({ frame: swapped, seq: 2 });
	const order = () => [...at("heads").children].map((cell) => (cell as HTMLElement).dataset.test);
	at("head-0-0").click();
	expect(order()).toEqual(["head-0-0", "head-0-1"]);
	change(at<HTMLSelectElement>("sort"), "change");
	expect(order()).toEqual(["head-0-1", "head-0-0"]);
	expect(at("head-0-1").getAttribute("aria-selected")).toBe("true");
	expect(at("head-0-1").textContent).toBe("0.1");
	press(at("heads"), "ArrowRight");
	expect(at("head-0-0").getAttribute("aria-selected")).toBe("true");
	change(at<HTMLSelectElement>("sort"), "model");
	expect(order()).toEqual(["head-0-0", "head-0-1"]);
});

test("the first token can be hidden, which is not called masked", () => {
	const { at } = shown();
	expect(at("attention-title").closest("section")?.textContent).toContain("Hidden is not masked: the model still reads it.");
	at("hide-first").click();
	const scroll = at("matrix").closest<HTMLElement>(".ck-scroll")!;
	press(scroll, "ArrowDown");
	expect(at("readout").textContent).toContain("(hidden in the picture, not masked)");
	press(scroll, "ArrowRight");
	expect(at("readout").textContent).not.toContain("hidden");
});

test("the text can be seen by sentence, and a sentence opened into its tokens", () => {
	const { at } = shown();
	change(at<HTMLSelectElement>("granularity"), "sentence");
	const parts = () => [...document.querySelectorAll(".ck-token")].map((part) => part.textContent);
	expect(parts()).toEqual(["a b", "⏎", "a b"]);
	expect(at("open-unit").hidden).toBe(true);
	press(at("tokens"), "End");
	expect(at("reads").textContent).toBe("“a b” reads a b 0.40 · a b 0.40 · ⏎ 0.20 · is read by nothing".replace("0.40 · a b 0.40", "0.50 · a b 0.30"));
	press(at("tokens"), "Enter");
	expect(at("open-unit").textContent).toBe("open its 2 tokens");
	at("open-unit").click();
	expect(parts()).toEqual(["a", "b", "⏎", "a", "b"]); // every reading of what was opened
	at("open-unit").click();
	expect(parts()).toEqual(["a b", "⏎", "a b"]);
});

test("a head of a long text is asked for side by side, and the view says that it is loading", () => {
	const { model, at } = shown({ frame: longReadings(1) });
	expect(at("readout").textContent).toBe("loading head 0.1 …");
	expect(at("reads").textContent).toBe("loading head 0.1 …");
	expect(model.sent).toEqual([{ type: "head", seq: 1, layer: 0, head: 1, side: "after", key: "token:1::false", edges: [0, 1, 2, 3, 4, 5] }]);
	model.push({ detail: answer(model.sent[0]!, 1) });
	expect(model.sent[1]).toMatchObject({ side: "before", edges: [0, 1, 2] });
	model.push({ detail: { ...answer(model.sent[1]!, 1), key: "another view's" } });
	expect(model.sent.splice(2), "ours may have been dropped").toEqual([model.sent[1]]);
	model.push({ detail: answer(model.sent[1]!, 1) });
	expect(model.sent).toHaveLength(2);
	expect(at("readout").textContent).toContain("Blue: reads more");
	press(at("tokens"), "End");
	expect(at("reads").textContent).toBe("“b” reads b 0.40 · a 0.20 · ⏎ 0.20 · a 0.20 · is read by nothing");
	at("head-0-0").click();
	expect(at("readout").textContent).toBe("loading head 0.0 …");
	at("head-0-1").click();
	expect(at("readout").textContent, "it was here before").not.toContain("loading");
	model.push({ frame: longReadings(2) });
	expect(at("readout").textContent, "another run has other weights").toBe("loading head 0.1 …");
	model.push({ detail: answer(model.sent[0]!, 1) });
	expect(at("readout").textContent, "an answer about the run before").toBe("loading head 0.1 …");
});

test("without an after there is only the tab before", () => {
	const { model, at } = shown({ frame: { ...twoReadings(), after: null, align: [], fold: [] } });
	expect(at<HTMLInputElement>("tab-before").checked).toBe(true);
	expect(at<HTMLInputElement>("tab-difference").disabled).toBe(true);
	model.push({ frame: twoReadings(2) });
	expect(at<HTMLInputElement>("tab-difference").checked).toBe(true);
	at("tab-after").click();
	expect(at("matrix").getAttribute("aria-label")).toContain("Attention after");
});

test("cells are read out when keys move over them", () => {
	const { at } = shown();
	const scroll = at("matrix").closest<HTMLElement>(".ck-scroll")!;
	press(scroll, "ArrowDown");
	press(scroll, "ArrowRight");
	expect(at("readout").textContent).toBe("“b” → “b” 0.60 → 0.40 (−0.20) · 0.20 on new tokens");
	expect(at("status").textContent).toBe(at("readout").textContent);
	press(scroll, "Escape");
	expect(at("readout").textContent).toContain("Blue: reads more");
});

test("keys stay in the view but for those that a notebook needs", () => {
	const { root, at } = shown();
	const heard: string[] = [];
	const listen = (event: KeyboardEvent) => heard.push(event.key);
	document.addEventListener("keydown", listen);
	for (const key of ["ArrowRight", "b", "x", "d", "Enter", " "]) press(at("switch-mask"), key);
	press(root, "Escape");
	press(root, "Enter", { shiftKey: true });
	press(root, "s", { ctrlKey: true });
	document.removeEventListener("keydown", listen);
	expect(heard).toEqual(["Escape", "Enter", "s"]);
});

test("next tokens have numbers, and a line break at the top is explained", () => {
	const { model, at } = shown();
	expect(at("next-tokens").textContent).toBe("·c0.20 → 0.70⏎0.60 → 0.10");
	expect(at("next-note").hidden).toBe(true);
	model.push({ frame: { ...twoReadings(2), next: [{ token: "\n", before: 0.1, after: 0.9 }] } });
	expect(at("next-note").textContent).toContain("a new line");
});

test("tables hold the numbers of the picture", () => {
	const { at } = shown();
	const table = at<HTMLDetailsElement>("head-table");
	table.open = true;
	table.dispatchEvent(new Event("toggle"));
	expect(table.querySelector("tbody tr")?.textContent).toBe("0aa −0.40 · b +0.20");
	expect(at("next-table").querySelector("tbody")?.textContent).toBe("c0.20000.7000⏎0.60000.1000");
});

test("steps are shown with their effects; where there are none it says how to get them", () => {
	const { model, at } = shown();
	expect(at("steps-none").textContent).toContain("With Think on");
	at("steps-think").click();
	expect(model.get("state")?.setup).toMatchObject([{ intervention: "Think" }]);
	model.push({ steps: { ...STEPS, seq: 2 } });
	expect(at("steps").children).toHaveLength(5);
	expect(at("steps").children[1]?.textContent).toBe("The cup is in the jar.○ decoy0.02as “The cup is in the box.”: barn falls from 0.91 to 0.89");
	expect(at("steps-none").hidden).toBe(true);
});

test("the population is said in words, runs can be stopped, a flipped problem can be loaded", () => {
	const { model, at } = shown({ state: state({ setup: [{ intervention: "Think" }] }), population: { ...POPULATION, running: true, done: 50 } });
	expect(at("population").textContent).toContain("61\u202f% → 84\u202f%50 of 200 done · 62 mended, 16 broken, 122 the same");
	expect(at("population").textContent).toContain("+23 (17 to 29) points");
	at("stop").click();
	at("flipped-41").click();
	expect(model.sent).toEqual([{ type: "stop" }, { type: "load_problem", seed: 41 }]);
	model.push({ seq: 9 });
	model.push({ population: POPULATION });
	expect(at("population").textContent).toContain("of the setting before");
});

test("a result that is not followed soon is called old, and not before", () => {
	vi.useFakeTimers();
	const { model, at } = shown({ population: POPULATION });
	at("switch-mask").click();
	vi.advanceTimersByTime(200);
	expect(at("population").classList.contains("ck-stale")).toBe(false);
	vi.advanceTimersByTime(100);
	expect(at("population").classList.contains("ck-stale")).toBe(true);
	model.push({ population: { ...POPULATION, seq: model.get("seq") ?? 0 } });
	expect(at("population").classList.contains("ck-stale")).toBe(false);
	vi.useRealTimers();
});

test("code is shown when it is copied, also where the page may not copy", async () => {
	const { at } = shown();
	const write = vi.fn().mockResolvedValue(undefined);
	vi.stubGlobal("navigator", { clipboard: { writeText: write } });
	at("copy").click();
	await vi.waitFor(() => expect(at("copied").textContent).toBe("Copied."));
	expect(write).toHaveBeenCalledWith("import ctkit as ct");
	vi.stubGlobal("navigator", {});
	at("copy").click();
	await vi.waitFor(() => expect(at("copied").textContent).toContain("select the code"));
	expect(at("code").closest("details")?.open).toBe(true);
	vi.unstubAllGlobals();
});

test("every control has a name", () => {
	shown({ population: POPULATION, steps: STEPS });
	const nameless = [...document.querySelectorAll<HTMLElement>("button, input, select, textarea, [role=listbox]")].filter((control) => {
		const labels = "labels" in control ? [...((control as HTMLInputElement).labels ?? [])] : [];
		return !control.getAttribute("aria-label") && !control.textContent?.trim() && !labels.some((label) => label.textContent?.trim());
	});
	expect(nameless.map((control) => control.outerHTML)).toEqual([]);
});

test("after the signal nothing listens and nothing is left", () => {
	const { model, stop } = shown();
	expect(model.listening).toBeGreaterThan(0);
	stop.abort();
	expect(model.listening).toBe(0);
	expect(document.querySelector(".ctkit")).toBeNull();
});

test("two widgets of a page, each with a copy of the script, share no name: the tabs of one leave the other's alone", async () => {
	vi.resetModules();
	const first = (await import("../src/lib/dom")).freshId("tab");
	vi.resetModules();
	expect((await import("../src/lib/dom")).freshId("tab")).not.toBe(first);
});
