// marimo shows each widget in a shadow tree: what happens in it looks, from outside, as if it happened to its host.
import { expect, test } from "vitest";
import { selectionIn } from "../src/playground/selecting";
import { shown } from "./shown";

function inShadow() {
	const host = document.createElement("div");
	document.body.replaceChildren(host);
	const tree = host.attachShadow({ mode: "open" });
	const place = document.createElement("div");
	tree.append(place);
	return { ...shown({}, place), host, tree };
}

test("a menu stays open for what is pressed in it, and closes for what is pressed elsewhere", () => {
	const { at, host } = inShadow();
	const menu = at("save").closest("details")!;
	const press = (target: Element) => target.dispatchEvent(new Event("pointerdown", { bubbles: true, composed: true }));
	menu.open = true;
	press(at("save-html"));
	expect(menu.open).toBe(true);
	press(host);
	expect(menu.open).toBe(false);
});

test("Escape closes a menu and leaves the focus at its button", () => {
	const { at, tree } = inShadow();
	const menu = at("save").closest("details")!;
	menu.open = true;
	at("save-html").focus();
	at("save-html").dispatchEvent(new KeyboardEvent("keydown", { key: "Escape", bubbles: true, composed: true }));
	expect(menu.open).toBe(false);
	expect(tree.activeElement).toBe(at("save"));
});

test("the selection is asked of the tree that knows it", () => {
	const { root, tree } = inShadow();
	expect(selectionIn(root)).toBe(document.getSelection());
	const own = {} as Selection;
	Object.assign(tree, { getSelection: () => own });
	expect(selectionIn(root)).toBe(own);
});
