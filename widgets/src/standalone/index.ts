// One page that needs no kernel and no network: the playground over what was recorded into the page.
import { h } from "../lib/dom";
import { render } from "../playground/index";
import * as more from "../playground/more";
import { bring } from "../playground/second";
import { opened } from "./opened";
import { RecordedModel } from "./recorded";

bring(more); // nobody is there to ask for it
const data = document.getElementById("ctkit-recorded");
const place = document.getElementById("ctkit-here");
if (data && place) {
	opened(data.textContent ?? "")
		.then((recorded) => {
			const model = new RecordedModel(recorded);
			if (model.missing()) place.before(h("p", { "data-test": "missing", style: "font: 13px system-ui, sans-serif" }, model.missing()));
			return render({ model, el: place });
		})
		.catch((error: unknown) => void (place.textContent = `This page cannot be opened: ${error instanceof Error ? error.message : String(error)}`));
}
