// Painting: the points, the names of classes over them, the loop and the rings over all.

import { backgroundOf } from "../desk/layout.js";
import { h, penOf } from "../desk/nodes.js";
import { shortName } from "../desk/words.js";
import { drawDots } from "./dots.js";
import { corners } from "./loop.js";
import { crowdOf, placeNames, tieOf } from "./names.js";
import { coloursOf, inkOf } from "./palette.js";
import { cloudOf, placeOf } from "./state.js";
import { toRoom } from "./view.js";

/**
 * @import { Cloud } from "./points.js"
 * @import { ExploreMap } from "./state.js"
 * @import { Spot } from "./view.js"
 */

const CHEAP = 24; // ms: a picture that may be drawn while the hand moves
const REST = 90; // ms until the sharp picture follows

/** @param {ExploreMap} map */
export function sizeCanvas({ parts, canvas }) {
  const scale = Math.min(2, window.devicePixelRatio || 1);
  const box = parts.field.getBoundingClientRect();
  const width = Math.max(1, Math.round(box.width));
  const height = Math.max(1, Math.round(box.height));
  const same = canvas.scale === scale && canvas.width === width && canvas.height === height;
  if (same) return; // a new size clears them
  Object.assign(canvas, { scale, width, height, drawn: "" });
  for (const each of [parts.dots, parts.over]) {
    each.width = Math.round(width * scale);
    each.height = Math.round(height * scale);
  }
}

/**
 * Draw the view: the sharp picture, or where that is dear the last one stretched until the hand
 * rests.
 *
 * @param {ExploreMap} map
 * @param {boolean} [now] the sharp one in any case
 */
export function paint(map, now = false) {
  const { canvas, away } = map;
  const cloud = cloudOf(map);
  if (!cloud || away) return;
  clearTimeout(canvas.later);
  if (now || canvas.cost < CHEAP) drawSharp(map);
  else {
    stretch(map);
    canvas.later = window.setTimeout(() => {
      drawSharp(map);
      drawNames(map);
      drawOver(map);
    }, REST);
  }
  drawNames(map);
  drawOver(map);
}

/** @param {ExploreMap} map */
export function drawSharp(map) {
  const { parts, data, loaded, canvas, view, dark } = map;
  const cloud = cloudOf(map);
  const asked = [data.points, loaded.codesFrom, loaded.mode, dark, ...Object.values(view)].join();
  if (!cloud || canvas.drawn === asked) return;
  const began = performance.now();
  const pen = penOf(parts.dots, { alpha: false });
  const { width, height } = parts.dots;
  if (canvas.image?.width !== width || canvas.image.height !== height) {
    canvas.image = pen.createImageData(width, height);
  }
  const colours = coloursOf(loaded.mode, dark);
  const background = backgroundOf(parts.root).map(Math.round);
  drawDots(canvas.image, cloud, view, colours, background, canvas.scale);
  pen.putImageData(canvas.image, 0, 0);
  settleNames(map, cloud);
  Object.assign(canvas, { drawn: asked, imageView: view, cost: performance.now() - began });
  parts.root.dataset.painted = loaded.codesFrom;
  parts.root.dataset.ms = canvas.cost.toFixed(1);
}

/** @param {ExploreMap} map */
function stretch({ parts, canvas, view }) {
  const { image, imageView } = canvas;
  if (!image || !imageView) return;
  canvas.still ??= document.createElement("canvas");
  if (canvas.stillView !== imageView) {
    canvas.still.width = image.width;
    canvas.still.height = image.height;
    penOf(canvas.still).putImageData(image, 0, 0);
    canvas.stillView = imageView;
  }
  const pen = penOf(parts.dots, { alpha: false });
  const { width, height } = parts.dots;
  const times = imageView.size / view.size;
  const [x, y] = toRoom(view, parts.dots, [imageView.x, imageView.y]);
  canvas.drawn = "";
  pen.fillStyle = getComputedStyle(parts.root).backgroundColor;
  pen.fillRect(0, 0, width, height);
  pen.drawImage(canvas.still, x, y, width * times, height * times);
}

/**
 * The names, where they were placed when the picture was sharp last: a hand that moves the map moves
 * them along.
 *
 * @param {ExploreMap} map
 */
function drawNames({ parts, canvas, view }) {
  const moved = canvas.named === view;
  const spans = canvas.names.flatMap(({ text, x, y, middle }) => {
    const [mx, my] = toRoom(view, canvas, middle);
    const [wx, wy] = moved ? [0, 0] : toRoom(canvas.named ?? view, canvas, middle);
    const [left, top] = moved ? [x, y] : [x + mx - wx, y + my - wy];
    if (left < 4 || top < 4 || left > canvas.width - 4 || top > canvas.height - 4) return [];
    return [h("span", { style: { left: `${left}px`, top: `${top}px` } }, text)];
  });
  parts.names.replaceChildren(...spans);
}

/**
 * Place the names anew: beside the dots that are in view now.
 *
 * @param {ExploreMap} map
 * @param {Cloud} cloud
 */
function settleNames({ data, canvas, view }, cloud) {
  const names = (data.names || []).map(({ name, x, y }) => {
    const middle = /** @type {Spot} */ ([x, y]);
    return { text: shortName(name, 18), middle };
  });
  canvas.names = names.length ? placeNames(names, crowdOf(cloud, view, canvas), view, canvas) : [];
  canvas.named = view;
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {ExploreMap} map
 */
function drawTies(pen, { canvas, view, parts }) {
  if (canvas.named !== view) return;
  pen.strokeStyle = getComputedStyle(parts.root).getPropertyValue("--muted") || "#59626E";
  pen.lineWidth = 1;
  for (const placed of canvas.names) {
    const tie = tieOf(placed, toRoom(view, canvas, placed.middle));
    if (!tie) continue;
    pen.beginPath();
    for (const end of tie) pen.lineTo(...end);
    pen.stroke();
  }
}

/** @param {ExploreMap} map */
export function drawOver(map) {
  const { parts, canvas, data, drag, loop, hover, dark } = map;
  const pen = penOf(parts.over);
  pen.setTransform(canvas.scale, 0, 0, canvas.scale, 0, 0);
  pen.clearRect(0, 0, canvas.width, canvas.height);
  if (!map.loaded.points) return;
  drawTies(pen, map);
  const accent = getComputedStyle(parts.root).getPropertyValue("--accent-text") || "#4B45C6";
  const drawing = drag && drag.moved && drag.tool !== "move";
  const points = drawing ? corners(drag) : loop;
  if (points && points.length > 1) drawLoop(pen, map, points, accent);
  ring(pen, placeOf(map, data.chosen), 8, accent);
  ring(pen, placeOf(map, hover.row), 6.5, inkOf(dark));
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {ExploreMap} map
 * @param {Spot[]} points
 * @param {string} colour
 */
function drawLoop(pen, { view, canvas }, points, colour) {
  pen.beginPath();
  for (const point of points) pen.lineTo(...toRoom(view, canvas, point));
  pen.closePath();
  pen.globalAlpha = 0.1;
  pen.fillStyle = colour;
  pen.fill();
  pen.globalAlpha = 1;
  pen.setLineDash([6, 4]);
  pen.lineWidth = 1.8;
  pen.strokeStyle = colour;
  pen.stroke();
  pen.setLineDash([]);
}

/**
 * @param {CanvasRenderingContext2D} pen
 * @param {Spot | null} at px
 * @param {number} radius px
 * @param {string} colour
 */
function ring(pen, at, radius, colour) {
  if (!at) return;
  pen.beginPath();
  pen.arc(...at, radius, 0, 7);
  pen.lineWidth = 2.2;
  pen.strokeStyle = colour;
  pen.stroke();
}
