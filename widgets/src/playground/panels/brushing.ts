// Pointer and keys over a matrix of cells, as strokes: where they begin, what they touch, and when they end.
import { listen } from "../../lib/dom";
import { moved as stepped } from "../../lib/keys";
import { type Spot, type Target, type Tool, touched } from "../brush";
import { bring, cellUnder, type LaidOut } from "./layout";

export interface Brush {
	/** The cell that is pointed at. */
	cursor: Spot | null;
	/** Two corners of what was chosen by keys. */
	chosen: [Spot, Spot] | null;
	/** Whether a stroke is under way. */
	busy: boolean;
}

export interface Brushing {
	canvas: HTMLCanvasElement;
	scroll: HTMLElement;
	signal: AbortSignal;
	tool(): Tool;
	window(): LaidOut | null;
	units(): number;
	moved(aloud: boolean): void;
	/** What a stroke from a cell is to do. */
	started(from: Spot): Target;
	stroked(spots: Spot[], target: Target): void;
	ended(): void;
	cancelled(): void;
}

export function brushing(on: Brushing): Brush {
	const { canvas, scroll, signal } = on;
	const brush: Brush = { cursor: null, chosen: null, busy: false };
	let from: Spot | null = null;
	let last: Spot | null = null;
	let target: Target = "causal";

	const spotAt = (event: PointerEvent): Spot | null => {
		const window = on.window();
		return window && cellUnder(event, canvas, window, on.units());
	};
	const paint = (to: Spot) => {
		if (!from || !last) return;
		const tool = on.tool();
		on.stroked(touched(tool, tool === "cells" ? last : from, to, on.units()), target);
		last = to;
	};
	listen(canvas, "pointerdown", (event) => {
		const spot = spotAt(event);
		if (!spot || event.button !== 0) return;
		event.preventDefault();
		scroll.focus({ preventScroll: true });
		canvas.setPointerCapture?.(event.pointerId);
		[from, last, target, brush.busy, brush.cursor, brush.chosen] = [spot, spot, on.started(spot), true, spot, null];
		paint(spot);
	}, signal);
	listen(canvas, "pointermove", (event) => {
		const spot = spotAt(event);
		if (brush.busy && spot) {
			if (spot.row === brush.cursor?.row && spot.column === brush.cursor.column) return;
			brush.cursor = spot;
			paint(spot);
		} else if (!brush.chosen) {
			brush.cursor = spot;
			on.moved(false);
		}
	}, signal);
	listen(canvas, "pointerleave", () => {
		if (brush.busy || brush.chosen) return;
		brush.cursor = null;
		on.moved(false);
	}, signal);
	const end = (kept: boolean) => {
		if (!brush.busy) return;
		[from, last, brush.busy] = [null, null, false];
		if (kept) on.ended();
		else on.cancelled();
	};
	listen(canvas, "pointerup", () => end(true), signal);
	listen(canvas, "pointercancel", () => end(false), signal);

	listen(scroll, "keydown", (event) => {
		if (event.ctrlKey || event.metaKey || event.altKey || !on.units()) return;
		if (event.key === "Escape") return brush.busy ? end(false) : leave();
		if (event.key === " " || (event.key === "Enter" && !event.shiftKey)) {
			event.preventDefault();
			return press();
		}
		const at = brush.cursor ?? { row: on.units() - 1, column: 0 };
		const to = stepped(event.key, at, on.units(), on.units());
		if (!to) return;
		event.preventDefault();
		brush.chosen = event.shiftKey ? [brush.chosen?.[0] ?? at, to] : null;
		brush.cursor = to;
		const window = on.window();
		if (window) bring(scroll, window, to);
		on.moved(true);
	}, signal);
	const leave = () => {
		[brush.cursor, brush.chosen] = [null, null];
		on.moved(false);
	};
	const press = () => {
		const spot = brush.cursor;
		if (!spot) return;
		const [start, stop] = brush.chosen ?? [spot, spot];
		const tool = brush.chosen && on.tool() === "cells" ? "rectangle" : on.tool();
		on.stroked(touched(tool, start, stop, on.units()), on.started(start));
		brush.chosen = null;
		on.ended();
	};
	return brush;
}
