// Names and numbers as words.

export const THIN = "\u202f"; // narrow no-break space

// What could break a line or turn it around; names of classes and files are untrusted.
const CONTROLS = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/g;
const DIRECTIONS = /[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]/g;

/**
 * @param {unknown} text
 * @returns {string} the text on one line, without signs that turn its direction
 */
export function oneLine(text) {
  return String(text ?? "")
    .replace(CONTROLS, " ")
    .replace(DIRECTIONS, "")
    .trim();
}

/**
 * @param {unknown} text
 * @param {number} [limit] letters, the ellipsis among them
 * @returns {string}
 */
export function short(text, limit = 24) {
  const line = oneLine(text);
  const letters = Array.from(line);
  if (letters.length <= limit) return line;
  return `${letters
    .slice(0, limit - 1)
    .join("")
    .trimEnd()}…`;
}

/**
 * A class's name, cut in the middle: of a hundred long ones many differ at their end alone.
 *
 * @param {unknown} text
 * @param {number} [limit] letters, the ellipsis among them
 * @returns {string}
 */
export function shortName(text, limit = 24) {
  const line = oneLine(text);
  const letters = Array.from(line);
  if (letters.length <= limit) return line;
  const end = Math.floor(limit / 3);
  const start = letters.slice(0, limit - 1 - end).join("");
  return `${start.trimEnd()}…${letters.slice(-end).join("").trimStart()}`;
}

/**
 * A path in two: its folders, and the name of its file, cut in the middle where it is very long.
 *
 * @param {unknown} path
 * @param {number} [limit] letters of the name, the ellipsis among them
 * @returns {[string, string]}
 */
export function folderAndFile(path, limit = 36) {
  const line = oneLine(path);
  const at = Math.max(line.lastIndexOf("/"), line.lastIndexOf("\\")) + 1;
  const letters = Array.from(line.slice(at));
  const start = Math.floor((limit - 1) / 2);
  const cut =
    letters.length > limit
      ? [...letters.slice(0, start), "…", ...letters.slice(start + 1 - limit)]
      : letters;
  return [line.slice(0, at), cut.join("")];
}

/** @param {number} n */
export const count = (n) => Math.round(n).toLocaleString("en-US");

/**
 * A share as every page shows it: what is neither nothing nor all is not said as 0 or 100 %.
 *
 * @param {number} share in [0, 1]
 */
export function percent(share) {
  const whole = Math.round(100 * share);
  if (share > 0 && whole === 0) return `<1${THIN}%`;
  if (share < 1 && whole === 100) return `>99${THIN}%`;
  return `${whole}${THIN}%`;
}

/**
 * A probability as every page shows it: two digits, and never certain.
 *
 * @param {number} p in [0, 1]
 */
export const chance = (p) => (p < 0.01 ? "<0.01" : p > 0.99 ? ">0.99" : p.toFixed(2));

/**
 * @param {number} n
 * @param {string} one
 * @param {string} [many] where it is more than an s
 */
export const plural = (n, one, many) => `${count(n)} ${n === 1 ? one : many || `${one}s`}`;

/** @param {number} value seconds */
export function seconds(value) {
  if (value < 9.95) return `${value.toFixed(1).replace(/\.0$/, "")} s`;
  const whole = Math.round(value);
  if (whole < 60) return `${whole} s`;
  return whole % 60 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${whole / 60} min`;
}

/** @param {string} name */
export const article = (name) => (/^[aeiou]/i.test(oneLine(name)) ? "an" : "a");
