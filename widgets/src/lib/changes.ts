// Two texts word by word: which words of each the other does not have, in order. Pure.

const MOST = 600; // words: beyond them the table would be large, and nobody reads so far

export interface Word {
	text: string;
	/** Whether the other text does not have it (here). */
	own: boolean;
}

/** Both texts in words, each with the space before it; those of a longest common run are not their own. */
export function changes(before: string, after: string): [Word[], Word[]] {
	const [a, b] = [words(before), words(after)];
	const [rows, columns] = [a.length + 1, b.length + 1];
	const common = new Uint16Array(rows * columns); // the length of the longest common run of what is left
	for (let i = rows - 2; i >= 0; i--) {
		for (let j = columns - 2; j >= 0; j--) {
			const at = i * columns + j;
			common[at] = a[i]!.trim() === b[j]!.trim() ? common[at + columns + 1]! + 1 : Math.max(common[at + columns]!, common[at + 1]!);
		}
	}
	const [left, right]: [Word[], Word[]] = [[], []];
	let [i, j] = [0, 0];
	while (i < a.length || j < b.length) {
		const at = i * columns + j;
		if (i < a.length && j < b.length && a[i]!.trim() === b[j]!.trim()) {
			left.push({ text: a[i++]!, own: false });
			right.push({ text: b[j++]!, own: false });
		} else if (j >= b.length || (i < a.length && common[at + columns]! >= common[at + 1]!)) left.push({ text: a[i++]!, own: true });
		else right.push({ text: b[j++]!, own: true });
	}
	return [left, right];
}

function words(text: string): string[] {
	const found = text.match(/\s*[^\s]+|\s+$/g) ?? [];
	return found.length > MOST ? [...found.slice(0, MOST), found.slice(MOST).join("")] : found;
}

/** How often the end of a text says the same again: 1 where it does not. Up to eight words are one saying. */
export function repeats(text: string): number {
	const all = text.trim().split(/\s+/).filter(Boolean);
	let most = 1;
	for (let size = 1; size <= 8; size++) {
		const last = all.slice(-size).join(" ");
		let times = 1;
		while (all.slice(-size * (times + 1), -size * times).join(" ") === last && size * times < all.length) times++;
		most = Math.max(most, times);
	}
	return most;
}
