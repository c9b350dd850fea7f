// One page that needs no kernel and no network: the playground over what was recorded into the page.
import { render } from "../playground/index";
import { opened, RecordedModel } from "./recorded";

const data = document.getElementById("ctkit-recorded");
const place = document.getElementById("ctkit-here");
if (data && place) render({ model: new RecordedModel(opened(data.textContent ?? "")), el: place });
