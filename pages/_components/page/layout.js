// What is printed on the keys of this keyboard, and what a press of them means on a page.

import { keyOf } from "../desk/keys.js";
import { CODES } from "./marks.js";

const ACTS = ["G", "H", "L", "T"];

/**
 * @typedef {Object} Layout
 * @property {string[]} tiles what is printed on the key of each tile
 * @property {Record<string, string>} acts what is printed on the key of each act, by its letter
 * @property {boolean} told whether the browser says what is printed
 * @property {boolean} byPlace whether the acts lie by their place, as the tiles do: the letter of one
 *   of them is on the key of a tile, as T is on Colemak
 */

/**
 * @param {{ get(code: string): string | undefined } | null} [printed] null where nobody tells
 * @returns {Layout}
 */
export function layoutOf(printed = null) {
  /** @param {string} code */
  const letter = (code) => (printed?.get(code) || code.slice(3)).toUpperCase();
  const tiles = CODES.map(letter);
  const byPlace = ACTS.some((act) => tiles.includes(act));
  const acts = ACTS.map((act) => [act, byPlace ? letter(`Key${act}`) : act]);
  return { tiles, acts: Object.fromEntries(acts), told: printed !== null, byPlace };
}

/**
 * What a press means: the place of a tile, or a key. What the screen says is printed on it decides.
 *
 * @param {Layout} layout
 * @param {Pick<KeyboardEvent, "key" | "code">} event
 * @returns {number | string}
 */
export function meant({ told, byPlace }, event) {
  const key = keyOf(event);
  if (!told && ACTS.includes(key.toUpperCase())) return key;
  const tile = CODES.indexOf(event.code);
  if (tile >= 0) return tile;
  return byPlace && event.code.startsWith("Key") ? event.code.slice(3).toLowerCase() : key;
}
