// One page that needs no kernel and no network: the playground over what was recorded into the page.
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
		.then((recorded) => void render({ model: new RecordedModel(recorded), el: place }))
		.catch((error: unknown) => void (place.textContent = `This page cannot be opened: ${error instanceof Error ? error.message : String(error)}`));
}
