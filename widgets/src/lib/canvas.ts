// A canvas that is sharp on any screen.

/** Sizes a canvas in CSS pixels and gives its context, scaled to them; null where there is no canvas (in unit tests). */
export function sized(canvas: HTMLCanvasElement, width: number, height: number): CanvasRenderingContext2D | null {
	const scale = pixelRatio();
	const w = Math.max(1, Math.round(width * scale));
	const h = Math.max(1, Math.round(height * scale));
	if (canvas.width !== w) canvas.width = w;
	if (canvas.height !== h) canvas.height = h;
	canvas.style.width = `${width}px`;
	canvas.style.height = `${height}px`;
	const context = canvas.getContext("2d");
	if (!context) return null;
	context.setTransform(scale, 0, 0, scale, 0, 0);
	context.clearRect(0, 0, width, height);
	return context;
}

/** Device pixels per CSS pixel. */
export function pixelRatio(): number {
	return Math.min(3, globalThis.devicePixelRatio || 1);
}
