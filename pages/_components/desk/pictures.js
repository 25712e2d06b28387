// Pictures: fetched before they are needed, drawn as large as fits.

import { h } from "./nodes.js";

const SMALL_PICTURE = 20; // a picture is shown at most this many times its size

/** @typedef {{ get(url: string, now?: boolean): HTMLImageElement }} Pool `now`: it is on the screen */

/**
 * Keeps pictures fetched and decoded, so that showing one is a swap of nodes.
 *
 * @param {number} limit pictures held; the one not asked for the longest goes first
 * @returns {Pool}
 */
export function pictures(limit) {
  /** @type {Map<string, HTMLImageElement>} */
  const held = new Map();
  const broken = new WeakSet();
  /**
   * @param {string} url
   * @param {boolean} now
   */
  const fetched = (url, now) => {
    const image = new Image();
    if (now) image.fetchPriority = "high";
    image.decoding = "sync";
    image.draggable = false;
    image.src = url;
    image.decode().catch(() => broken.add(image));
    return image;
  };
  return {
    get(url, now = false) {
      const known = held.get(url);
      const image = known && !broken.has(known) ? known : fetched(url, now);
      held.delete(url);
      held.set(url, image); // the latest last
      if (held.size > limit) held.delete(/** @type {string} */ (held.keys().next().value));
      return image;
    },
  };
}

/** @type {Set<string>} */
const asked = new Set(); // thumbnails that were fetched ahead; the browser's cache keeps them

/** @param {string} url */
export function fetchAhead(url) {
  if (asked.has(url)) return;
  asked.add(url);
  new Image().src = url;
}

/**
 * The address of a row's picture or facts.
 *
 * @param {string} template with `{row}`
 * @param {number} row
 */
export const at = (template, row) => template.replace("{row}", String(Number(row)));

/**
 * @param {string} url
 * @param {string} alt
 */
export function thumb(url, alt) {
  return h("img", { src: url, alt, decoding: "sync", draggable: "false" });
}

/**
 * How large a picture is drawn: as large as fits, small ones at most 20 times, never stretched.
 *
 * @param {number} width
 * @param {number} height
 * @param {number} roomWidth
 * @param {number} roomHeight
 * @returns {{ width: number, height: number, scale: number }} px, and times its own size
 */
export function drawnSize(width, height, roomWidth, roomHeight) {
  const scale = Math.min(roomWidth / width, roomHeight / height, SMALL_PICTURE);
  return { width: width * scale, height: height * scale, scale };
}
