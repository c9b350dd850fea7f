// Bundles every view into ctkit/static: `node build.mjs [folder]`. The same sources give the same bytes anywhere.
// `node build.mjs --harness` builds the development page into harness/dist instead.
import { copyFile } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const views = ["playground"];
const shared = {
	absWorkingDir: here,
	bundle: true,
	charset: "utf8",
	legalComments: "none",
	logLevel: "warning",
	minify: !process.env.PLAIN,
	target: ["es2022", "chrome111", "firefox113", "safari16.4"],
};

if (process.argv.includes("--harness")) {
	await build({ ...shared, entryPoints: ["harness/harness.ts"], format: "iife", minify: false, outfile: "harness/dist/harness.js" });
	await build({ ...shared, entryPoints: ["src/playground/playground.css"], minify: false, outfile: "harness/dist/playground.css" });
} else {
	const out = process.argv[2] ? resolve(process.argv[2]) : resolve(here, "../ctkit/static");
	for (const view of views) {
		await build({ ...shared, entryPoints: [`src/${view}/index.ts`], format: "esm", outfile: `${out}/${view}.js` });
		await build({ ...shared, entryPoints: [`src/${view}/${view}.css`], outfile: `${out}/${view}.css` });
	}
	await build({ ...shared, entryPoints: ["src/playground/more/index.ts"], format: "esm", outfile: `${out}/more.js` });
	await build({ ...shared, entryPoints: ["src/standalone/index.ts"], format: "iife", outfile: `${out}/standalone.js` });
	await copyFile(resolve(here, "src/standalone/page.html"), `${out}/standalone.html`);
}
