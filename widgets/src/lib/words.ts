// Tokens and numbers as a reader sees them: whitespace visible, units in words, a true minus sign.

const NARROW = "\u202f"; // narrow no-break space
const UNSEEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** A token with its whitespace made visible; one leading space belongs to the word and is left out. */
export function shown(token: string): string {
	if (token === "") return "∅";
	const word = token.length > 1 && token.startsWith(" ") ? token.slice(1) : token;
	return word.replace(/\r?\n/g, "⏎").replace(/\t/g, "⇥").replace(/ /g, "·").replace(UNSEEN, "�");
}

/** A text of one or several tokens: a single space between words stays one, all other whitespace is made visible. */
export function visible(text: string): string {
	if (!/\S \S/.test(text)) return shown(text);
	return text.trimStart() === text ? seen(text) : seen(text.startsWith(" ") ? text.slice(1) : text);
}

function seen(text: string): string {
	return text.split(/(?<=\S) (?=\S)/).map(shown).join(" ");
}

/** The beginning of a long text. */
export function short(text: string, most = 24): string {
	const letters = [...visible(text)];
	return letters.length > most ? `${letters.slice(0, most - 1).join("")}…` : letters.join("");
}

/** A token in quotation marks. */
export function quoted(token: string): string {
	return `“${shown(token)}”`;
}

/** A probability or weight with two decimals; what is there but rounds to nothing reads "<0.01". */
export function number(value: number): string {
	if (value > 0 && value < 0.005) return "<0.01";
	return value.toFixed(2);
}

/** A difference with its sign. */
export function signed(value: number, digits = 2): string {
	const text = Math.abs(value).toFixed(digits);
	if (Number(text) === 0) return text;
	return (value > 0 ? "+" : "−") + text;
}

/** A fraction in per cent. */
export function percent(fraction: number): string {
	return `${Math.round(fraction * 100)}${NARROW}%`;
}

/** A number of points of 100, signed, as in "+23". */
export function points(fraction: number): string {
	return signed(fraction * 100, 0);
}

const PLAIN: Record<string, string> = { "\n": "a new line", "\t": "a tab", " ": "a space", "": "nothing that can be seen" };

/** What a token that is no word does, in words; null for an ordinary word. */
export function unwordly(token: string): string | null {
	const trimmed = token.replace(/ /g, "");
	if (token in PLAIN) return PLAIN[token] ?? null;
	if (trimmed === "") return "spaces";
	if (/^[\r\n]+$/.test(trimmed)) return "a new line";
	if (/^(<\|?(end|eos|endoftext|\/s|im_end|eot_id)[^>]*\|?>|<\/s>|⟨end⟩)$/i.test(trimmed)) return "the end of the text";
	return null;
}
