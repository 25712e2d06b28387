// One image's turn: what was asked, and what the person may have seen of the methods' advice.

import { counts } from "../desk/seen.js";

/**
 * @import { Action } from "../desk/verdicts.js"
 *
 * @typedef {"commit" | "assisted" | "blind"} Mode
 * @typedef {"" | "suggested" | "given" | "difference"} MapName "" is none
 *
 * @typedef {Object} Turn
 * @property {"ask" | "wrong"} phase whether the label was called wrong, and the class is asked for
 * @property {boolean} revealed whether the advice was shown before the answer
 * @property {boolean} advised whether it was at an earlier turn: it is not shown again, but was seen
 * @property {number | null} seenAt ms of the page's clock when the picture was on screen
 * @property {boolean} broken whether the picture cannot be loaded
 * @property {MapName} overlay the map over the image
 * @property {boolean} [asks] whether the choices were just asked for: they are brought into sight
 * @property {boolean} together whether the answer goes to all copies of the picture
 */

/** @type {Set<Action>} */
const NAMES_CLASS = new Set(["relabel", "multiple", "none"]);

/**
 * @param {boolean} marked called wrong on a page, before any advice
 * @param {boolean} [advised] whether the advice was shown at an earlier turn in this window
 * @param {boolean} [before] whether it was before the image came, so before any mark
 * @returns {Turn}
 */
export const openTurn = (marked, advised = false, before = false) => ({
  phase: marked ? "wrong" : "ask",
  revealed: false,
  advised: before || (advised && !marked),
  seenAt: null,
  broken: false,
  overlay: "",
  together: false,
});

/** @type {Set<Action | "wrong">} */
const WITHOUT_PICTURE = new Set(["skip", "unsure"]);

/**
 * Why an answer does not count now: its picture has only just come, or never will. No press is
 * refused for what was pressed before it.
 *
 * @param {Turn} turn
 * @param {Action | "wrong"} action
 * @param {number} now ms
 * @returns {string} the reason; empty where it counts
 */
export function refused(turn, action, now) {
  if (turn.broken) {
    return WITHOUT_PICTURE.has(action) ? "" : "the image cannot be loaded; S skips it";
  }
  return counts(turn, now) ? "" : "the image had only just come";
}

/**
 * Whether the panel shows the advice.
 *
 * @param {Turn} turn
 * @param {Mode} mode
 */
export const advises = (turn, mode) =>
  mode !== "blind" && (turn.phase === "wrong" || turn.revealed || mode === "assisted");

/** Below this chance a label is called wrong first, before one key takes another class. */
const UNLIKELY = 0.1;

/**
 * Whether Enter would relabel what is hardly wrong, without anybody having called it so.
 *
 * @param {Turn} turn
 * @param {number | null | undefined} p chance that the label is wrong
 */
export const isHasty = (turn, p) => turn.phase !== "wrong" && typeof p === "number" && p < UNLIKELY;

/**
 * Whether the advice may have moved an answer. After a blind Wrong it is no influence on the
 * verdict, only on the class; a verdict that takes the Wrong back has seen it.
 *
 * @param {Turn} turn
 * @param {Mode} mode
 * @param {Action} action
 * @param {boolean} asked whether the evidence was asked for
 */
export function sawAdvice(turn, mode, action, asked) {
  if (mode === "assisted" || turn.revealed || turn.advised) return true;
  return turn.phase === "wrong" && asked && !NAMES_CLASS.has(action);
}

/**
 * Whether the advice was perhaps on screen with an answer that is taken back: it was asked for, or
 * came once the label was called wrong. An image without a class is named with none.
 *
 * @param {{ action: Action | "reopen", revealed?: boolean, mode?: string, no_class?: boolean }} last
 */
export const mayHaveAdvised = ({ action, revealed, mode, no_class: apart }) =>
  Boolean(
    revealed || (NAMES_CLASS.has(/** @type {Action} */ (action)) && mode !== "blind" && !apart),
  );

/**
 * Take back the Wrong; what was seen was seen.
 *
 * @param {Turn} turn
 * @param {boolean} asked whether the evidence was asked for
 */
export function takeBackWrong(turn, asked) {
  turn.revealed ||= asked;
  turn.phase = "ask";
  turn.overlay = "";
}

/** @type {MapName[]} */
const OVERLAYS = ["", "suggested", "given"];

/**
 * @param {MapName} name
 * @returns {MapName} the map that C shows next
 */
export const nextMap = (name) => OVERLAYS[(OVERLAYS.indexOf(name) + 1) % OVERLAYS.length];
