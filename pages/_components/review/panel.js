// The panel beside the picture: what the class means before the answer, the evidence after it.

import { gap, h, missing } from "../desk/nodes.js";
import { bothClasses, listedTwice, nearest, samePicture } from "./alike.js";
import { panelAtEnd, panelBefore } from "./before.js";
import { choices } from "./choices.js";
import { showsEvidence } from "./desk.js";
import { mapsHere, needMaps } from "./evidence.js";
import { mapsSection } from "./maps.js";
import { byEpoch, lossByEpoch, opinions } from "./methods.js";
import { drawOverlay } from "./overlay.js";

/**
 * @import { ReviewDesk } from "./desk.js"
 * @import { Found } from "./evidence.js"
 */

const TALL = 960; // px: a window with room for both classes below the maps

/** @param {ReviewDesk} desk */
export function drawPanel(desk) {
  const { item } = desk.queue;
  const place = desk.parts.panel;
  const box = desk.picker?.box;
  // The picker stays where it is: a field that is moved loses the keys, and they would answer.
  for (const child of [...place.childNodes]) if (child !== box) child.remove();
  place.prepend(...panel(desk));
  if (box && box.parentNode !== place) place.append(box);
  const known = item && showsEvidence(desk) ? desk.evidence.get(item.row) : null;
  if (known?.state === "ready" && !known.maps) askForMaps(desk);
}

/** @param {ReviewDesk} desk */
export function askForMaps(desk) {
  needMaps(desk, () => {
    drawPanel(desk);
    drawOverlay(desk);
  });
}

/** @param {ReviewDesk} desk */
function panel(desk) {
  const { item } = desk.queue;
  if (!item) return panelAtEnd(desk);
  if (!showsEvidence(desk)) return panelBefore(desk, item);
  const known = desk.evidence.get(item.row);
  if (known?.state === "failed") return [panelFailed(desk)];
  if (known?.state !== "ready") {
    return [h("div", { class: "pc" }, choices(desk, null), h("div", { class: "skeleton tall" }))];
  }
  return desk.look.wide ? widePanel(desk, known.found) : [narrowPanel(desk, known.found)];
}

/** @param {ReviewDesk} desk */
function panelFailed(desk) {
  const words = "The evidence cannot be loaded now. Class keys, / and K still work.";
  const foot = h("div", { class: "foot" }, desk.outbox.saved);
  return h("div", { class: "pc" }, choices(desk, null), missing(words), foot);
}

/**
 * @param {ReviewDesk} desk
 * @param {Found} found
 */
function widePanel(desk, found) {
  const left = [choices(desk, found), mapsSection(desk), bothClasses(desk, found)];
  const right = [
    byEpoch(desk, found),
    listedTwice(desk, found),
    samePicture(desk, found),
    opinions(desk, found),
    nearest(desk, found),
    lossByEpoch(desk, found),
    gap(),
    lateFoot(desk),
  ];
  return [h("div", { class: "pc" }, left), h("div", { class: "pc" }, right)];
}

/**
 * @param {ReviewDesk} desk
 * @param {Found} found
 */
function narrowPanel(desk, found) {
  const maps = mapsHere(desk);
  const low = window.innerHeight <= TALL;
  const room = low ? (!maps || maps.state === "none") && !found.copies : true;
  const more = room
    ? h("div", { class: "two more" }, lossByEpoch(desk, found), bothClasses(desk, found))
    : null;
  return h(
    "div",
    { class: "pc" },
    choices(desk, found),
    listedTwice(desk, found),
    samePicture(desk, found),
    mapsSection(desk),
    h("div", { class: "two" }, byEpoch(desk, found), opinions(desk, found)),
    nearest(desk, found, !room),
    more,
    gap(),
    lateFoot(desk),
  );
}

/** @param {ReviewDesk} desk */
const lateFoot = (desk) => h("div", { class: "foot late" }, desk.outbox.saved);
