// The hand on the map: it draws, moves, comes closer, and clicks.

import { hoverOver } from "./card.js";
import { corners, draw, hasMoved, thinned } from "./loop.js";
import { drawOver, paint } from "./paint.js";
import { nearest } from "./places.js";
import { cloudOf } from "./state.js";
import { panned, toMap, WHOLE, zoomed } from "./view.js";

/**
 * @import { Tool } from "./loop.js"
 * @import { ExploreMap } from "./state.js"
 * @import { Spot } from "./view.js"
 */

const REACH = 9; // px from the pointer to a point
const CLOSER = 1.6; // a step of zoom
const PAN = 0.12; // views an arrow moves

/**
 * @param {ExploreMap} map
 * @param {Tool} tool
 */
export function pickTool(map, tool) {
  map.tool = tool;
  map.parts.field.classList.toggle("move", tool === "move");
  for (const button of map.parts.tools.querySelectorAll("[data-tool]")) {
    const on = button.getAttribute("data-tool") === tool;
    button.setAttribute("aria-pressed", String(on));
  }
}

/**
 * @param {ExploreMap} map
 * @param {number} factor above 1 is closer
 * @param {Spot} [at] the share of the field that stays where it is
 */
function zoom(map, factor, at) {
  map.view = zoomed(map.view, factor, at);
  hoverOver(map, -1);
  paint(map);
}

/** @param {ExploreMap} map */
export const closer = (map) => zoom(map, CLOSER);

/** @param {ExploreMap} map */
export const farther = (map) => zoom(map, 1 / CLOSER);

/** @param {ExploreMap} map */
export const showWhole = (map) => zoom(map, map.view.size / WHOLE.size);

/**
 * @param {ExploreMap} map
 * @param {WheelEvent} event
 */
export function turnWheel(map, event) {
  event.preventDefault();
  const box = map.parts.field.getBoundingClientRect();
  const lines = event.deltaMode ? 30 : 1; // some browsers count lines
  const factor = Math.exp(-0.0016 * event.deltaY * lines);
  const at = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  zoom(map, factor, /** @type {Spot} */ (at));
}

/**
 * @param {ExploreMap} map
 * @param {MouseEvent} event
 * @returns {Spot} px
 */
function spotAt({ parts }, event) {
  const box = parts.field.getBoundingClientRect();
  return [event.clientX - box.left, event.clientY - box.top];
}

/**
 * @param {ExploreMap} map
 * @param {Spot} at px
 */
function rowAt(map, at) {
  const cloud = cloudOf(map);
  const { index } = map.loaded;
  return cloud && index ? nearest(index, cloud, at, map.view, map.canvas, REACH) : -1;
}

/**
 * @param {ExploreMap} map
 * @param {PointerEvent} event
 */
export function press(map, event) {
  const { parts, view, canvas } = map;
  if (event.composedPath().includes(parts.tools) || event.button > 1 || !map.loaded.points) return;
  parts.field.setPointerCapture(event.pointerId);
  const at = spotAt(map, event);
  const moves = event.button === 1 || event.shiftKey;
  map.drag = {
    tool: moves ? "move" : map.tool,
    start: at,
    last: at,
    moved: false,
    view,
    points: [toMap(view, canvas, at)],
  };
  hoverOver(map, -1);
}

/**
 * @param {ExploreMap} map
 * @param {PointerEvent} event
 */
export function slide(map, event) {
  const { parts, canvas, drag } = map;
  const at = spotAt(map, event);
  if (!drag) {
    hoverOver(map, event.composedPath().includes(parts.tools) ? -1 : rowAt(map, at));
    return;
  }
  if (!hasMoved(drag, at)) return;
  drag.moved = true;
  parts.field.classList.add("moving");
  if (drag.tool === "move") {
    const [dx, dy] = [drag.start[0] - at[0], drag.start[1] - at[1]];
    map.view = panned(drag.view, dx / canvas.width, dy / canvas.height);
    paint(map);
  } else {
    draw(drag, at, toMap(map.view, canvas, at));
    drawOver(map);
  }
}

/**
 * @param {ExploreMap} map
 * @param {PointerEvent} event
 */
export function release(map, event) {
  const { parts, drag } = map;
  parts.field.classList.remove("moving");
  map.drag = null;
  if (!drag) return;
  if (!drag.moved) {
    const row = rowAt(map, spotAt(map, event));
    if (row >= 0) map.choose({ id: Date.now(), row });
    return;
  }
  if (drag.tool === "move") return;
  const points = thinned(corners(drag));
  if (points.length >= 3) {
    map.loop = points;
    map.select({ id: Date.now(), points });
  }
  drawOver(map);
}

/** @param {ExploreMap} map */
export function letGo(map) {
  map.drag = null;
  drawOver(map);
}

/** @type {Partial<Record<string, Spot>>} */
const ARROWS = {
  ArrowLeft: [-PAN, 0],
  ArrowRight: [PAN, 0],
  ArrowUp: [0, -PAN],
  ArrowDown: [0, PAN],
};

/**
 * @param {ExploreMap} map
 * @param {KeyboardEvent} event
 */
export function pressKey(map, event) {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target !== map.parts.field) return;
  const pan = ARROWS[event.key];
  if (pan) {
    map.view = panned(map.view, ...pan);
    paint(map);
  } else if (event.key === "+" || event.key === "=") closer(map);
  else if (event.key === "-") farther(map);
  else if (event.key === "0") showWhole(map);
  else if (event.key === "Escape" && map.loop) {
    map.loop = null;
    drawOver(map);
    map.select({ id: Date.now(), points: null });
  } else return;
  event.preventDefault();
}
