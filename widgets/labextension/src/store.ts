// Keeps the learner's progress among JupyterLab's settings: the same in every workspace, browser and Notebook 7.

import type { ISettingRegistry } from "@jupyterlab/settingregistry";
import type { JSONObject } from "@lumino/coreutils";
import { Signal } from "@lumino/signaling";

import { said } from "./failure";
import { decodeProgress, type Progress } from "./progress";

const PLUGIN = "ctkit-lab:progress";
const KEY = "lessons";

type Change = (progress: Progress) => Progress;

export class ProgressStore {
	readonly changed = new Signal<this, void>(this);
	value: Progress = {};
	problem = "";

	constructor(private readonly registry: ISettingRegistry | null) {
		if (!registry) this.problem = "Progress is kept only until this page is closed: the server keeps no settings.";
	}

	/** Reads what was kept, and looks for what another tab has kept since. */
	async load(): Promise<void> {
		if (!this.registry) return;
		try {
			this.value = this.pending.reduce((value, change) => change(value), await this.kept(this.registry));
			this.problem = "";
		} catch (error) {
			this.problem = `Progress could not be read: ${said(error)}.`;
		}
		this.changed.emit();
	}

	/** Changes the record at once, and what is kept soon after. */
	update(change: Change): void {
		const value = change(this.value);
		if (value === this.value) return;
		this.value = value;
		this.changed.emit();
		if (!this.registry) return;
		this.pending.push(change);
		if (!this.saving) this.saving = this.save(this.registry).finally(() => (this.saving = null));
	}

	private async save(registry: ISettingRegistry): Promise<void> {
		while (this.pending.length) {
			const changes = this.pending.splice(0);
			try {
				const value = changes.reduce((before, change) => change(before), await this.kept(registry));
				await registry.set(PLUGIN, KEY, value as unknown as JSONObject);
				this.problem = "";
			} catch (error) {
				this.problem = `Progress could not be kept: ${said(error)}.`;
			}
			this.changed.emit();
		}
	}

	private async kept(registry: ISettingRegistry): Promise<Progress> {
		return decodeProgress((await registry.reload(PLUGIN)).composite[KEY]);
	}

	private readonly pending: Change[] = [];
	private saving: Promise<void> | null = null;
}
