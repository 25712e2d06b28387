// The component's room in the window, and its colours.

/**
 * The component's top in the page, however far the page is scrolled.
 *
 * @param {HTMLElement} root
 * @returns {number} px
 */
export function topOf(root) {
  const { host } = /** @type {ShadowRoot} */ (root.getRootNode());
  const scroller = host?.closest('[data-testid="stMain"]');
  const scrolled = scroller ? scroller.scrollTop : window.scrollY;
  return Math.round(root.getBoundingClientRect().top + scrolled);
}

/**
 * The component fills the window below its own top, less a margin of 16 px.
 *
 * @param {HTMLElement} root
 */
export function fitHeight(root) {
  root.style.height = `${Math.max(400, window.innerHeight - topOf(root) - 16)}px`;
}

/**
 * Keep the height right while a line comes or goes above the component.
 *
 * @param {HTMLElement} root
 * @param {AbortSignal} signal
 */
export function keepHeight(root, signal) {
  const { host } = /** @type {ShadowRoot} */ (root.getRootNode());
  const page = host?.closest('[data-testid="stMainBlockContainer"]');
  if (!page) return;
  const watch = new ResizeObserver(() => fitHeight(root));
  watch.observe(page);
  signal.addEventListener("abort", () => watch.disconnect());
}

/**
 * @param {HTMLElement} root
 * @returns {number[]} red, green, blue in 0..255
 */
export function backgroundOf(root) {
  const numbers = getComputedStyle(root).backgroundColor.match(/[\d.]+/g) || ["255", "255", "255"];
  return numbers.slice(0, 3).map(Number);
}

/** @param {HTMLElement} root */
export function isDark(root) {
  const [r, g, b] = backgroundOf(root);
  return 0.299 * r + 0.587 * g + 0.114 * b < 128;
}
