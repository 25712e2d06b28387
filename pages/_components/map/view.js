// What part of the map is seen. The map is a square of side 1; its view is stretched to the room.

/**
 * @typedef {{ x: number, y: number, size: number }} View left upper corner and side, in [0, 1]
 * @typedef {{ width: number, height: number }} Room px
 * @typedef {[number, number]} Spot x, y
 */

export const WHOLE = { x: 0, y: 0, size: 1 };
const CLOSEST = 1 / 64;

/**
 * @param {number} value
 * @param {number} low
 * @param {number} high
 */
const within = (value, low, high) => Math.min(high, Math.max(low, value));

/**
 * The nearest view that lies on the map.
 *
 * @param {View} wanted
 * @returns {View}
 */
export function clamped({ x, y, size }) {
  const side = within(size, CLOSEST, 1);
  return { size: side, x: within(x, 0, 1 - side), y: within(y, 0, 1 - side) };
}

/**
 * @param {View} view
 * @param {number} factor above 1 is closer
 * @param {Spot} [at] the share of the room that stays where it is
 */
export function zoomed(view, factor, at = [0.5, 0.5]) {
  const size = within(view.size / factor, CLOSEST, 1);
  const by = view.size - size;
  return clamped({ size, x: view.x + at[0] * by, y: view.y + at[1] * by });
}

/**
 * @param {View} view
 * @param {number} dx in views
 * @param {number} dy
 */
export const panned = (view, dx, dy) =>
  clamped({ ...view, x: view.x + dx * view.size, y: view.y + dy * view.size });

/**
 * @param {View} view
 * @param {Spot} at on the map
 */
export const holds = (view, [x, y]) =>
  x >= view.x && y >= view.y && x <= view.x + view.size && y <= view.y + view.size;

/**
 * The view of the same size with a spot in its middle.
 *
 * @param {View} view
 * @param {Spot} at on the map
 */
export const centredOn = (view, [x, y]) =>
  clamped({ ...view, x: x - view.size / 2, y: y - view.size / 2 });

/**
 * From the map to the room.
 *
 * @param {View} view
 * @param {Room} room
 * @param {Spot} at on the map
 * @returns {Spot} px
 */
export const toRoom = (view, room, [x, y]) => [
  ((x - view.x) / view.size) * room.width,
  ((y - view.y) / view.size) * room.height,
];

/**
 * From the room to the map.
 *
 * @param {View} view
 * @param {Room} room
 * @param {Spot} at px
 * @returns {Spot}
 */
export const toMap = (view, room, [x, y]) => [
  view.x + (x / room.width) * view.size,
  view.y + (y / room.height) * view.size,
];
