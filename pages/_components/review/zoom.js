// Looking closer: wheel, drag, pinch and keys; from the first step on, the original file is shown.

import { h } from "../desk/nodes.js";
import { at } from "../desk/pictures.js";
import { count, short } from "../desk/words.js";
import { show } from "./say.js";

/**
 * @import { ReviewDesk } from "./desk.js"
 *
 * @typedef {Object} Zoom
 * @property {number} scale times the size that fits
 * @property {number} x px that its middle is moved
 * @property {number} y
 * @property {HTMLImageElement | null} original
 */

const MOST = 40;
const STEP = 1.5;
const MOVE = 60; // px for one press of an arrow

/** @returns {Zoom} */
export const fits = () => ({ scale: 1, x: 0, y: 0, original: null });

/** @param {ReviewDesk} desk */
export const isZoomed = ({ stage }) => stage.zoom.scale > 1;

/**
 * What stays under the pointer while the scale changes, and no edge inside the room.
 *
 * @param {Zoom} zoom
 * @param {number} scale wanted
 * @param {{ x: number, y: number }} point px from the middle of the room
 * @param {{ width: number, height: number }} drawn px of the picture that fits
 * @param {{ width: number, height: number }} room px
 * @returns {{ scale: number, x: number, y: number }}
 */
export function zoomed(zoom, scale, point, drawn, room) {
  const next = Math.min(MOST, Math.max(1, scale));
  const times = next / zoom.scale;
  const x = point.x - (point.x - zoom.x) * times;
  const y = point.y - (point.y - zoom.y) * times;
  return kept({ scale: next, x, y }, drawn, room);
}

/**
 * @param {{ scale: number, x: number, y: number }} zoom
 * @param {{ width: number, height: number }} drawn
 * @param {{ width: number, height: number }} room
 */
export function kept({ scale, x, y }, drawn, room) {
  const most = (/** @type {number} */ size, /** @type {number} */ all) =>
    Math.max(0, (size * scale - all) / 2);
  const [across, down] = [most(drawn.width, room.width), most(drawn.height, room.height)];
  return {
    scale,
    x: Math.min(across, Math.max(-across, x)) || 0,
    y: Math.min(down, Math.max(-down, y)) || 0,
  };
}

/** @param {ReviewDesk} desk */
function sizes({ parts, stage }) {
  const { image } = stage;
  const drawn = { width: image?.offsetWidth || 1, height: image?.offsetHeight || 1 };
  return { drawn, room: { width: parts.stage.clientWidth, height: parts.stage.clientHeight } };
}

/**
 * @param {ReviewDesk} desk
 * @param {number} scale
 * @param {{ x: number, y: number }} [point]
 */
function zoomTo(desk, scale, point = { x: 0, y: 0 }) {
  if (!desk.stage.image) return;
  const { drawn, room } = sizes(desk);
  Object.assign(desk.stage.zoom, zoomed(desk.stage.zoom, scale, point, drawn, room));
  place(desk);
}

/**
 * @param {ReviewDesk} desk
 * @param {number} x px
 * @param {number} y px
 */
export function pan(desk, x, y) {
  const { zoom } = desk.stage;
  const { drawn, room } = sizes(desk);
  Object.assign(zoom, kept({ ...zoom, x: zoom.x + x, y: zoom.y + y }, drawn, room));
  place(desk);
}

/**
 * The room or the picture has another size: what was looked at closely stays, within the edges.
 *
 * @param {ReviewDesk} desk
 */
export function keepZoom(desk) {
  if (isZoomed(desk)) pan(desk, 0, 0);
}

/**
 * A picture comes as it fits; or none does, at the end, or where it cannot be loaded.
 *
 * @param {ReviewDesk} desk
 * @param {HTMLImageElement | null} image
 */
export function setPicture({ stage, parts }, image) {
  stage.image = image;
  stage.zoom = fits();
  if (image) image.style.transform = "";
  parts.stage.classList.remove("zoomed");
}

/** @param {ReviewDesk} desk */
export function zoomOut(desk) {
  desk.stage.zoom.original?.remove();
  Object.assign(desk.stage.zoom, fits());
  place(desk);
}

/**
 * @param {ReviewDesk} desk
 * @param {number} times
 */
export const zoomBy = (desk, times) =>
  zoomTo(desk, desk.stage.zoom.scale * (times > 0 ? STEP : 1 / STEP));

/**
 * One pixel of the original file for one of the screen, and back.
 *
 * @param {ReviewDesk} desk
 */
export async function fullSize(desk) {
  const { queue, turn, stage } = desk;
  if (!queue.item || !stage.image) return;
  if (isZoomed(desk)) {
    zoomOut(desk);
    return;
  }
  const image = original(desk);
  try {
    await image.decode();
  } catch {
    if (desk.turn === turn) show(desk, "The original file cannot be loaded: what fits stays.");
    return;
  }
  if (desk.turn !== turn || !stage.image) return;
  const one = image.naturalWidth / (devicePixelRatio || 1) / (stage.image.offsetWidth || 1);
  zoomTo(desk, Math.max(one, 2)); // small ones are shown larger than they are already
}

/** @param {ReviewDesk} desk */
function original(desk) {
  const { stage, queue, data } = desk;
  const { zoom } = stage;
  if (!zoom.original) {
    zoom.original = h("img", { class: "original", alt: "", draggable: "false" });
    zoom.original.onload = () => drawBadge(desk);
    zoom.original.src = at(data.urls.original, Number(queue.item?.row));
  }
  return zoom.original;
}

/**
 * How large the file is that is shown, and how many times its own size it is drawn now.
 *
 * @param {ReviewDesk} desk
 */
export function drawBadge({ queue, stage }) {
  const { image, badge, zoom } = stage;
  if (!queue.item || !image) return;
  const top = zoom.scale > 1 && zoom.original?.naturalWidth ? zoom.original : image;
  const width = top.naturalWidth || queue.item.w;
  const height = top.naturalHeight || queue.item.h;
  badge.textContent = sizeWords(
    width,
    height,
    (parseFloat(image.style.width) * zoom.scale) / width,
  );
}

/**
 * @param {number} width px
 * @param {number} height px
 * @param {number} scale times its own size
 */
export function sizeWords(width, height, scale) {
  const times = scale >= 9.5 ? Math.round(scale) : Math.round(scale * 10) / 10;
  const shown = times === 1 ? "" : `, shown ${times}×`;
  return `${count(width)} × ${count(height)} px${shown}`;
}

/** @param {ReviewDesk} desk */
function place(desk) {
  const { stage, parts } = desk;
  const { image, zoom, badge } = stage;
  parts.stage.classList.toggle("zoomed", zoom.scale > 1);
  const over = parts.stage.querySelector("canvas.over");
  const moved = zoom.scale > 1 ? `translate(${zoom.x}px, ${zoom.y}px) scale(${zoom.scale})` : "";
  if (image) image.style.transform = moved;
  if (over instanceof HTMLElement) over.style.display = zoom.scale > 1 ? "none" : "";
  drawBadge(desk);
  if (zoom.scale <= 1 || !image) {
    zoom.original?.remove();
    return;
  }
  const top = original(desk);
  const { offsetLeft, offsetTop, offsetWidth, offsetHeight } = image;
  Object.assign(top.style, {
    left: `${offsetLeft}px`,
    top: `${offsetTop}px`,
    width: `${offsetWidth}px`,
    height: `${offsetHeight}px`,
    transform: moved,
  });
  if (!top.isConnected) parts.stage.insertBefore(top, badge);
  const words = short(`${zoom.scale.toFixed(1)}× closer; Esc goes back`, 40);
  parts.live.textContent = words;
}

/**
 * Wheel, drag, two fingers and a double click on the stage.
 *
 * @param {ReviewDesk} desk
 * @param {AbortSignal} signal
 */
export function listenToZoom(desk, signal) {
  const { stage } = desk.parts;
  /** @type {Map<number, { x: number, y: number }>} */
  const fingers = new Map();
  /** @param {{ clientX: number, clientY: number }} event */
  const point = ({ clientX, clientY }) => {
    const box = stage.getBoundingClientRect();
    return { x: clientX - box.left - box.width / 2, y: clientY - box.top - box.height / 2 };
  };
  const apart = () => {
    const [a, b] = [...fingers.values()];
    return Math.hypot(a.x - b.x, a.y - b.y);
  };
  /** @param {WheelEvent} event */
  const turn = (event) => {
    if (!desk.queue.item || (event.deltaY > 0 && !isZoomed(desk))) return; // the page scrolls
    event.preventDefault();
    zoomTo(desk, desk.stage.zoom.scale * Math.exp(-event.deltaY / 300), point(event));
  };
  /** @param {PointerEvent} event */
  const down = (event) => {
    fingers.set(event.pointerId, point(event));
    if (isZoomed(desk)) stage.setPointerCapture(event.pointerId);
  };
  /** @param {PointerEvent} event */
  const move = (event) => {
    const before = fingers.get(event.pointerId);
    if (!before) return;
    const [here, wide] = [point(event), fingers.size === 2 ? apart() : 0];
    fingers.set(event.pointerId, here);
    if (wide) zoomTo(desk, (desk.stage.zoom.scale * apart()) / wide, here);
    else if (isZoomed(desk)) pan(desk, here.x - before.x, here.y - before.y);
  };
  /** @param {PointerEvent} event */
  const up = (event) => fingers.delete(event.pointerId);
  stage.addEventListener("wheel", turn, { passive: false, signal });
  stage.addEventListener("pointerdown", down, { signal });
  stage.addEventListener("pointermove", move, { signal });
  for (const name of /** @type {const} */ (["pointerup", "pointercancel", "pointerleave"])) {
    stage.addEventListener(name, up, { signal });
  }
}

/** @type {Partial<Record<string, [number, number]>>} */
const WAYS = {
  ArrowLeft: [MOVE, 0],
  ArrowRight: [-MOVE, 0],
  ArrowUp: [0, MOVE],
  ArrowDown: [0, -MOVE],
};

/**
 * What a key does to the picture; while it is larger than its room, arrows move it.
 *
 * @param {ReviewDesk} desk
 * @param {string} key
 * @returns {(() => void) | undefined}
 */
export function zoomKey(desk, key) {
  if (!desk.stage.image && "f+=-".includes(key))
    return () => show(desk, "No image can be enlarged.");
  if (key === "f") return () => fullSize(desk);
  if (key === "+" || key === "=") return () => zoomBy(desk, 1);
  if (key === "-") return () => zoomBy(desk, -1);
  if (!isZoomed(desk)) return undefined;
  if (key === "Escape") return () => zoomOut(desk);
  const way = WAYS[key];
  return way && (() => pan(desk, ...way));
}
