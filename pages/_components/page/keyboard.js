// Which key does what.

import { actOver, coveredBy, isForUs, openKeys, uncover } from "../desk/keys.js";
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
  const over = openKeys(parts.root);
  if (event.key === "Escape" && over) {
    uncover(parts.root);
    return;
  }
  if (!isForUs(event, parts.root)) {
    const reason = coveredBy(event, parts.root);
    if (reason && actOf(desk, event)) acts.refuse(reason);
    return;
  }
  const key = event.key === "?" ? "?" : String(meant(desk.layout, event));
  const act = over ? actOver(over, key, acts) : actOf(desk, event);
  if (!act) return;
  event.preventDefault();
  act();
}

/**
 * @param {PageDesk} desk
 * @param {KeyboardEvent} event
 * @returns {(() => void) | undefined}
 */
function actOf({ acts, go, marks, layout }, event) {
  if (event.key === "?") return acts.toggleKeys;
  if (event.ctrlKey) return acts.pageBack; // no other key comes with Ctrl
  const said = meant(layout, event);
  if (typeof said === "number") return () => acts.mark(said);
  /** @type {Partial<Record<string, () => void>>} */
  const moves = {
    ArrowLeft: () => acts.move(-1),
    ArrowRight: () => acts.move(1),
    ArrowUp: () => acts.move(-COLUMNS),
    ArrowDown: () => acts.move(COLUMNS),
    " ": () => acts.mark(marks?.frame ?? 0),
    Enter: acts.commit,
    Backspace: acts.pageBack,
    g: () => go("single"),
    l: () => go("waits"),
    t: acts.toggleTogether,
    h: acts.enlarge,
  };
  return moves[said];
}
