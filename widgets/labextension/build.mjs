// Builds the extension into ctkit/jupyter/labextensions: `node build.mjs`. The folder is said in package.json.
import { execFileSync } from "node:child_process";
import { createRequire } from "node:module";
import { dirname } from "node:path";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const { resolve } = createRequire(import.meta.url);
const core = resolve("@jupyterlab/core-meta/core.package.json"); // which packages Lab brings itself; never asked of the network
execFileSync(process.execPath, [resolve("@jupyter/builder/lib/build-labextension.js"), "--core-package-file", core, here], { stdio: "inherit" });
