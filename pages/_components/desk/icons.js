// Icons, drawn for this program on a grid of 24; strokes only.

import { svg } from "./nodes.js";

const ROUND = "M12 3.2a8.8 8.8 0 1 0 0 17.6a8.8 8.8 0 1 0 0-17.6";

const ICONS = {
  check: ["M5 12.6l4.6 4.6L19.2 7.4"],
  close: ["M6.4 6.4l11.2 11.2", "M17.6 6.4L6.4 17.6"],
  help: [ROUND, "M9.4 9.8a2.6 2.6 0 1 1 4 2.2c-.9.6-1.4 1-1.4 2", "M12 16.8v.4"],
  swap: ["M4 9.2h15.5", "M16.2 5.9l3.3 3.3l-3.3 3.3", "M20 16h-15.5", "M7.8 12.7L4.5 16l3.3 3.3"],
  stacks: ["M12 4l8.2 4.2L12 12.4L3.8 8.2z", "M4 12.4l8 4.1l8-4.1", "M4 16.4l8 4.1l8-4.1"],
  block: [ROUND, "M5.9 5.9l12.2 12.2"],
  skip: ["M6 6.2l8.6 5.8L6 17.8z", "M18 6v12"],
  hidden: [
    "M4 4l16 16",
    "M9.5 6.1a9.6 9.6 0 0 1 11.3 5.9a9.9 9.9 0 0 1-2.9 4",
    "M6.3 7.6A9.9 9.9 0 0 0 3.2 12a9.6 9.6 0 0 0 12.3 5.6",
    "M9.9 10.1a3 3 0 0 0 4.1 4.1",
  ],
  done: [ROUND, "M8.2 12.3l2.7 2.7l5-5.4"],
  waiting: [ROUND, "M12 7.4V12l3 2"],
  offline: [
    "M4 4l16 16",
    "M3.6 9.4a12.6 12.6 0 0 1 4-2.5",
    "M11.4 5.9a12.6 12.6 0 0 1 9 3.5",
    "M7 13a7.6 7.6 0 0 1 3.4-1.9",
    "M10.4 16.4a2.6 2.6 0 0 1 3.2 0",
    "M12 19.4v.2",
  ],
};

/** @typedef {keyof typeof ICONS} IconName */

/**
 * @param {string[]} paths
 * @param {number} size px
 */
export function drawn(paths, size) {
  const drawing = svg("svg", { viewBox: "0 0 24 24", class: "i", "aria-hidden": "true" });
  drawing.style.width = drawing.style.height = `${size}px`;
  drawing.append(...paths.map((d) => svg("path", { d })));
  return drawing;
}

/**
 * @param {IconName} name
 * @param {number} [size] px
 */
export const icon = (name, size = 18) => drawn(ICONS[name], size);
