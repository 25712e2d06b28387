// Which key does what.

import { actOver, coveredBy, isForUs, keyOf, openKeys, uncover } from "../desk/keys.js";
import { isBlind, isFollowUp, isUnlabelled, showsEvidence } from "./desk.js";
import { typeOn } from "./picker.js";
import { isComing } from "./queue.js";
import { zoomKey } from "./zoom.js";

/** @import { ReviewDesk } from "./desk.js" */

const ALWAYS = new Set(["z", "g", "l", "ArrowLeft"]); // also at the end of the queue
const W_FIRST = "W comes first, then Enter or a digit takes a class";

/**
 * @param {ReviewDesk} desk
 * @param {KeyboardEvent} event
 */
export function pressKey(desk, event) {
  const { acts, parts } = desk;
  if (!parts.root.isConnected) return;
  const over = openKeys(parts.root);
  if (event.key === "Escape" && (over || desk.picker)) {
    if (desk.picker) acts.closePicker();
    else uncover(parts.root);
    return;
  }
  if (!isForUs(event, parts.root)) {
    const reason = coveredBy(event, parts.root);
    if (reason && actOf(desk, event)) acts.refuse(reason);
    return;
  }
  if (desk.picker) {
    typeOn(desk.picker, event); // a click may have led away from its field
    return;
  }
  const act = over ? actOver(over, keyOf(event), acts) : actOf(desk, event);
  if (!act) return;
  event.preventDefault();
  act();
}

/**
 * @param {ReviewDesk} desk
 * @param {KeyboardEvent} event
 * @returns {(() => void) | undefined}
 */
function actOf(desk, event) {
  const { acts } = desk;
  if (event.key === "?") return acts.toggleKeys;
  if (event.ctrlKey) return acts.undo; // no other key comes with Ctrl
  const key = keyOf(event);
  const closer = desk.queue.item && zoomKey(desk, key);
  if (closer) return closer;
  const move = /^[0-9]$/.test(key) ? digitMove(desk, key) : movesOf(desk)[key];
  if (!move || desk.queue.item || ALWAYS.has(key)) return move;
  return () => acts.refuse(isComing(desk) ? "the next image is still coming" : "no image is here");
}

/**
 * @param {ReviewDesk} desk
 * @param {string} key
 */
const digitMove = (desk, key) => () => {
  if (showsEvidence(desk) || isUnlabelled(desk) || isBlind(desk)) desk.acts.digit(key);
  else desk.acts.refuse(W_FIRST);
};

/**
 * @param {ReviewDesk} desk
 * @returns {Partial<Record<string, () => void>>}
 */
function movesOf(desk) {
  const { acts } = desk;
  const accept = () => {
    if (showsEvidence(desk)) acts.accept();
    else acts.refuse(whyNotYet(desk));
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
      if (desk.data.mode === "blind")
        acts.tell("Page mode tells the label: there is none in Blind.");
      else if (desk.data.labelling) acts.tell("Images without a class come one by one.");
      else desk.go("page");
    },
    b: acts.back,
    l: () => desk.go("waits"),
    c: acts.nextOverlay,
    d: () => acts.setOverlay(desk.turn.overlay === "difference" ? "" : "difference"),
    ArrowLeft: () => acts.step(-1),
    ArrowRight: () => acts.step(1),
    Escape: () => takeBackOrTell(desk),
    "/": () => acts.pickClass(false),
    a: accept,
    Enter: accept,
  };
}

/**
 * Why Enter takes no suggestion: none is shown.
 *
 * @param {ReviewDesk} desk
 */
function whyNotYet(desk) {
  if (isBlind(desk)) return "a blind look has no suggestion; / finds a class by its name";
  if (isUnlabelled(desk)) return "E comes first, it shows the suggestion";
  return W_FIRST;
}

/**
 * Esc takes a Wrong back, but neither one that was said on a page nor another image's answer.
 *
 * @param {ReviewDesk} desk
 */
function takeBackOrTell(desk) {
  if (desk.turn.phase !== "wrong") return;
  if (isFollowUp(desk))
    desk.acts.tell("It was marked on its page. K says that the label is right.");
  else desk.acts.undo();
}
