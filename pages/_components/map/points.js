// Five bytes a point: its place, and its colour with what size repeats.

/**
 * @import { Spot } from "./view.js"
 *
 * @typedef {Object} Cloud
 * @property {Uint16Array} points x, y, x, y ...; 65535 is the whole map
 * @property {Uint8Array} codes slot | level << 4
 */

export const SPAN = 65535;
export const HIDDEN = 64; // codes from here on are filtered away
export const RADII = [1.35, 2.1, 3.3]; // px: below, doubtful, suspected; size repeats colour

/** @param {number} code */
export const slotOf = (code) => code & 15;

/** @param {number} code */
export const levelOf = (code) => code >> 4;

/**
 * @param {Uint16Array} points
 * @param {number} row
 * @returns {Spot} on the map
 */
export const spotOf = (points, row) => [points[2 * row] / SPAN, points[2 * row + 1] / SPAN];
