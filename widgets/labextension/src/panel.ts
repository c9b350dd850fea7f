// The panel in the side bar: the lessons, and how far the learner is with each.

import { Widget } from "@lumino/widgets";

import { h, setText } from "../../src/lib/dom";
import type { Shelf } from "./folder";
import { icon } from "./icon";
import type { Lesson } from "./lesson";
import { type Progress, type State, stateOf, stateWords } from "./progress";

export interface Actions {
	open(lesson: Lesson): void;
	playground(): void;
	refresh(): void;
	reset(): void;
}

export class LessonsPanel extends Widget {
	constructor(private readonly actions: Actions) {
		super();
		this.id = "ctkit-lessons";
		this.addClass("ck-lessons");
		this.title.icon = icon;
		this.title.caption = "ctkit lessons";
		const button = (name: string, words: string, act: () => void) => {
			const made = h("button", { type: "button", class: "ck-act", "data-test": name }, words);
			made.addEventListener("click", act);
			return made;
		};
		this.reset = button("reset", "Reset progress", () => actions.reset());
		const acts = h("div", { class: "ck-acts" }, button("new-playground", "New playground", () => actions.playground()), button("refresh", "Look again", () => actions.refresh()), this.reset);
		this.node.append(h("h2", {}, "Lessons"), this.summary, this.problem, this.list, acts);
		this.node.setAttribute("aria-label", "ctkit lessons");
		this.node.setAttribute("role", "region");
	}

	/** Shows the lessons and the progress; what went wrong stays in words until it is right. */
	showLessons(shelf: Shelf | null, progress: Progress, problem: string): void {
		if (!shelf) return setText(this.summary, "Reading the lessons …");
		const rows = shelf.lessons.map((lesson) => ({ lesson, state: stateOf(progress, lesson.name, lesson.cells) }));
		const finished = rows.filter((row) => row.state.kind === "finished").length;
		setText(this.summary, rows.length ? `${finished} of ${rows.length} finished` : "");
		setText(this.problem, [shelf.problem, problem].filter(Boolean).join(" "));
		this.problem.hidden = this.problem.textContent === "";
		this.reset.disabled = Object.keys(progress).length === 0;
		this.draw(rows);
	}

	/** Puts the keyboard on the first lesson that is not finished. */
	protected override onActivateRequest(): void {
		const buttons = [...this.node.querySelectorAll<HTMLButtonElement>("button.ck-lesson")];
		(buttons.find((made) => made.dataset.state !== "finished") ?? buttons[0] ?? this.node.querySelector<HTMLButtonElement>("button"))?.focus();
	}

	private draw(rows: readonly { lesson: Lesson; state: State }[]): void {
		const focused = (document.activeElement as HTMLElement | null)?.dataset.lesson;
		this.list.replaceChildren(...rows.map(({ lesson, state }) => h("li", {}, this.row(lesson, state))));
		if (focused !== undefined) this.list.querySelector<HTMLElement>(`[data-lesson="${CSS.escape(focused)}"]`)?.focus();
	}

	private row(lesson: Lesson, state: State): HTMLButtonElement {
		const made = h(
			"button",
			{ type: "button", class: "ck-lesson", "data-lesson": lesson.name, "data-state": state.kind },
			h("span", { class: "ck-mark", "aria-hidden": "true" }),
			h("span", { class: "ck-title" }, lesson.title),
			h("span", { class: "ck-state" }, stateWords(state)),
		);
		if (state.kind === "opened" && state.of) made.style.setProperty("--ck-share", `${state.ran / state.of}`);
		made.addEventListener("click", () => this.actions.open(lesson));
		return made;
	}

	private readonly summary = h("p", { class: "ck-summary", role: "status" });
	private readonly problem = h("p", { class: "ck-problem", role: "alert", hidden: true });
	private readonly list = h("ol", { class: "ck-list" });
	private readonly reset: HTMLButtonElement;
}
