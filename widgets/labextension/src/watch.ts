// Notices which lesson is opened and which of its cells run, from the messages between the page and its kernel.

import type { JupyterFrontEnd } from "@jupyterlab/application";
import type { ISessionContext } from "@jupyterlab/apputils";
import type { Kernel, KernelMessage } from "@jupyterlab/services";
import type { Widget } from "@lumino/widgets";

import { codeCells } from "./lesson";

/** What we need of an open notebook. Every version of JupyterLab 4 and Notebook 7 has it, whoever made the panel. */
export interface Book extends Widget {
	readonly context: { readonly path: string; readonly ready: Promise<void>; readonly sessionContext: ISessionContext };
	readonly content: Widget & { readonly model: { toJSON(): unknown } | null };
}

export interface Noticed {
	opened(path: string): void;
	ran(path: string, cell: string, cells: readonly string[]): void;
}

/** The notebook that this widget is, or null. */
export function asBook(widget: Widget | null): Book | null {
	const context = (widget as Partial<Book> | null)?.context;
	return context?.sessionContext && context.path.endsWith(".ipynb") ? (widget as Book) : null;
}

/** Watches every notebook that comes to the front. */
export function watchBooks(app: JupyterFrontEnd, noticed: Noticed): void {
	const seen = new WeakSet<Widget>();
	const look = () => {
		const book = asBook(app.shell.currentWidget);
		if (!book) return;
		noticed.opened(book.context.path);
		if (seen.has(book)) return;
		seen.add(book);
		watchKernel(book, noticed);
	};
	app.shell.currentChanged?.connect(look);
	void app.restored.then(look);
}

function watchKernel(book: Book, noticed: Noticed): void {
	const cells = new Map<string, string>(); // message → cell
	const listen = (_kernel: Kernel.IKernelConnection, { msg, direction }: Kernel.IAnyMessageArgs) => {
		if (direction === "send" && msg.header.msg_type === "execute_request") {
			const cell = (msg.metadata as Record<string, unknown>).cellId;
			if (typeof cell === "string") cells.set(msg.header.msg_id, cell);
		} else if (direction === "recv" && msg.header.msg_type === "execute_reply") {
			const asked = (msg.parent_header as KernelMessage.IHeader).msg_id;
			const cell = cells.get(asked);
			cells.delete(asked);
			const fine = (msg as KernelMessage.IExecuteReplyMsg).content.status === "ok";
			if (cell && fine) noticed.ran(book.context.path, cell, codeCells(book.content.model?.toJSON()));
		}
	};
	let kernel: Kernel.IKernelConnection | null = null;
	const follow = () => {
		kernel?.anyMessage.disconnect(listen);
		kernel = book.context.sessionContext.session?.kernel ?? null;
		kernel?.anyMessage.connect(listen);
	};
	book.context.sessionContext.kernelChanged.connect(follow);
	book.disposed.connect(() => kernel?.anyMessage.disconnect(listen));
	follow();
}
