// Which key does what.

import { isForUs, openKeys } from "../desk/keys.js";
import { meant } from "./layout.js";
import { COLUMNS } from "./marks.js";

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
function actOf({ acts, go, marks, layout }, event, keysOpen) {
  if (event.key === "?") return acts.toggleKeys;
  if (keysOpen) return undefined;
  if (event.ctrlKey) return acts.pageBack; // no other key comes with Ctrl
  const said = meant(layout, event);
  if (typeof said === "number") return () => acts.mark(said);
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
  return moves[said];
}
