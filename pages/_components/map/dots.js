// Drawing points: no WebGL, so that it works on every machine. Few points are blended discs with
// smooth edges; very many are counted per pixel, and the count becomes opacity: nothing hides.

import { rgb } from "./palette.js";
import { HIDDEN, RADII, SPAN } from "./points.js";

/**
 * @import { Cloud } from "./points.js"
 * @import { View } from "./view.js"
 *
 * @typedef {Pick<ImageData, "width" | "height" | "data">} Picture
 * @typedef {Object} Window the view in points' units, and how it lies in the picture
 * @property {number} left
 * @property {number} top
 * @property {number} right
 * @property {number} bottom
 * @property {number} kx px a unit
 * @property {number} ky
 * @property {number} ox px from the map's edge to the view's
 * @property {number} oy
 */

const DISCS = 60000; // points in view drawn as discs; above, they are counted
const STEPS = 4; // discs are drawn at quarters of a pixel
const WEIGHTS = [0.35, 1.2, 3]; // of a counted point, by level

/**
 * Draw what is in view into an opaque picture.
 *
 * @param {Picture} image
 * @param {Cloud} cloud
 * @param {View} view
 * @param {string[]} colours by slot
 * @param {number[]} background
 * @param {number} scale device pixels a px
 * @returns {number} points in view
 */
export function drawDots(image, cloud, view, colours, background, scale) {
  const { data } = image;
  const [r, g, b] = background;
  for (let i = 0; i < data.length; i += 4) {
    data[i] = r;
    data[i + 1] = g;
    data[i + 2] = b;
    data[i + 3] = 255;
  }
  const at = windowOf(image, view);
  const seen = countIn(cloud, at);
  const paint = colours.map(rgb);
  if (seen > DISCS) countDots(image, cloud, paint, at, scale);
  else drawDiscs(image, cloud, paint, at, scale * growth(seen, view.size));
  return seen;
}

/**
 * @param {Picture} image
 * @param {View} view
 * @returns {Window}
 */
function windowOf({ width, height }, view) {
  const [left, top, side] = [SPAN * view.x, SPAN * view.y, SPAN * view.size];
  return {
    left,
    top,
    right: left + side,
    bottom: top + side,
    kx: width / side,
    ky: height / side,
    ox: (view.x / view.size) * width,
    oy: (view.y / view.size) * height,
  };
}

/**
 * @param {Cloud} cloud
 * @param {Window} at
 */
function countIn({ points, codes }, at) {
  let seen = 0;
  for (let i = 0; i < codes.length; i++) {
    const x = points[2 * i];
    const y = points[2 * i + 1];
    const inside = x >= at.left && x <= at.right && y >= at.top && y <= at.bottom;
    if (inside && codes[i] < HIDDEN) seen++;
  }
  return seen;
}

/**
 * How much larger discs are drawn: fewer points and a closer view make them grow.
 *
 * @param {number} seen
 * @param {number} size of the view
 */
export function growth(seen, size) {
  const few = Math.min(2.4, Math.max(0.62, (5000 / Math.max(seen, 1)) ** 0.28));
  return Math.min(2.8, few * (1 + 0.28 * Math.log2(1 / size)));
}

/** @typedef {{ reach: number, side: number, all: Float32Array[] }} Mask */
/** @type {Map<string, Mask>} */
const masks = new Map();

/**
 * How much of each pixel a disc covers, for its centre at each quarter of a pixel.
 *
 * @param {number} radius px
 * @returns {Mask}
 */
export function maskOf(radius) {
  const name = radius.toFixed(2);
  const known = masks.get(name);
  if (known) return known;
  const reach = Math.ceil(radius + 1);
  const side = 2 * reach + 1;
  const all = [];
  for (let sy = 0; sy < STEPS; sy++) {
    for (let sx = 0; sx < STEPS; sx++) {
      const cover = new Float32Array(side * side);
      const cx = (sx + 0.5) / STEPS;
      const cy = (sy + 0.5) / STEPS;
      for (let y = 0; y < side; y++) {
        for (let x = 0; x < side; x++) {
          const away = Math.hypot(x - reach + 0.5 - cx, y - reach + 0.5 - cy);
          cover[y * side + x] = Math.max(0, Math.min(1, radius + 0.5 - away));
        }
      }
      all.push(cover);
    }
  }
  const made = { reach, side, all };
  masks.set(name, made);
  return made;
}

/**
 * @param {Picture} image
 * @param {Cloud} cloud
 * @param {number[][]} paint by slot
 * @param {Window} at
 * @param {number} grown device pixels a px of a radius
 */
function drawDiscs(image, { points, codes }, paint, at, grown) {
  const pad = 16 / Math.min(at.kx, at.ky);
  const [left, right, top, bottom] = [at.left - pad, at.right + pad, at.top - pad, at.bottom + pad];
  for (let level = 0; level < RADII.length; level++) {
    // the suspected come last, on top
    const mask = maskOf(Math.round(8 * RADII[level] * grown) / 8);
    for (let i = 0; i < codes.length; i++) {
      if (codes[i] >> 4 !== level) continue;
      const x = points[2 * i];
      const y = points[2 * i + 1];
      if (x < left || x > right || y < top || y > bottom) continue;
      blend(image, mask, paint[codes[i] & 15] || paint[0], x * at.kx - at.ox, y * at.ky - at.oy);
    }
  }
}

/**
 * @param {Picture} image
 * @param {Mask} mask
 * @param {number[]} colour
 * @param {number} x px of its centre
 * @param {number} y
 */
function blend({ width, height, data }, { reach, side, all }, colour, x, y) {
  const px = Math.floor(x);
  const py = Math.floor(y);
  const cover = all[(((y - py) * STEPS) | 0) * STEPS + (((x - px) * STEPS) | 0)];
  const [r, g, b] = colour;
  const [x0, y0] = [px - reach, py - reach];
  const [fromX, toX] = [Math.max(0, -x0), Math.min(side, width - x0)];
  const [fromY, toY] = [Math.max(0, -y0), Math.min(side, height - y0)];
  for (let dy = fromY; dy < toY; dy++) {
    let to = 4 * ((y0 + dy) * width + x0 + fromX);
    let from = dy * side + fromX;
    for (let dx = fromX; dx < toX; dx++, to += 4, from++) {
      const a = cover[from];
      if (a === 0) continue;
      data[to] += (r - data[to]) * a;
      data[to + 1] += (g - data[to + 1]) * a;
      data[to + 2] += (b - data[to + 2]) * a;
    }
  }
}

let sums = new Float32Array(0); // kept between frames: some megabytes each time cost a pause

/**
 * @param {Picture} image
 * @param {Cloud} cloud
 * @param {number[][]} paint by slot
 * @param {Window} at
 * @param {number} scale device pixels a px
 */
function countDots({ width, height, data }, { points, codes }, paint, at, scale) {
  const size = width * height;
  if (sums.length < 4 * size) sums = new Float32Array(4 * size);
  sums.fill(0, 0, 4 * size);
  const step = scale >= 1.5 ? 2 : 1;
  for (let i = 0; i < codes.length; i++) {
    const x = points[2 * i] * at.kx - at.ox;
    const y = points[2 * i + 1] * at.ky - at.oy;
    if (x < 0 || y < 0 || x >= width || y >= height) continue;
    const code = codes[i];
    if (code >= HIDDEN) continue;
    const weight = WEIGHTS[code >> 4] || WEIGHTS[0];
    const colour = paint[code & 15] || paint[0];
    const side = code >> 4 ? step + 1 : step;
    const px = x | 0;
    const py = y | 0;
    for (let dy = 0; dy < side && py + dy < height; dy++) {
      for (let dx = 0; dx < side && px + dx < width; dx++) {
        const to = 4 * ((py + dy) * width + px + dx);
        sums[to] += weight * colour[0];
        sums[to + 1] += weight * colour[1];
        sums[to + 2] += weight * colour[2];
        sums[to + 3] += weight;
      }
    }
  }
  for (let i = 0; i < 4 * size; i += 4) {
    const weight = sums[i + 3];
    if (weight === 0) continue;
    const alpha = 1 - Math.exp(-weight);
    for (let c = 0; c < 3; c++) data[i + c] += (sums[i + c] / weight - data[i + c]) * alpha;
  }
}
