// The synced traits, name for name as in ctkit/ui/view.py, and the little that a view needs of its model.

export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Entry = { intervention: string } & { [key: string]: Json };

export interface PieceText {
	name: string;
	text: string;
}

export interface Choice {
	label: string;
	value: Json;
	/** What other settings become with it. */
	also?: { [field: string]: Json };
}

/** A choice that decides what the entry is: the part of the entry that it writes, by which it is known again. */
export interface Way {
	label: string;
	value: string;
	entry: { [field: string]: Json };
}

interface FieldBase {
	name: string;
	/** The field of the entry, where it is called otherwise. */
	key?: string;
	label: string;
	hint?: string;
	value: Json;
	/** The field is shown only where the other fields have these values. */
	when?: { [field: string]: Json };
	/** Behind the word "more". */
	more?: boolean;
}

export type Field = FieldBase &
	(
		| { type: "choice"; choices: Choice[] }
		| { type: "direction"; choices: Choice[]; layer: number }
		| { type: "way"; choices: Way[] }
		| { type: "int"; min: number; max: number; optional?: boolean }
		| { type: "number"; min: number; max: number; step: number }
		| { type: "layers"; every?: boolean }
		| { type: "heads" | "code" | "paint" }
		| { type: "place"; optional?: boolean; select?: boolean; whole?: boolean }
		| { type: "pair"; labels: [string, string] }
		| { type: "places" }
		| { type: "range"; names?: [string, string]; min?: number; max?: number }
		| { type: "text" }
	);

export interface Switch {
	id: string;
	label: string;
	hint: string;
	unsupported: string | null;
	intervention: string;
	fields: Field[];
	/** Behind the words "more switches". */
	more?: boolean;
}

export interface Example {
	id: string;
	label: string;
	note: string;
	pieces: PieceText[];
	task: string | null;
	difficulty: number | null;
	setup: Entry[];
	options: { [panel: string]: { [name: string]: Json } };
	/** Why this model cannot show it, or null. */
	unsupported: string | null;
}

export interface Catalog {
	/** What a model picker offers. */
	choices: { models: string[]; devices: string[]; dtypes: string[] };
	model: { name: string; n_layers: number; n_heads: number; d_model: number; device: string; dtype: string; context: number | null };
	examples: Example[];
	tasks: { name: string; title: string; difficulties: number[] }[];
	switches: Switch[];
}

export interface PlayState {
	prompt: PieceText[];
	setup: Entry[];
	/** What runs "before": nothing, unless something is compared with. */
	against: Entry[];
	task: string | null;
	difficulty: number | null;
	n: number;
	seed: number;
}

export interface Tensor {
	shape: number[];
	/** How the bytes are packed (ctkit/ui/wire.py); left out: one byte a number. */
	packing?: "bytes" | "triangle" | "bits" | "causal" | "differences";
	data: DataView;
}

export interface Span {
	name: string;
	origin: string;
	reading: number;
	start: number;
	stop: number;
}

export interface Side {
	tokens: string[];
	pieces: Span[];
	/** The tokens with which words and sentences begin. */
	words: number[];
	sentences: number[];
	/** Null where the weights are too many to be sent at once. */
	attention: Tensor | null;
	allowed: Tensor | null;
	unknown: boolean[];
}

/** All heads of a long text made small, and numbers by head. */
export interface Heads {
	before: Tensor;
	after: Tensor | null;
	difference: Tensor | null;
	change: number[];
	change_hidden: number[];
	interest: number[];
}

/** One head of a long text in the units that were asked for. */
export interface Detail {
	seq: number;
	layer: number;
	head: number;
	side: "before" | "after";
	key: string;
	weights: Tensor;
	allowed: Tensor;
}

export interface NextToken {
	token: string;
	before: number;
	after: number | null;
}

export interface Frame {
	seq: number;
	/** Names the runs before and after. */
	run: string;
	/** Milliseconds in Python, and of them those of the model alone. */
	ms: number;
	model?: number;
	before: Side;
	after: Side | null;
	align: number[];
	fold: number[];
	next: NextToken[];
	sentence: string;
	/** Null where all weights are in the frame. */
	heads: Heads | null;
}

/** A frame as it is sent: the run before is a trait of its own, as most changes leave it as it is. */
export type Sent = Omit<Frame, "before"> & { before?: Side };

export interface DoseToken {
	id: number;
	token: string;
	/** Its probability at each strength; the lowest and highest along random directions, once there are any. */
	values: number[];
	low: number[] | null;
	high: number[] | null;
}

export interface Dose {
	seq: number;
	/** Why there is no curve; the other fields are there where it is empty. */
	note: string;
	name: string;
	op: string;
	doses: number[];
	at: number;
	/** Random directions so far, and in the end. */
	random: number;
	of: number;
	tokens: DoseToken[];
	offered: { id: number; token: string }[];
}

export interface Step {
	text: string;
	/** What stands before it: spaces, a line break. */
	lead: string;
	label: string | null;
	/** Whether it is not as it was in the first thought. */
	edited: boolean;
	/** Whether the model wrote it behind a beginning that somebody left standing. */
	written?: boolean;
	/** What its words read most, in shares of their attention. */
	reads: { name: string; text: string; share: number }[];
}

/** What one method found. Null: not measurable, or not measured yet (`done` says how many steps are). */
export interface Measured {
	answer: string;
	probability: number | null;
	done: number;
	passes: number;
	scores: (number | null)[];
	low: (number | null)[];
	high: (number | null)[];
	/** The scores that are drawn as outlines. */
	before: (number | null)[] | null;
	sentences: string[];
	/** The probabilities behind the scores, by what was read. */
	evaluations: { [name: string]: (number | null)[] };
}

/** What comes behind the thought; `before` is null where there is nothing to compare with. */
export interface Answers {
	answer: string;
	before: number | null;
	after: number;
	tokens: { token: string; before: number | null; after: number }[];
}

/** A thought as text, which Python splits, or in parts. */
export type Told = string | string[];

/** The panel's own settings; see ctkit/ui/steps/part.py. */
export type StepsOptions = {
	method?: string;
	by?: string;
	pattern?: string;
	/** `on`: the model writes on behind `now`. */
	thought?: { source: string; prompt: PieceText[]; base?: Told; now?: Told; on?: boolean } | null;
	draft?: boolean;
	detail?: boolean;
	matrix?: boolean;
	again?: number;
};

export interface Steps {
	seq: number;
	source: "model" | "task" | "hand";
	edited: boolean;
	base: Told;
	by: string;
	method: string;
	methods: { name: string; label: string; hint: string }[];
	thought: string;
	tail: string;
	steps: Step[];
	answers: Answers | null;
	/** What is drawn as an outline, in words. */
	outline: string;
	measures: { [method: string]: Measured };
	/** Later step (row) × step that it reads (column). */
	matrix: Tensor | null;
	running: { method: string; done: number; n: number } | null;
	sentence: string;
	error: Failure | null;
}

export interface Flipped {
	seed: number;
	text: string;
	answer: string;
	before: string;
	after: string;
}

export interface Population {
	seq: number;
	running: boolean;
	done: number;
	n: number;
	task: string;
	title: string;
	difficulty: number | null;
	baseline: number;
	edited: number;
	difference: number;
	low: number;
	high: number;
	mended: number;
	broken: number;
	same: number;
	flipped: Flipped[];
	/** Whether before and after are the same setup. */
	idle: boolean;
	note: string;
}

/** What each layer would say next. Layer l is the stream entering block l; the last is the model's own answer. */
export interface LensSide {
	top: string[];
	/** The first layer from which on the likeliest token is the final one. */
	settled: number;
}

export interface LensToken {
	token: string;
	before: number[];
	after: number[] | null;
}

export interface Lens {
	seq: number;
	tokens: LensToken[];
	before: LensSide | null;
	after: LensSide | null;
	note: string;
}

/** A text that a model writes. */
export interface Written {
	tokens: string[];
	/** Why it ended; null while it is being written. */
	stopped: string | null;
}

export interface Generated {
	seq: number;
	before: Written | null;
	after: Written | null;
	temperature: number;
	length: number;
	seed: number;
	running: boolean;
}

export interface Status {
	busy: string[];
	message: string;
}

export interface Failure {
	asked: string;
	found: string;
	remedy: string;
}

/** Another model on its way, or why it did not come. */
export interface Loading {
	name: string;
	busy: boolean;
	message: string;
	error: Failure | null;
}

export interface State {
	/** The same for all views of one object. */
	key: string;
	loading: Loading | null;
	/** The panels to show, by name; null: all. */
	panels: string[] | null;
	catalog: Catalog | null;
	state: PlayState | null;
	/** Panel → its own settings, which are no part of the setup. */
	options: { [panel: string]: { [name: string]: Json } } | null;
	seq: number;
	frame: Sent | null;
	before: Side | null;
	detail: Detail | null;
	dose: Dose | null;
	lens: Lens | null;
	generated: Generated | null;
	steps: Steps | null;
	population: Population | null;
	status: Status | null;
	error: Failure | null;
	code: string;
}

export type Command =
	| { type: "stop" }
	| { type: "head"; seq: number; layer: number; head: number; side: "before" | "after"; key: string; edges: number[] }
	| { type: "fit"; positive: string; negative: string; layer: number }
	| { type: "go_on" }
	| { type: "ping"; asked: number }
	| { type: "new_problem"; task: string | null; difficulty: number | null }
	| { type: "load_problem"; seed: number }
	| { type: "load_model"; name: string; device: string; dtype: string }
	| { type: "cancel_model" }
	| { type: "page"; asked: string; setups: Entry[][] }
	| { type: "script"; name: "more" }
	| { type: "ahead"; seq: number; state: PlayState };

/** What Python says once, that is no state. */
export type Reply = { type: "pong"; asked: number } | { type: "file"; asked: string; missing?: string } | { type: "script"; name: string; text: string } | { type: "failed"; asked: string; found: string } | { type: "ahead"; state: PlayState; frame: Sent };

/** What the view uses of an anywidget model; any host that has these five can show it. */
export interface Model {
	get<K extends keyof State>(name: K): State[K];
	set<K extends keyof State>(name: K, value: State[K]): void;
	save_changes(): void;
	send(message: Command): void;
	/** Events: "change:" and a name of a trait; "msg:custom", which has a reply; "comm_live_update". */
	on(event: string, listener: (reply: Reply, buffers: ArrayBufferView[]) => void): void;
	off?(event: string, listener: (reply: Reply, buffers: ArrayBufferView[]) => void): void;
}
