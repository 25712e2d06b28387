// Points by place, for finding the one under the pointer.

import { HIDDEN, levelOf, SPAN } from "./points.js";

/**
 * @import { Cloud } from "./points.js"
 * @import { Room, Spot, View } from "./view.js"
 * @typedef {{ start: Int32Array, items: Int32Array }} PlaceIndex
 *   items: rows, cell by cell; start: where a cell's begin
 */

const CELLS = 256; // a side
const AT_ONCE = 150000; // points between two pauses, so that the page stays awake

/**
 * @param {Uint16Array} points
 * @returns {Promise<PlaceIndex>}
 */
export async function placeIndex(points) {
  const n = points.length / 2;
  const start = new Int32Array(CELLS * CELLS + 1);
  const items = new Int32Array(n);
  /** @param {number} i */
  const cell = (i) => (points[2 * i + 1] >> 8) * CELLS + (points[2 * i] >> 8);
  await inParts(n, (i) => start[cell(i) + 1]++);
  for (let c = 0; c < CELLS * CELLS; c++) start[c + 1] += start[c];
  const next = start.slice(0, -1);
  await inParts(n, (i) => {
    items[next[cell(i)]++] = i;
  });
  return { start, items };
}

/**
 * @param {number} n
 * @param {(i: number) => void} work
 */
async function inParts(n, work) {
  for (let from = 0; from < n; from += AT_ONCE) {
    for (let i = from; i < Math.min(n, from + AT_ONCE); i++) work(i);
    if (n > AT_ONCE) await new Promise((go) => setTimeout(go));
  }
}

/**
 * The nearest point; larger discs win ties by a little.
 *
 * @param {PlaceIndex} index
 * @param {Cloud} cloud
 * @param {Spot} at px
 * @param {View} view
 * @param {Room} room
 * @param {number} reach px
 * @returns {number} its row, -1 where there is none within reach
 */
export function nearest(index, { points, codes }, [x, y], view, { width, height }, reach) {
  const ux = SPAN * (view.x + (x / width) * view.size);
  const uy = SPAN * (view.y + (y / height) * view.size);
  const kx = width / (SPAN * view.size);
  const ky = height / (SPAN * view.size);
  const c0 = Math.max(0, (ux - reach / kx) >> 8);
  const c1 = Math.min(CELLS - 1, (ux + reach / kx) >> 8);
  const r0 = Math.max(0, (uy - reach / ky) >> 8);
  const r1 = Math.min(CELLS - 1, (uy + reach / ky) >> 8);
  let best = -1;
  let least = reach;
  for (let r = r0; r <= r1; r++) {
    const end = index.start[r * CELLS + c1 + 1];
    for (let place = index.start[r * CELLS + c0]; place < end; place++) {
      const i = index.items[place];
      if (codes[i] >= HIDDEN) continue;
      const away = Math.hypot((points[2 * i] - ux) * kx, (points[2 * i + 1] - uy) * ky);
      const distance = away - 1.5 * levelOf(codes[i]);
      if (distance < least) {
        least = distance;
        best = i;
      }
    }
  }
  return best;
}
