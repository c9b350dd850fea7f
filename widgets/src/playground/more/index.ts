// The second script: what no first picture needs. It is fetched when a panel wants it, so that a notebook stays small.
export { dosePanel } from "../panels/dose";
export { painter } from "../panels/painter";
export { grid } from "../steps/grid";
export { fromJson } from "../received";
export { drawPicture, svgText, toPng } from "../picture/picture";
