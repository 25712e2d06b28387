// The map as a picture, with its title and legend: pixels, or points as shapes.

import { h, penOf } from "../desk/nodes.js";
import { shortName } from "../desk/words.js";
import { growth } from "./dots.js";
import { coloursOf } from "./palette.js";
import { drawSharp } from "./paint.js";
import { HIDDEN, levelOf, RADII, slotOf, spotOf } from "./points.js";
import { cloudOf } from "./state.js";
import { holds, toRoom } from "./view.js";

/**
 * @import { Cloud } from "./points.js"
 * @import { ExploreMap } from "./state.js"
 * @import { View } from "./view.js"
 */

const BAND = 34; // px above the map, for title and legend
const MOST_SHAPES = 50_000; // above, no program would open the file with pleasure

/** @param {ExploreMap} map */
const titleOf = ({ data }) => `Map, ${data.subtitle}`;

/**
 * The names of classes that are drawn, with their places.
 *
 * @param {ExploreMap} map
 */
const namesOf = ({ parts }) =>
  [...parts.names.children].map((node) => {
    const { style, textContent } = /** @type {HTMLElement} */ (node);
    return { text: textContent ?? "", x: parseFloat(style.left), y: parseFloat(style.top) + BAND };
  });

/** @param {ExploreMap} map */
export function savePixels(map) {
  const { parts, canvas, data } = map;
  if (!canvas.image) return;
  drawSharp(map);
  const out = document.createElement("canvas");
  out.width = parts.dots.width;
  out.height = parts.dots.height + BAND * canvas.scale;
  const pen = penOf(out);
  const { backgroundColor, color, fontFamily } = getComputedStyle(parts.root);
  pen.fillStyle = backgroundColor;
  pen.fillRect(0, 0, out.width, out.height);
  for (const each of [parts.dots, parts.over]) pen.drawImage(each, 0, BAND * canvas.scale);
  pen.scale(canvas.scale, canvas.scale);
  pen.fillStyle = color;
  pen.font = `600 15px ${fontFamily}`;
  pen.fillText(titleOf(map), 8, 22);
  const colours = coloursOf(data.mode, map.dark);
  let x = 24 + pen.measureText(titleOf(map)).width;
  for (const { slot, name } of data.legend) {
    const text = shortName(name, 16);
    pen.font = `13px ${fontFamily}`;
    pen.fillStyle = colours[slot];
    pen.beginPath();
    pen.arc(x + 5, 18, 5, 0, 7);
    pen.fill();
    pen.fillStyle = color;
    pen.fillText(text, x + 14, 22);
    x += 30 + pen.measureText(text).width;
  }
  pen.font = `600 14px ${fontFamily}`;
  pen.textAlign = "center";
  for (const { text, x: left, y } of namesOf(map)) pen.fillText(text, left, y + 5);
  out.toBlob((blob) => blob && hand(blob, "map.png"));
}

/**
 * @param {Blob} blob
 * @param {string} name of the file
 */
function hand(blob, name) {
  const link = h("a", { href: URL.createObjectURL(blob), download: name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

/**
 * The rows in view, the suspected last, so that they lie on top.
 *
 * @param {Cloud} cloud
 * @param {View} view
 * @param {number} most
 * @returns {number[] | null} null where there are more
 */
export function rowsInView({ points, codes }, view, most) {
  const rows = [];
  for (let row = 0; row < codes.length; row++) {
    if (codes[row] >= HIDDEN || !holds(view, spotOf(points, row))) continue;
    if (rows.length === most) return null;
    rows.push(row);
  }
  return rows.sort((a, b) => levelOf(codes[a]) - levelOf(codes[b]));
}

/** @param {string} text */
export const escaped = (text) => text.replace(/[&<>"]/g, (c) => `&#${c.charCodeAt(0)};`);

/** @param {ExploreMap} map */
export function saveShapes(map) {
  const { parts } = map;
  const cloud = cloudOf(map);
  if (!cloud) return;
  const rows = rowsInView(cloud, map.view, MOST_SHAPES);
  if (rows) {
    const drawing = new Blob([shapes(map, cloud, rows)], { type: "image/svg+xml" });
    hand(drawing, "map.svg");
    return;
  }
  parts.note.textContent =
    "More than 50,000 points in view: come closer for an SVG, or save a PNG.";
  setTimeout(() => {
    parts.note.textContent = "";
  }, 5000);
}

/**
 * @param {ExploreMap} map
 * @param {Cloud} cloud
 * @param {number[]} rows
 */
function shapes(map, { points, codes }, rows) {
  const { parts, canvas, data, view, loaded, dark } = map;
  const { color, backgroundColor } = getComputedStyle(parts.root);
  const colours = coloursOf(loaded.mode, dark);
  /**
   * @param {number} x
   * @param {number} y
   * @param {string} text
   * @param {string} [more]
   */
  const words = (x, y, text, more = "") =>
    `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" fill="${color}" ${more}>${escaped(text)}</text>`;
  const grown = growth(rows.length, view.size);
  const drawn = rows.map((row) => {
    const [x, y] = toRoom(view, canvas, spotOf(points, row));
    const fill = colours[slotOf(codes[row])] || colours[0];
    const centre = `cx="${x.toFixed(1)}" cy="${(y + BAND).toFixed(1)}"`;
    return `<circle ${centre} r="${(grown * RADII[levelOf(codes[row])]).toFixed(2)}" fill="${fill}"/>`;
  });
  drawn.push(words(8, 22, titleOf(map), 'font-weight="600" font-size="15"'));
  let end = 24 + 7.2 * titleOf(map).length;
  for (const { slot, name } of data.legend) {
    const text = shortName(name, 16);
    drawn.push(`<circle cx="${end + 5}" cy="18" r="5" fill="${colours[slot]}"/>`);
    drawn.push(words(end + 14, 22, text));
    end += 30 + 6.6 * text.length;
  }
  const bold = 'font-weight="600" font-size="14" text-anchor="middle"';
  for (const { text, x, y } of namesOf(map)) drawn.push(words(x, y + 5, text, bold));
  const [wide, tall] = [Math.max(canvas.width, Math.ceil(end)), canvas.height + BAND];
  const box = `width="${wide}" height="${tall}" viewBox="0 0 ${wide} ${tall}"`;
  const font = 'font-family="Source Sans 3, Source Sans Pro, sans-serif" font-size="13"';
  return (
    `<svg xmlns="http://www.w3.org/2000/svg" ${box} ${font}>` +
    `<rect width="100%" height="100%" fill="${backgroundColor}"/>${drawn.join("")}</svg>`
  );
}
