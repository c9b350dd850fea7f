// The extension: commands, a launcher card, the lessons in the side bar, and settings that the views follow.
// Every service is optional, since Notebook 7 has no launcher and a classroom's Lab may have less.

import { ILayoutRestorer, type JupyterFrontEnd, type JupyterFrontEndPlugin } from "@jupyterlab/application";
import { Dialog, ICommandPalette, Notification, showDialog } from "@jupyterlab/apputils";
import { PathExt } from "@jupyterlab/coreutils";
import { ILauncher } from "@jupyterlab/launcher";
import { ISettingRegistry } from "@jupyterlab/settingregistry";

import { said } from "./failure";
import { LessonFolder, type Shelf } from "./folder";
import { icon, iconUrl } from "./icon";
import { isLesson } from "./lesson";
import { LessonsPanel } from "./panel";
import { openPlayground, runIfJustMade } from "./playground";
import { applyPreferences, DEFAULTS, decodePreferences, type Preferences } from "./preferences";
import { cellRan, opened } from "./progress";
import { ProgressStore } from "./store";
import { watchBooks } from "./watch";

const ID = "ctkit-lab:plugin";
const COMMANDS = { playground: "ctkit-lab:playground", lessons: "ctkit-lab:lessons", reset: "ctkit-lab:reset" } as const;

const plugin: JupyterFrontEndPlugin<void> = {
	id: ID,
	description: "The playground and the lessons of ctkit.",
	autoStart: true,
	optional: [ILauncher, ICommandPalette, ISettingRegistry, ILayoutRestorer],
	activate: (app: JupyterFrontEnd, launcher: ILauncher | null, palette: ICommandPalette | null, registry: ISettingRegistry | null, restorer: ILayoutRestorer | null) => {
		const settings = new Settings();
		const panel = addLessons(app, settings, new ProgressStore(registry));
		restorer?.add(panel, panel.id);
		app.commands.addCommand(COMMANDS.playground, {
			label: "ctkit Playground",
			caption: "Flip a switch on a real model and see what changes",
			icon: (args) => (args.isPalette ? undefined : icon),
			execute: (args) => openPlayground(app, typeof args.cwd === "string" ? args.cwd : "", settings.now.model),
		});
		for (const command of Object.values(COMMANDS)) palette?.addItem({ command, category: "ctkit", args: { isPalette: true } });
		// among the notebooks, behind the default kernel: a section of our own would be the last, below the fold
		[COMMANDS.playground, COMMANDS.lessons].forEach((command, i) => launcher?.add({ command, category: "Notebook", rank: i + 1, kernelIconUrl: iconUrl }));
		if (registry) void settings.follow(registry);
		void runIfJustMade(app);
	},
};

/** The settings as they are now, and whoever wants to know of a change. */
class Settings {
	now: Preferences = DEFAULTS;
	changed = (): void => {};

	async follow(registry: ISettingRegistry): Promise<void> {
		try {
			const settings = await registry.load(ID);
			const take = () => {
				this.now = decodePreferences(settings.composite);
				applyPreferences(document.body, this.now);
				this.changed();
			};
			settings.changed.connect(take);
			take();
		} catch (error) {
			Notification.warning(`The settings of ctkit could not be read: ${said(error)}. The defaults hold.`);
		}
	}
}

function addLessons(app: JupyterFrontEnd, settings: Settings, store: ProgressStore): LessonsPanel {
	const { commands, serviceManager, shell } = app;
	const folder = new LessonFolder(serviceManager.contents);
	let shelf: Shelf | null = null;
	const show = () => panel.showLessons(shelf, store.value, store.problem);
	const refresh = async () => {
		const [read] = await Promise.all([folder.read(settings.now.lessons), store.load()]);
		shelf = read;
		show();
	};
	const inFolder = (path: string) => PathExt.dirname(serviceManager.contents.localPath(path)) === settings.now.lessons && isLesson(PathExt.basename(path));

	const panel = new LessonsPanel({
		open: (lesson) => void commands.execute("docmanager:open", { path: lesson.path, factory: "Notebook" }),
		playground: () => void commands.execute(COMMANDS.playground),
		refresh: () => void refresh(),
		reset: () => void commands.execute(COMMANDS.reset),
	});
	shell.add(panel, "left", { rank: 900 });
	store.changed.connect(show);
	settings.changed = () => void refresh();
	serviceManager.contents.fileChanged.connect((_contents, { oldValue, newValue }) => {
		if ([oldValue?.path, newValue?.path].some((path) => path && inFolder(path))) void refresh();
	});
	watchBooks(app, {
		opened: (path) => inFolder(path) && store.update((progress) => opened(progress, PathExt.basename(path))),
		ran: (path, cell, cells) => inFolder(path) && store.update((progress) => cellRan(progress, PathExt.basename(path), cell, cells)),
	});

	commands.addCommand(COMMANDS.lessons, {
		label: "ctkit Lessons",
		caption: "The course, lesson by lesson",
		icon: (args) => (args.isPalette ? undefined : icon),
		execute: () => {
			shell.activateById(panel.id);
			setTimeout(() => panel.activate(), 100); // the palette, closing, has given the focus back to where it was
		},
	});
	commands.addCommand(COMMANDS.reset, {
		label: "Reset ctkit Progress",
		execute: async () => {
			const body = "Every lesson counts as not started again. The notebooks stay as they are.";
			const { button } = await showDialog({ title: "Reset the progress?", body, buttons: [Dialog.cancelButton(), Dialog.warnButton({ label: "Reset" })] });
			if (button.accept) store.update(() => ({}));
		},
	});
	void app.restored.then(refresh);
	return panel;
}

export default plugin;
