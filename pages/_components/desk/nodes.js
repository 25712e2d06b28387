// Nodes of the page. Names of classes and files are untrusted: they reach the page as text nodes
// and attribute values only, never as HTML.

import { oneLine, plural, shortName } from "./words.js";

/**
 * @typedef {string | Node | null | undefined} Piece what may stand among a node's children
 * @typedef {Record<string, any> | null} Props attributes; `on...` are handlers, `style` an object
 */

/**
 * @template {HTMLElement | SVGElement} T
 * @param {T} node
 * @param {Props} props
 * @param {(Piece | Piece[])[]} children
 * @returns {T}
 */
function fill(node, props, children) {
  for (const [name, value] of Object.entries(props || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) /** @type {any} */ (node)[name] = value;
    else if (name === "style") Object.assign(node.style, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/**
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {Props} [props]
 * @param {...(Piece | Piece[])} children
 * @returns {HTMLElementTagNameMap[K]}
 */
export function h(tag, props = null, ...children) {
  return fill(document.createElement(tag), props, children);
}

/**
 * @template {keyof SVGElementTagNameMap} K
 * @param {K} tag
 * @param {Props} [props]
 * @param {...(Piece | Piece[])} children
 * @returns {SVGElementTagNameMap[K]}
 */
export function svg(tag, props = null, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), props, children);
}

/**
 * The node of a component's frame, which its Python file writes.
 *
 * @param {ParentNode} parent
 * @param {string} selector
 * @returns {HTMLElement}
 */
export function part(parent, selector) {
  const node = parent.querySelector(selector);
  if (!(node instanceof HTMLElement)) throw new Error(`The component has no ${selector}.`);
  return node;
}

/**
 * @param {ParentNode} parent
 * @param {string} selector
 * @returns {HTMLCanvasElement}
 */
export function canvasPart(parent, selector) {
  const node = part(parent, selector);
  if (!(node instanceof HTMLCanvasElement)) throw new Error(`${selector} is no canvas.`);
  return node;
}

/**
 * @param {HTMLCanvasElement} canvas
 * @param {CanvasRenderingContext2DSettings} [settings]
 */
export function penOf(canvas, settings) {
  const pen = canvas.getContext("2d", settings);
  if (!pen) throw new Error("This browser draws no canvas.");
  return pen;
}

/**
 * The node with the focus, inside the component's own tree.
 *
 * @param {Node} node
 * @returns {Element | null}
 */
export function focusedNear(node) {
  return /** @type {Document | ShadowRoot} */ (node.getRootNode()).activeElement;
}

/**
 * @param {string} text
 * @param {boolean} [small]
 */
export function cap(text, small = false) {
  return h("kbd", { class: small ? "s" : null }, text);
}

/** @param {string} words */
export const missing = (words) => h("div", { class: "missing" }, words);

/**
 * What is open, but on other reviewers' screens.
 *
 * @param {number} held images
 */
export const heldWords = (held) =>
  held
    ? h(
        "span",
        { class: "held" },
        `${plural(held, "image")} with others; what they leave comes here.`,
      )
    : null;

/** What pushes its neighbours apart. */
export const gap = () => h("span", { class: "sp" });

/**
 * A button without a frame, with its key.
 *
 * @param {string} key
 * @param {string} words
 * @param {() => void} press
 * @param {boolean} [small] cap of the key
 */
export function keyButton(key, words, press, small = true) {
  return h("button", { type: "button", class: "plainbtn", onclick: press }, cap(key, small), words);
}

/**
 * @param {Piece} title
 * @param {Piece} side what stands at the end of the title's line
 * @param {...(Piece | Piece[])} children
 */
export function section(title, side, ...children) {
  const head = h("div", { class: "hd" }, title, side === null ? null : gap(), side);
  return h("div", { class: "sec" }, head, ...children);
}

/**
 * A name as a node: cut for the eye, whole in the tooltip.
 *
 * @template {keyof HTMLElementTagNameMap} K
 * @param {K} tag
 * @param {unknown} text
 * @param {Props} [props]
 * @param {number} [limit]
 */
export function named(tag, text, props = {}, limit = 24) {
  const whole = oneLine(text);
  const shown = shortName(whole, limit);
  return h(tag, { ...props, title: shown === whole ? null : whole }, shown || "–");
}

const ENDING = 8;

/** @param {unknown} text */
export const isLong = (text) => Array.from(oneLine(text)).length > 2 * ENDING;

/**
 * A name that takes the room there is: where that is too little its start is cut, its end stays.
 *
 * @param {unknown} text
 * @param {string} [kind] class of the node
 */
export function roomy(text, kind = "") {
  const whole = oneLine(text);
  const letters = Array.from(whole);
  if (!isLong(whole)) return h("span", { class: kind, title: null }, whole || "–");
  const start = h("span", null, letters.slice(0, -ENDING).join(""));
  const end = h("span", null, letters.slice(-ENDING).join(""));
  return h("span", { class: `${kind} roomy`, title: whole }, start, end);
}
