// Maps as pictures: where a network looks, over a grey copy of the image.

import { h, penOf } from "../desk/nodes.js";

/**
 * @import { CellMap, ReadyMaps } from "./evidence.js"
 * @import { MapName } from "./turn.js"
 * @typedef {[number[], number]} Paint colour in 0..255, opacity
 */

const INFERNO = [
  [0, 0, 4],
  [31, 12, 72],
  [85, 15, 109],
  [136, 34, 106],
  [186, 54, 85],
  [227, 89, 51],
  [249, 140, 10],
  [249, 201, 50],
  [252, 255, 164],
];
const BLUE = [0, 114, 178];
const BROWN = [140, 81, 10];
const SIDE = 280; // px of a map's longer side

/**
 * @param {number} value in [0, 1]
 * @returns {number[]}
 */
export function inferno(value) {
  const place = Math.min(1, Math.max(0, value)) * (INFERNO.length - 1);
  const low = Math.floor(place);
  const high = Math.min(low + 1, INFERNO.length - 1);
  return INFERNO[low].map((part, i) =>
    Math.round(part + (INFERNO[high][i] - part) * (place - low)),
  );
}

/**
 * The colours of one class's map: nothing lets the image through.
 *
 * @param {number} value in [0, 1]
 * @returns {Paint}
 */
export const looks = (value) => [inferno(value), value > 0.02 ? Math.min(1, 0.15 + value) : 0];

/**
 * The colours of a difference: blue where the other class looks, brown where the given one does.
 *
 * @param {number} value in [-1, 1]
 * @returns {Paint}
 */
export const differs = (value) => [value > 0 ? BLUE : BROWN, Math.min(1, Math.abs(value) * 1.2)];

/**
 * @param {[CellMap, CellMap]} maps of the given and of the other class
 * @returns {CellMap} the other less the given
 */
export function difference([given, other]) {
  const values = given.values.map((value, i) => other.values[i] - value);
  return { u: given.u, v: given.v, values };
}

/**
 * One pixel a cell; the browser smooths it when it is drawn larger.
 *
 * @param {CellMap} map
 * @param {(value: number) => Paint} paint
 */
function heat(map, paint) {
  const canvas = h("canvas", { width: map.v, height: map.u });
  const pen = penOf(canvas);
  const picture = pen.createImageData(map.v, map.u);
  map.values.forEach((value, i) => {
    const [rgb, alpha] = paint(value);
    picture.data.set([...rgb, Math.round(255 * Math.min(1, Math.max(0, alpha)))], 4 * i);
  });
  pen.putImageData(picture, 0, 0);
  return canvas;
}

/**
 * @param {ReadyMaps} found
 * @param {MapName} which
 */
function layer({ maps }, which) {
  if (which === "difference") return heat(difference(maps), differs);
  return heat(which === "given" ? maps[0] : maps[1], looks);
}

/**
 * @param {HTMLImageElement} image
 * @param {number} width px
 * @param {number} height px
 */
function grey(image, width, height) {
  const canvas = h("canvas", { width, height });
  const pen = penOf(canvas, { willReadFrequently: true });
  pen.imageSmoothingQuality = "high";
  pen.drawImage(image, 0, 0, width, height);
  const picture = pen.getImageData(0, 0, width, height);
  const { data } = picture;
  for (let i = 0; i < data.length; i += 4) {
    const light = 0.3 * data[i] + 0.59 * data[i + 1] + 0.11 * data[i + 2];
    data[i] = data[i + 1] = data[i + 2] = light;
  }
  pen.putImageData(picture, 0, 0);
  return canvas;
}

/**
 * @param {HTMLImageElement} image
 * @param {ReadyMaps} found
 * @param {MapName} which
 * @param {number} opacity of the map
 * @param {string} words for who does not see it
 */
export function mapPicture(image, found, which, opacity, words) {
  const width = image.naturalWidth || 1;
  const height = image.naturalHeight || 1;
  const scale = SIDE / Math.max(width, height);
  const canvas = h("canvas", { role: "img", "aria-label": words });
  canvas.width = Math.max(1, Math.round(width * scale));
  canvas.height = Math.max(1, Math.round(height * scale));
  const pen = penOf(canvas);
  pen.imageSmoothingQuality = "high";
  pen.drawImage(grey(image, canvas.width, canvas.height), 0, 0);
  pen.globalAlpha = opacity;
  pen.drawImage(layer(found, which), 0, 0, canvas.width, canvas.height);
  return canvas;
}
