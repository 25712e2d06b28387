// Which key does what.

import { isForUs, openKeys } from "../desk/keys.js";
import { CODES, COLUMNS } from "./marks.js";

/** @import { PageDesk } from "./desk.js" */

/**
 * @param {PageDesk} desk
 * @param {KeyboardEvent} event
 */
export function pressKey(desk, event) {
  const { acts, parts } = desk;
  if (!parts.root.isConnected) return;
  const keysOpen = openKeys(parts.root) !== null;
  if (event.key === "Escape" && keysOpen) {
    acts.toggleKeys();
    return;
  }
  if (!isForUs(event, parts.root)) return;
  const act = actOf(desk, event, keysOpen);
  if (!act) return;
  event.preventDefault();
  act();
}

/**
 * @param {PageDesk} desk
 * @param {KeyboardEvent} event
 * @param {boolean} keysOpen
 * @returns {(() => void) | undefined}
 */
function actOf({ acts, go, marks }, event, keysOpen) {
  if (event.ctrlKey) return acts.pageBack; // no other key comes with Ctrl
  if (event.key === "?") return acts.toggleKeys;
  if (keysOpen) return undefined;
  const place = CODES.indexOf(event.code);
  if (place >= 0) return () => acts.mark(place);
  /** @type {Partial<Record<string, () => void>>} */
  const moves = {
    ArrowLeft: () => acts.move(-1),
    ArrowRight: () => acts.move(1),
    ArrowUp: () => acts.move(-COLUMNS),
    ArrowDown: () => acts.move(COLUMNS),
    " ": () => marks && acts.mark(marks.frame),
    Enter: acts.commit,
    Backspace: acts.pageBack,
    g: () => go("single"),
    l: () => go("waits"),
    t: acts.toggleTogether,
    h: acts.enlarge,
  };
  return moves[event.key.length === 1 ? event.key.toLowerCase() : event.key];
}
