// The map's state, split by what changes together.

import { canvasPart, part } from "../desk/nodes.js";
import { spotOf } from "./points.js";
import { toRoom, WHOLE } from "./view.js";

/**
 * @import { Action } from "../desk/verdicts.js"
 * @import { Drag, Tool } from "./loop.js"
 * @import { Placed } from "./names.js"
 * @import { Colouring } from "./palette.js"
 * @import { PlaceIndex } from "./places.js"
 * @import { Spot, View } from "./view.js"
 *
 * @typedef {Object} MapData what `pages/explore.py` sends
 * @property {string} points address
 * @property {string} codes address
 * @property {string} point address of what is known of one row
 * @property {string} thumb address of a thumbnail
 * @property {Colouring} mode
 * @property {string} subtitle
 * @property {{ slot: number, name: string, count: number }[]} legend
 * @property {{ name: string, x: number, y: number }[]} names of classes, on the map
 * @property {number | null} chosen row
 * @property {{ id: number, row: number } | null} go a row to bring into view
 * @property {Spot[] | null} loop that is drawn
 * @property {unknown} cleared changes when the loop is taken away
 * @property {string} say
 * @property {number} below px that the page needs below the map
 *
 * @typedef {Object} Facts of one image
 * @property {string} id
 * @property {string} given
 * @property {string | null} suggested
 * @property {number | null} p_wrong
 * @property {boolean} [told] whether a run was told the answer
 * @property {Action | null} verdict
 *
 * @typedef {ReturnType<typeof partsOf>} Parts the nodes of the frame; they never change
 *
 * @typedef {Object} Loaded what was fetched
 * @property {Uint16Array | null} points
 * @property {Uint8Array | null} codes
 * @property {string} codesFrom their address: until new ones come, the old ones are drawn
 * @property {Colouring} mode that the codes are of
 * @property {PlaceIndex | null} index
 *
 * @typedef {Object} Canvas
 * @property {number} width px
 * @property {number} height px
 * @property {number} scale device pixels a px
 * @property {ImageData | null} image the sharp picture
 * @property {View | null} imageView what it shows
 * @property {string} drawn what the canvas shows; "" where that is stretched
 * @property {number} cost ms of the last sharp picture
 * @property {HTMLCanvasElement | null} still the sharp picture, to be stretched
 * @property {View | null} stillView
 * @property {number} later timer
 * @property {Placed[]} names of classes that have a place
 * @property {View | null} named what they were placed in
 *
 * @typedef {Object} Hover what is under the pointer
 * @property {number} row -1 where there is none
 * @property {Map<number, Facts>} facts known by row
 * @property {number} asking timer
 *
 * @typedef {Object} ExploreMap
 * @property {Parts} parts
 * @property {MapData} data
 * @property {boolean} dark
 * @property {boolean} away taken from the page
 * @property {Loaded} loaded
 * @property {Canvas} canvas
 * @property {View} view
 * @property {number | null} goTo the row to bring into view
 * @property {Tool} tool
 * @property {Drag | null} drag
 * @property {Spot[] | null} loop
 * @property {Hover} hover
 * @property {(loop: { id: number, points: Spot[] | null }) => void} select
 * @property {(chosen: { id: number, row: number }) => void} choose
 */

/** @param {ParentNode} parent */
function partsOf(parent) {
  const root = part(parent, ".desk");
  return {
    root,
    field: part(root, ".field"),
    dots: canvasPart(root, ".dots"),
    over: canvasPart(root, ".over"),
    names: part(root, ".names"),
    card: part(root, ".card"),
    head: part(root, ".maphead"),
    note: part(root, ".note"),
    live: part(root, ".live"),
    tools: part(root, ".tools"),
  };
}

/**
 * @param {ParentNode} parent
 * @param {MapData} data
 * @returns {ExploreMap}
 */
export const newState = (parent, data) => ({
  parts: partsOf(parent),
  data,
  dark: false,
  away: true,
  loaded: { points: null, codes: null, codesFrom: "", mode: data.mode, index: null },
  canvas: {
    width: 1,
    height: 1,
    scale: 0,
    image: null,
    imageView: null,
    drawn: "",
    cost: 0,
    still: null,
    stillView: null,
    later: 0,
    names: [],
    named: null,
  },
  view: WHOLE,
  goTo: null,
  tool: "lasso",
  drag: null,
  loop: null,
  hover: { row: -1, facts: new Map(), asking: 0 },
  select: () => {},
  choose: () => {},
});

/**
 * The points with their colours, where both have come and belong together.
 *
 * @param {ExploreMap} map
 */
export function cloudOf({ loaded: { points, codes } }) {
  return points && codes && 2 * codes.length === points.length ? { points, codes } : null;
}

/**
 * Where a row is drawn.
 *
 * @param {ExploreMap} map
 * @param {number | null} row
 * @returns {Spot | null} px
 */
export function placeOf({ loaded: { points }, view, canvas }, row) {
  if (!points || row === null || row < 0 || 2 * row >= points.length) return null;
  return toRoom(view, canvas, spotOf(points, row));
}
