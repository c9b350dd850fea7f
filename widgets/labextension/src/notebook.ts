// The notebook behind the launcher's card: its name, its cells, its kernel. Pure.

import { DEFAULTS } from "./preferences";

export interface Spec {
	readonly name: string;
	readonly language: string;
	readonly display_name: string;
}

/** The name of a notebook that the folder does not hold yet. */
export function freeName(taken: readonly string[]): string {
	for (let i = 1; ; i++) {
		const name = i === 1 ? "playground.ipynb" : `playground-${i}.ipynb`;
		if (!taken.includes(name)) return name;
	}
}

/** The kernel that can run ctkit: python3, else the first for Python, else none. */
export function pythonKernel(specs: readonly Spec[]): Spec | null {
	const python = specs.filter((spec) => spec.language.toLowerCase() === "python");
	return python.find((spec) => spec.name === "python3") ?? python[0] ?? null;
}

/** The last cell: the playground of the model that the settings name. A string of JSON is one of Python. */
export function playgroundCode(model: string): string {
	return model === DEFAULTS.model ? "ct.Playground()" : `ct.Playground(ct.load(${JSON.stringify(model)}))`;
}

/** A notebook of two cells that shows the playground when it runs. */
export function playgroundNotebook(model: string, kernel: Spec): Record<string, unknown> {
	const code = (id: string, source: string) => ({ cell_type: "code", id, metadata: {}, execution_count: null, outputs: [], source });
	return {
		cells: [code("import", "import ctkit as ct"), code("playground", playgroundCode(model))],
		metadata: { kernelspec: { name: kernel.name, display_name: kernel.display_name, language: "python" } },
		nbformat: 4,
		nbformat_minor: 5,
	};
}
