// Colours of the points, written by `python -m pages._components._palette` from the one palette.

/**
 * @typedef {"suspicion" | "verdict" | "class"} Colouring what a point's colour tells
 * @typedef {{ dot: string, ink: string } & Record<Colouring, string[]>} Palette
 */

/** @type {{ light: Palette, dark: Palette }} */
const PALETTES = {
  light: {
    dot: "#B4BCC5",
    ink: "#15181C",
    suspicion: ["#B4BCC5", "#E69F00", "#D55E00", "#0072B2"],
    verdict: ["#B4BCC5", "#009E73", "#0072B2", "#CC79A7", "#D55E00", "#E69F00", "#4B45C6"],
    class: ["#0072B2", "#C25200", "#009E73", "#882255", "#5B54DD", "#225522", "#C678B4", "#222255"],
  },
  dark: {
    dot: "#59636E",
    ink: "#E6E9ED",
    suspicion: ["#59636E", "#E8B04A", "#E9752A", "#4AA3DF"],
    verdict: ["#59636E", "#2FB88D", "#4AA3DF", "#D58CB5", "#E9752A", "#E8B04A", "#A8A4FF"],
    class: ["#4AA3DF", "#E9752A", "#2FB88D", "#AA4499", "#EEDD88", "#7A6FF0", "#D9534F", "#B2ABD2"],
  },
};

/**
 * @param {Colouring} mode
 * @param {boolean} dark
 * @returns {string[]} by slot; the last of the classes' is for all others
 */
export function coloursOf(mode, dark) {
  const palette = PALETTES[dark ? "dark" : "light"];
  return mode === "class" ? [...palette.class, palette.dot] : palette[mode];
}

/** @param {boolean} dark */
export const inkOf = (dark) => PALETTES[dark ? "dark" : "light"].ink;

/**
 * @param {string} hex `#rrggbb`
 * @returns {number[]} red, green, blue in 0..255
 */
export const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
