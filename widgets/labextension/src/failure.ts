// What went wrong, as words of one line. An answer of the server carries its own; a lost server has none.

/** The words of anything that was thrown. */
export function said(error: unknown): string {
	const message = error instanceof Error ? error.message : String(error);
	if (error instanceof TypeError || message === "Failed to fetch") return "the server did not answer";
	return message.split("\n", 1)[0] || "no reason was given";
}

/** The HTTP status of an answer that the server refused with, else 0. */
export function statusOf(error: unknown): number {
	const response = typeof error === "object" && error !== null ? (error as { response?: unknown }).response : undefined;
	return response instanceof Response ? response.status : 0;
}
