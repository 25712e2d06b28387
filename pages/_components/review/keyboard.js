// Which key does what.

import { isForUs, keyOf, openKeys } from "../desk/keys.js";
import { isBlind, isUnlabelled, showsEvidence } from "./desk.js";
import { typeOn } from "./picker.js";
import { zoomKey } from "./zoom.js";

/** @import { ReviewDesk } from "./desk.js" */

const ALWAYS = new Set(["z", "g", "l", "ArrowLeft"]); // also at the end of the queue

/**
 * @param {ReviewDesk} desk
 * @param {KeyboardEvent} event
 */
export function pressKey(desk, event) {
  const { acts, parts } = desk;
  if (!parts.root.isConnected) return;
  const keysOpen = openKeys(parts.root) !== null;
  if (event.key === "Escape" && (keysOpen || desk.picker)) {
    if (desk.picker) acts.closePicker();
    else acts.toggleKeys();
    return;
  }
  if (!isForUs(event, parts.root)) return;
  if (desk.picker) {
    typeOn(desk.picker, event); // a click may have led away from its field
    return;
  }
  const act = actOf(desk, event, keysOpen);
  if (!act) return;
  event.preventDefault();
  act();
}

/**
 * @param {ReviewDesk} desk
 * @param {KeyboardEvent} event
 * @param {boolean} keysOpen
 * @returns {(() => void) | undefined}
 */
function actOf(desk, event, keysOpen) {
  if (event.key === "?") return desk.acts.toggleKeys;
  if (keysOpen) return undefined;
  if (event.ctrlKey) return desk.acts.undo; // no other key comes with Ctrl
  const key = keyOf(event);
  const closer = desk.queue.item && zoomKey(desk, key);
  if (closer) return closer;
  const move = /^[0-9]$/.test(key) ? digitMove(desk, key) : movesOf(desk)[key];
  const idle = !desk.queue.item && !ALWAYS.has(key);
  return move && idle ? () => {} : move;
}

/**
 * @param {ReviewDesk} desk
 * @param {string} key
 */
const digitMove = (desk, key) => () => {
  if (showsEvidence(desk) || isUnlabelled(desk) || isBlind(desk)) desk.acts.digit(key);
};

/**
 * @param {ReviewDesk} desk
 * @returns {Partial<Record<string, () => void>>}
 */
function movesOf(desk) {
  const { acts } = desk;
  /** @param {() => void} act */
  const after = (act) => () => {
    if (showsEvidence(desk)) act();
  };
  return {
    k: () => acts.answer("keep"),
    w: acts.wrong,
    u: () => acts.answer("unsure"),
    n: () => acts.answer("none"),
    s: () => acts.answer("skip"),
    m: () => acts.pickClass(true),
    z: acts.undo,
    e: acts.reveal,
    t: acts.toggleTogether,
    g: () => {
      if (!desk.data.labelling && desk.data.mode !== "blind") desk.go("page");
    },
    b: acts.back,
    l: () => desk.go("waits"),
    c: acts.nextOverlay,
    d: () => acts.setOverlay(desk.turn.overlay === "difference" ? "" : "difference"),
    ArrowLeft: () => acts.step(-1),
    ArrowRight: () => acts.step(1),
    Escape: () => {
      if (desk.turn.phase === "wrong") acts.undo();
    },
    "/":
      isUnlabelled(desk) || isBlind(desk)
        ? () => acts.pickClass(false)
        : after(() => acts.pickClass(false)),
    a: after(acts.accept),
    Enter: after(acts.accept),
  };
}
