// The panel beside the picture: what the class means before the answer, the evidence after it.

import { gap, h, missing } from "../desk/nodes.js";
import { bothClasses, listedTwice, nearest, reason, samePicture } from "./alike.js";
import { panelAtEnd, panelBefore } from "./before.js";
import { choices } from "./choices.js";
import { showsEvidence } from "./desk.js";
import { mapsHere, needMaps } from "./evidence.js";
import { mapsSection } from "./maps.js";
import { byEpoch, drawable, lossByEpoch } from "./curves.js";
import { opinions } from "./methods.js";
import { drawOverlay } from "./overlay.js";

/**
 * @import { ReviewDesk } from "./desk.js"
 * @import { Found } from "./evidence.js"
 */

const TALL = 960; // px: a window with room for both classes below the maps
const BLINK = 120; // ms

/** @param {ReviewDesk} desk */
export function drawPanel(desk) {
  const { item } = desk.queue;
  const place = desk.parts.panel;
  const box = desk.picker?.box;
  place.style.minHeight = `${place.offsetHeight}px`; // else a page that scrolls would jump up
  // The picker stays where it is: a field that is moved loses the keys, and they would answer.
  for (const child of [...place.childNodes]) if (child !== box) child.remove();
  place.prepend(...panel(desk));
  if (box && box.parentNode !== place) place.append(box);
  place.style.minHeight = "";
  fitPanel(place);
  const known = item && showsEvidence(desk) ? desk.evidence.get(item.row) : null;
  if (known?.state === "ready" && !known.maps) askForMaps(desk);
  if (!desk.turn.asks) return;
  desk.turn.asks = false;
  place.querySelector(".choices")?.scrollIntoView({ block: "nearest" }); // on a telephone, below
}

/**
 * Draw what follows an answer once the evidence is here. Where it takes longer than a blink, its
 * place is drawn meanwhile: else what was there before stays, and the panel is drawn once.
 *
 * @param {ReviewDesk} desk
 */
export function drawPanelSoon(desk) {
  const { turn, queue } = desk;
  const row = Number(queue.item?.row);
  const isComing = () => desk.turn === turn && desk.evidence.get(row)?.state === "loading";
  if (!isComing()) drawPanel(desk);
  else setTimeout(() => isComing() && drawPanel(desk), BLINK);
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
  const left = [
    choices(desk, found),
    reason(desk, found),
    listedTwice(desk, found),
    samePicture(desk, found),
    nearest(desk, found),
    bothClasses(desk, found),
    opinions(desk, found),
  ];
  const right = [
    mapsSection(desk),
    byEpoch(desk, found),
    lossByEpoch(desk, found),
    gap(),
    notHere(desk, found),
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
  const more = room ? pair("two more", lossByEpoch(desk, found), bothClasses(desk, found)) : null;
  return h(
    "div",
    { class: "pc" },
    choices(desk, found),
    reason(desk, found),
    listedTwice(desk, found),
    samePicture(desk, found),
    nearest(desk, found, !room),
    mapsSection(desk),
    pair("two", byEpoch(desk, found), opinions(desk, found)),
    more,
    gap(),
    notHere(desk, found),
    lateFoot(desk),
  );
}

/**
 * Two sections side by side; one alone has the whole width.
 *
 * @param {string} kind
 * @param {(HTMLElement | null)[]} sections
 */
function pair(kind, ...sections) {
  const there = sections.filter((each) => each !== null);
  if (!there.length) return null;
  return h("div", { class: there.length > 1 ? kind : kind.replace("two", "one") }, there);
}

/**
 * What other runs would show: one line, at the end.
 *
 * @param {ReviewDesk} desk
 * @param {Found} found
 */
function notHere(desk, found) {
  const { comes_with: comes } = desk.data;
  const missing = [
    mapsHere(desk)?.state === "none" ? `Maps come with a run of ${comes.maps}.` : "",
    drawable(found).length ? "" : `Curves come with a run of ${comes.curves}.`,
    found.neighbours.length ? "" : `Neighbours come with a run of ${comes.neighbours}.`,
  ].filter(Boolean);
  if (!missing.length) return null;
  const words = missing.join(" ");
  return h("div", { class: "cap nothere", title: words }, words);
}

/** Steps in which a low panel gives up room, what is used least first. */
const TIGHTER = ["tight1", "tight2", "tight3", "tight4", "tight5", "tight6", "tight7"];

const LEAST = 3; // of the last answers: what can be taken back is seen

/**
 * Give up what has no room, step by step; then take back what has room all the same.
 *
 * @param {HTMLElement} place
 */
export function fitPanel(place) {
  const fits = () => place.scrollHeight <= place.clientHeight && rowsOut(place) >= LEAST;
  place.classList.remove(...TIGHTER);
  let taken = 0;
  while (!fits() && taken < TIGHTER.length) place.classList.add(TIGHTER[taken++]);
  for (const step of fits() ? TIGHTER.slice(0, taken).reverse() : []) {
    place.classList.remove(step);
    if (!fits()) place.classList.add(step);
  }
  rowsOut(place);
}

/**
 * Hide the last answers that have no room for a whole row.
 *
 * @param {HTMLElement} place
 * @returns {number} of rows that are seen; no end where all are
 */
function rowsOut(place) {
  const list = /** @type {HTMLElement | null} */ (place.querySelector(".list"));
  if (!list) return Infinity;
  const rows = /** @type {HTMLElement[]} */ ([...list.children]);
  const isOut = (/** @type {HTMLElement} */ row) =>
    row.offsetLeft > rows[0].offsetLeft || row.offsetHeight > list.clientHeight;
  for (const row of rows) row.classList.toggle("out", isOut(row));
  const seen = rows.filter((row) => !isOut(row)).length;
  return seen === rows.length ? Infinity : seen;
}

/** @param {ReviewDesk} desk */
function lateFoot(desk) {
  const row = desk.queue.item?.row;
  const title = "This image as every method sees it, side by side, on Compare";
  const views = { type: "button", class: "plainbtn", title, onclick: () => desk.go(`five:${row}`) };
  const five = row === undefined ? null : h("button", views, "Five views");
  return h("div", { class: "foot late" }, desk.outbox.saved, gap(), five);
}
