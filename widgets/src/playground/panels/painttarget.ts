// What is painted on: the mask of the setup as paint, and the layers and heads that it is for.
import { h } from "../../lib/dom";
import type { Context } from "../context";
import type { Reading } from "../decode";
import { headStrip, layerStrip } from "../fields/strip";
import { blank, copied, fitted, maskAt, type Paint, readPaint } from "../paint";
import type { Field, Json } from "../types";

/** The mask of the setup as paint on these tokens: what was painted, a copy of another rule, or nothing. */
export function present(context: Context, side: Reading): { paint: Paint; resting: string[] } {
	const { setup } = context.state;
	const entry = setup[maskAt(setup)];
	const old = entry ? readPaint(entry.kind ?? null) : null;
	if (old) return fitted(old, side);
	const first = (value: Json | undefined) => (Array.isArray(value) && typeof value[0] === "number" ? value[0] : 0);
	return { paint: entry ? copied(side, first(entry.layers), first(entry.heads)) : blank(side), resting: [] };
}

/** The layers and heads of the mask that the setup has. */
export function targetIn(context: Context): { layers: Json; heads: Json } {
	const entry = context.state.setup[maskAt(context.state.setup)];
	return { layers: entry?.layers ?? null, heads: entry?.heads ?? null };
}

/** Strips for the layers and heads that the paint is for, where no switch has them. */
export function targets(context: Context, signal: AbortSignal) {
	const field = (name: "layers" | "heads", label: string): Field => ({ name, label, type: name, value: null });
	const { n_layers, n_heads } = context.catalog.model;
	const options = (test: string) => ({ test: `painter-${test}`, layers: n_layers, heads: n_heads, signal });
	let value = targetIn(context);
	const tell = (name: "layers" | "heads") => (now: Json) => {
		value = { ...value, [name]: now };
		const at = maskAt(context.state.setup);
		if (at >= 0) context.commit({ setup: context.state.setup.map((entry, i) => (i === at ? { ...entry, ...value } : entry)) });
	};
	const both = [layerStrip(field("layers", "in the layers"), options("layers"), tell("layers")), headStrip(field("heads", "in the heads"), options("heads"), tell("heads"))] as const;
	const show = () => {
		if (maskAt(context.state.setup) >= 0) value = targetIn(context);
		both[0].show(value.layers);
		both[1].show(value.heads);
	};
	show();
	return { el: h("div", { class: "ck-targets" }, both[0].el, both[1].el), value: () => value, show };
}
