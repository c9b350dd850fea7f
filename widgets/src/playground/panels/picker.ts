// Which model reads: its sizes on a button, and below it another one to load, by name.
import { h, listen, setAttributes, setShown, setText } from "../../lib/dom";
import { button, menu } from "../../lib/menu";
import type { Context, Panel } from "../context";

export function picker(context: Context): Panel {
	const { signal, model } = context;
	const shipped = h("div", { class: "ck-begin", role: "group", "aria-label": "Models in the box" });
	const name = h("input", { type: "text", "data-test": "model-id", spellcheck: "false", autocomplete: "off", placeholder: "gpt2, or a folder" });
	const device = h("select", { "data-test": "model-device" });
	const dtype = h("select", { "data-test": "model-dtype" });
	const load = button("load", "model-load", "Load this model");
	const cancel = button("cancel", "model-cancel", "Keep the old model");
	const said = h("p", { class: "ck-note", "data-test": "model-said", role: "status" });
	const form = h("form", { class: "ck-form" },
		h("label", {}, h("span", {}, "hub id or folder"), name), h("label", {}, h("span", {}, "device"), device), h("label", {}, h("span", {}, "numbers"), dtype), h("span", { class: "ck-inline" }, load, cancel));
	const sheet = menu("model", "…", "The model, and another one", signal, shipped, form, said);
	sheet.summary.replaceChildren(h("em", { "data-test": "model-name" }), h("span"));
	const [title, size] = [...sheet.summary.children] as [HTMLElement, HTMLElement];
	load.type = "submit";

	const ask = (wanted: string) => wanted && context.send({ type: "load_model", name: wanted, device: device.value, dtype: dtype.value });
	listen(form, "submit", (event) => {
		event.preventDefault();
		ask(name.value.trim());
	}, signal);
	listen(shipped, "click", (event) => {
		const chosen = event.target instanceof HTMLElement ? event.target.closest<HTMLElement>("[data-model]")?.dataset.model : undefined;
		if (chosen) ask(chosen);
	}, signal);
	listen(cancel, "click", () => context.send({ type: "cancel_model" }), signal);

	const results = () => {
		const loading = model.get("loading");
		const words = loading?.error ? `${loading.error.asked}: ${loading.error.found}. Try ${loading.error.remedy}. ${context.catalog.model.name} stays.` : (loading?.message ?? "");
		if (said.textContent !== words) context.say(words);
		setText(said, words);
		setShown(said, words !== "");
		setShown(cancel, loading?.busy ?? false);
		setAttributes(load, { disabled: loading?.busy ?? false });
	};
	const catalog = () => {
		const { model: now, choices } = context.catalog;
		setText(title, now.name);
		setText(size, now.n_layers ? ` · ${now.n_layers} layers × ${now.n_heads} heads · ${now.device} · ${now.dtype}` : "");
		shipped.replaceChildren(...choices.models.map((one) => h("button", { type: "button", class: "ck-button", "data-model": one, "data-test": `model-${one}`, "aria-pressed": String(one === now.name) }, one)));
		device.replaceChildren(h("option", { value: "" }, "the usual"), ...choices.devices.map((one) => h("option", { value: one }, one)));
		dtype.replaceChildren(...choices.dtypes.map((one) => h("option", { value: one }, one === "auto" ? "as saved" : one)));
		results();
	};
	return { el: sheet.el, catalog, results };
}
