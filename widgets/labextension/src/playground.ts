// Makes a notebook with the playground, opens it and runs it. Each step that fails is said in words.

import type { JupyterFrontEnd } from "@jupyterlab/application";
import { Notification } from "@jupyterlab/apputils";
import { PathExt } from "@jupyterlab/coreutils";

import { said } from "./failure";
import { freeName, playgroundNotebook, pythonKernel, type Spec } from "./notebook";
import { asBook, type Book } from "./watch";

const TO_RUN = "ctkit-lab:run"; // for Notebook 7, where the notebook opens as a page of its own
const PATIENCE = 60_000; // ms for a kernel to start

/** Opens a new playground in the folder, running. */
export async function openPlayground(app: JupyterFrontEnd, folder: string, model: string): Promise<void> {
	const kernel = await pythonOf(app);
	if (!kernel) return complain("This server has no Python kernel, and the playground needs one. In a terminal: python -m ipykernel install --sys-prefix");
	let path: string;
	try {
		path = await written(app, folder, model, kernel);
	} catch (error) {
		return complain(`No notebook could be written in ${folder ? `“${folder}”` : "the top folder"}: ${said(error)}. Choose a folder of your own in the file browser, then try again.`);
	}
	localStorage.setItem(TO_RUN, path);
	const book = asBook((await app.commands.execute("docmanager:open", { path, factory: "Notebook" })) ?? null);
	if (!book?.isAttached) return; // it opened as a page of its own, which finds the path there
	localStorage.removeItem(TO_RUN);
	await run(app, book);
}

/** On a page of its own: runs the notebook that another page has just made here. */
export async function runIfJustMade(app: JupyterFrontEnd): Promise<void> {
	await app.restored;
	const book = asBook(app.shell.currentWidget);
	if (!book || localStorage.getItem(TO_RUN) !== book.context.path) return;
	localStorage.removeItem(TO_RUN);
	await run(app, book);
}

async function run(app: JupyterFrontEnd, book: Book): Promise<void> {
	await book.context.ready;
	if (!(await kernelStarts(book))) {
		if (book.isDisposed) return; // closed by its reader
		return complain("The kernel did not start, so the playground cannot run. In a terminal, “ctkit doctor” says what is missing; then Kernel → Restart Kernel and Run All Cells.");
	}
	app.shell.activateById(book.id);
	await app.commands.execute("notebook:run-all-cells");
}

/** Whether the kernel gets ready; false as soon as it is dead. */
function kernelStarts(book: Book): Promise<boolean> {
	const { sessionContext } = book.context;
	return new Promise((resolve) => {
		const end = (started: boolean) => {
			clearTimeout(timer);
			sessionContext.statusChanged.disconnect(look);
			resolve(started);
		};
		const look = () => {
			const status = sessionContext.session?.kernel?.status;
			if (status === "idle" || status === "busy") end(true);
			if (status === "dead") end(false);
		};
		const timer = setTimeout(() => end(false), PATIENCE);
		sessionContext.statusChanged.connect(look);
		book.disposed.connect(() => end(false));
		look();
		sessionContext.ready.then(() => sessionContext.session?.kernel ?? end(false), () => end(false));
	});
}

async function pythonOf(app: JupyterFrontEnd): Promise<Spec | null> {
	const { kernelspecs } = app.serviceManager;
	await kernelspecs.ready;
	return pythonKernel(Object.values(kernelspecs.specs?.kernelspecs ?? {}).filter((spec) => spec !== undefined));
}

async function written(app: JupyterFrontEnd, folder: string, model: string, kernel: Spec): Promise<string> {
	const { contents } = app.serviceManager;
	const { content } = await contents.get(folder);
	const path = PathExt.join(folder, freeName((content as { name: string }[]).map((item) => item.name)));
	await contents.save(path, { type: "notebook", format: "json", content: playgroundNotebook(model, kernel) });
	return path;
}

function complain(words: string): void {
	Notification.error(words, { autoClose: false });
}
