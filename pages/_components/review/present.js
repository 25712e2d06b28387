// The present image, and the panel that follows what is said of it.

import { focus } from "../desk/keys.js";
import { isBlind, isFollowUp, isUnlabelled, showsEvidence } from "./desk.js";
import { noteHere } from "./here.js";
import { drawPanelSoon } from "./panel.js";
import { moveTo } from "./queue.js";
import { refuse, say, show } from "./say.js";
import { askForEvidence, drawItem, drawKeys, prepare } from "./stage.js";
import { openTurn, refused } from "./turn.js";

/** @import { ReviewDesk } from "./desk.js" */

/**
 * Show the image at a place of the queue.
 *
 * @param {ReviewDesk} desk
 * @param {number} index
 */
export function showAt(desk, index) {
  closePicker(desk);
  moveTo(desk.queue, index);
  const { item } = desk.queue;
  const told = item !== null && !item.blind;
  const here = told && desk.advised.has(item.row);
  const before = told ? (desk.advised.get(item.row) ?? item.advised) : labelSeen(desk);
  desk.turn = openTurn(isFollowUp(desk), here, before);
  if (told) desk.told.add(item.row);
  noteHere(desk);
  drawItem(desk);
  prepare(desk);
  if (showsEvidence(desk)) askForEvidence(desk);
}

/**
 * Whether the label that is hidden now was on the screen before: the look is no blind one then, which
 * the answer says, and so does the desk.
 *
 * @param {ReviewDesk} desk
 */
function labelSeen(desk) {
  const { item } = desk.queue;
  if (!item || !desk.told.has(item.row)) return false;
  if (desk.data.mode === "blind") show(desk, "You have seen its label: your answer says so.");
  return true;
}

/** @param {ReviewDesk} desk */
export function closePicker(desk) {
  if (!desk.picker) return;
  desk.picker.box.remove();
  desk.picker = null;
  focus(desk.parts.root);
}

/** @param {ReviewDesk} desk */
export function wrong(desk) {
  if (!desk.queue.item) return;
  if (desk.turn.phase === "wrong") {
    show(desk, "Called wrong already. Which class is it?");
    return;
  }
  if (isBlind(desk)) {
    show(desk, "The label is hidden: say what the image is.");
    return;
  }
  if (isUnlabelled(desk)) {
    reveal(desk); // there is no label to be wrong: what it could be is all that is asked
    return;
  }
  const words = refused(desk.turn, "wrong", desk.session.pressedAt);
  if (words) {
    refuse(desk, words);
    return;
  }
  askWhich(desk);
}

/**
 * Ask for the class, once the label was called wrong.
 *
 * @param {ReviewDesk} desk
 */
export function askWhich(desk) {
  desk.turn.phase = "wrong";
  desk.turn.asks = true;
  drawKeys(desk);
  askForEvidence(desk);
  drawPanelSoon(desk);
  say(desk, "Wrong. Which class is it?");
}

/** @param {ReviewDesk} desk */
export function reveal(desk) {
  if (!desk.queue.item) return;
  if (showsEvidence(desk)) {
    show(desk, "The suggestion is shown already.");
    return;
  }
  if (isBlind(desk)) {
    show(desk, "A blind look has no suggestion.");
    return;
  }
  desk.turn.revealed = desk.turn.asks = true;
  askForEvidence(desk);
  drawKeys(desk);
  drawPanelSoon(desk);
}
