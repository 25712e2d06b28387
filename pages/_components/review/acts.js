// What a person can do. A press is drawn at once and never waits for the server.

import { classKeys } from "../desk/classes.js";
import { toggleKeys } from "../desk/keys.js";
import { shortName } from "../desk/words.js";
import { accept, answer, digit, pickClass, relabel, undo } from "./answers.js";
import {
  chooseCurve,
  chooseSource,
  setOpacity,
  setOverlay,
  showMapsAnyway,
  swapNearest,
  toggleTogether,
} from "./look.js";
import { closePicker, reveal, wrong } from "./present.js";
import { refuse, show } from "./say.js";
import { back, jump, step } from "./travel.js";
import { nextMap } from "./turn.js";
import { looksWords } from "./said.js";

/**
 * @import { KeyRow } from "../desk/keys.js"
 * @import { Action } from "../desk/verdicts.js"
 * @import { ReviewDesk } from "./desk.js"
 * @import { MapName } from "./turn.js"
 *
 * @typedef {ReturnType<typeof actsOf>} Acts
 */

/** @type {KeyRow[]} */
const KEYS = [
  [["K"], "right: the label stays"],
  [["W"], "wrong: opens the suggestion"],
  [["U"], "unsure: to a second reviewer"],
  [
    ["A", "Enter"],
    "accept the suggestion (after Wrong; where it is shown from the start also at once, if the label is wrong with a chance of 0.10 or more)",
  ],
  [["0–9"], "the class of that digit (after Wrong)"],
  [["/"], "search a class by its name"],
  [["M"], "multiple: more than one class is right"],
  [["N"], "none fits"],
  [["S"], "skip; what you answered stays"],
  [["Z"], "undo: what you answered before stands again, as your last answer; also Ctrl Z"],
  [["E"], "show the suggestion now (recorded)"],
  [["C"], "map over the image: suggested, given, none"],
  [["D"], "difference of the maps over the image"],
  [["F"], "full size, from the original file; + and − zoom, arrows move it"],
  [["Esc"], "back to the whole picture"],
  [["←", "→"], "previous, next"],
  [["B"], "back to the queue, from an image opened out of turn"],
  [["L"], "what was skipped or is unsure"],
  [["T"], "one answer for all copies of this picture, or for this image alone"],
  [["G"], "page mode: twelve images at once"],
  [["?"], "this list"],
];

/** @type {KeyRow} */
const SUGGESTIONS = [["1–3"], "the suggestion of that number (after Wrong)"];

/**
 * The acts of one desk, for its buttons and keys.
 *
 * @param {ReviewDesk} desk
 */
export const actsOf = (desk) => ({
  /**
   * @param {Action} action
   * @param {{ label?: number, labels?: number[] }} [more]
   */
  answer: (action, more) => answer(desk, action, more),
  wrong: () => wrong(desk),
  reveal: () => reveal(desk),
  undo: () => undo(desk),
  /** @param {number} by */
  step: (by) => step(desk, by),
  accept: () => accept(desk),
  /**
   * @param {number} label
   * @param {string[]} [offered]
   */
  relabel: (label, offered) => relabel(desk, label, offered),
  /** @param {string} key */
  digit: (key) => digit(desk, key),
  /** @param {boolean} several */
  pickClass: (several) => pickClass(desk, several),
  closePicker: () => closePicker(desk),
  /** @param {number} row */
  jump: (row) => jump(desk, row),
  back: () => back(desk),
  /** @param {MapName} which */
  setOverlay: (which) => setOverlay(desk, which),
  nextOverlay: () => setOverlay(desk, nextMap(desk.turn.overlay)),
  /** @param {string} key */
  chooseSource: (key) => chooseSource(desk, key),
  showMapsAnyway: () => showMapsAnyway(desk),
  /** @param {string} key */
  chooseCurve: (key) => chooseCurve(desk, key),
  /** @param {number} opacity */
  setOpacity: (opacity) => setOpacity(desk, opacity),
  /** @param {boolean} byKey */
  swapNearest: (byKey) => swapNearest(desk, byKey),
  toggleTogether: () => toggleTogether(desk),
  /** @param {string} words */
  tell: (words) => show(desk, words),
  /** @param {string} reason */
  refuse: (reason) => refuse(desk, reason),
  toggleKeys: () => toggleKeys(desk.parts.root, () => keyRows(desk), looksWords(desk.data)),
});

/** @param {ReviewDesk} desk */
function keyRows({ data }) {
  const keys = classKeys(data);
  if (!keys) return KEYS.map((row) => (row[0][0] === "0–9" ? SUGGESTIONS : row));
  /** @type {KeyRow[]} */
  const classes = data.classes
    .slice(0, data.imported)
    .map((name, label) => [[String(keys[label])], shortName(name, 30)]);
  /** @param {KeyRow} row */
  const place = ([[key]]) => (Number(key) + 9) % 10; // 1 first, 0 last, as on the keyboard
  return [...KEYS, ...classes.sort((a, b) => place(a) - place(b))];
}
