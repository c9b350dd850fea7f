// Our sign: the causal triangle. Each row is a word, each square an earlier word that it may read.

import { LabIcon } from "@jupyterlab/ui-components";

const SQUARES = [
	[3, 3, 1],
	[3, 9.5, 0.55],
	[9.5, 9.5, 1],
	[3, 16, 0.35],
	[9.5, 16, 0.6],
	[16, 16, 1],
].map(([x, y, opacity]) => `<rect x="${x}" y="${y}" width="5" height="5" rx="1" opacity="${opacity}"/>`);

const svgstr = `<svg xmlns="http://www.w3.org/2000/svg" width="24" height="24" viewBox="0 0 24 24"><g fill="#3a82c8">${SQUARES.join("")}</g></svg>`;

export const icon = new LabIcon({ name: "ctkit-lab:icon", svgstr });

/** The same for a launcher card among the kernels, where an address is asked for. */
export const iconUrl = `data:image/svg+xml,${encodeURIComponent(svgstr)}`;
