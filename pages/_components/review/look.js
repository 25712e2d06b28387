// How the panel shows what it shows: maps over the image, whose maps, which neighbours.

import { focus } from "../desk/keys.js";
import { short } from "../desk/words.js";
import { showsEvidence } from "./desk.js";
import { mapsHere } from "./evidence.js";
import { drawOverlay } from "./overlay.js";
import { askForMaps, drawPanel } from "./panel.js";
import { say, show } from "./say.js";
import { drawKeys } from "./stage.js";

/**
 * @import { ReviewDesk } from "./desk.js"
 * @import { MapName } from "./turn.js"
 */

const FOR_ALL = "One answer for all copies of this picture; the next picture is asked alone.";

/**
 * @param {ReviewDesk} desk
 * @param {MapName} which
 */
export function setOverlay(desk, which) {
  const maps = mapsHere(desk);
  if (!showsEvidence(desk)) show(desk, "The map comes after your answer.");
  else if (maps?.state === "making") show(desk, "The map is being drawn.");
  else if (maps?.state === "hidden") show(desk, `No map: ${short(maps.words, 160)}`);
  else if (maps?.state !== "ready")
    show(desk, `The map comes with a run of ${desk.data.comes_with.maps}.`);
  else {
    desk.turn.overlay = which;
    drawPanel(desk);
    drawOverlay(desk);
  }
}

/**
 * @param {ReviewDesk} desk
 * @param {string} key
 */
export function chooseSource(desk, key) {
  desk.look.mapSource = key;
  askForMaps(desk);
  drawPanel(desk);
  focus(desk.parts.root);
}

/** @param {ReviewDesk} desk */
export function showMapsAnyway(desk) {
  desk.look.mapsAnyway = true;
  askForMaps(desk);
  drawPanel(desk);
  focus(desk.parts.root);
}

/**
 * @param {ReviewDesk} desk
 * @param {string} key of a run
 */
export function chooseCurve(desk, key) {
  desk.look.curve = key;
  drawPanel(desk);
  focus(desk.parts.root);
}

/**
 * @param {ReviewDesk} desk
 * @param {number} opacity
 */
export function setOpacity(desk, opacity) {
  desk.look.mapOpacity = opacity;
  drawPanel(desk);
  drawOverlay(desk);
}

/**
 * @param {ReviewDesk} desk
 * @param {boolean} byKey then the button keeps the focus
 */
export function swapNearest(desk, byKey) {
  desk.look.nearBoth = !desk.look.nearBoth;
  drawPanel(desk);
  if (byKey) focus(desk.parts.panel.querySelector(".nears .hd button") ?? undefined);
}

/** @param {ReviewDesk} desk */
export function toggleTogether(desk) {
  const { item } = desk.queue;
  if (!item) return;
  if (!item.group && item.group !== 0) {
    show(desk, "This picture is stored once.");
    return;
  }
  desk.turn.together = !desk.turn.together;
  drawKeys(desk);
  drawPanel(desk);
  say(desk, desk.turn.together ? FOR_ALL : "An answer for this image alone.");
}
