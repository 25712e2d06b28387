// The map's room in the window.

import { topOf } from "../desk/layout.js";

/** @import { ExploreMap } from "./state.js" */

const LEAST = 380; // px
const BELOW = 150; // px, where the page does not say what it draws below

/**
 * The map fills the window, less what the page draws below it.
 *
 * @param {ExploreMap} map
 */
export function fitMap({ parts, data }) {
  const room = window.innerHeight - topOf(parts.root) - (data.below || BELOW);
  parts.root.style.height = `${Math.max(LEAST, room)}px`;
}
