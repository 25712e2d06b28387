// Fetching the map: positions once, colours whenever they tell something else.

import { fitMap } from "./layout.js";
import { paint, sizeCanvas } from "./paint.js";
import { placeIndex } from "./places.js";
import { spotOf } from "./points.js";
import { cloudOf } from "./state.js";
import { centredOn, holds, WHOLE } from "./view.js";

/** @import { ExploreMap, MapData } from "./state.js" */

/**
 * Take what the server says, and fetch what it changes.
 *
 * @param {ExploreMap} map with the new data
 * @param {MapData | null} before
 */
export function load(map, before) {
  const { data, parts } = map;
  fitMap(map);
  if (before && before.cleared !== data.cleared) map.loop = null;
  if (data.go && before?.go?.id !== data.go.id) map.goTo = data.go.row;
  if (parts.live.textContent !== data.say) parts.live.textContent = data.say || "";
  if (before?.points !== data.points) loadPoints(map, data.points);
  if (before?.codes !== data.codes) loadCodes(map, data);
  else ready(map);
}

/**
 * @param {ExploreMap} map
 * @param {string} url
 */
async function loadPoints(map, url) {
  const { loaded, parts } = map;
  loaded.points = loaded.index = null;
  map.view = WHOLE;
  map.loop = map.data.loop || null;
  parts.note.textContent = "Loading the map";
  try {
    const points = new Uint16Array(await bytes(url));
    if (map.data.points !== url) return;
    loaded.points = points;
    ready(map);
    const index = await placeIndex(points);
    if (!map.away && loaded.points === points) loaded.index = index;
  } catch {
    failed(map);
  }
}

/**
 * @param {ExploreMap} map
 * @param {MapData} data that names them
 */
async function loadCodes(map, { codes: url }) {
  const { loaded, hover } = map;
  hover.facts.clear();
  try {
    const codes = new Uint8Array(await bytes(url));
    if (map.data.codes !== url) return;
    Object.assign(loaded, { codes, codesFrom: url, mode: map.data.mode });
    ready(map);
  } catch {
    failed(map);
  }
}

/** @param {string} url */
async function bytes(url) {
  const answer = await fetch(url, { credentials: "same-origin" });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer.arrayBuffer();
}

/** @param {ExploreMap} map */
function failed({ parts }) {
  parts.note.textContent = "The map could not be loaded. Load the page again.";
}

/**
 * Draw, once points and colours are here.
 *
 * @param {ExploreMap} map
 */
function ready(map) {
  const cloud = cloudOf(map);
  if (!cloud) return;
  map.parts.note.textContent = "";
  const row = map.goTo ?? -1;
  if (row >= 0 && row < cloud.codes.length) {
    map.goTo = null;
    const spot = spotOf(cloud.points, row);
    if (!holds(map.view, spot)) map.view = centredOn(map.view, spot);
  }
  sizeCanvas(map);
  paint(map, true);
}
