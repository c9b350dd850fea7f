// The development page: `npm run harness`, then open harness/index.html#reread (or another scene).
import { render } from "../src/playground/index";
import * as more from "../src/playground/more";
import { bring } from "../src/playground/second";
import { FakeModel } from "./model";
import { answered } from "./fake";
import { SCENES } from "./scenes";

bring(more); // nobody is there to ask for it
const name = location.hash.slice(1) || "reread";
const model = new FakeModel((SCENES[name] ?? SCENES.reread!)());
const theme = new URLSearchParams(location.search).get("theme");
if (theme) document.documentElement.dataset.theme = theme;
document.body.style.background = theme === "dark" ? "#0b0d0f" : "#fff";
model.answers = answered; // a long text's heads, as Python would send them
render({ model, el: document.getElementById("here")! });
Object.assign(window, { model, SCENES });
