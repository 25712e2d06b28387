// A larger view of the framed image, while its key is held down.

import { h } from "../desk/nodes.js";
import { at, drawnSize } from "../desk/pictures.js";

/** @import { PageDesk } from "./desk.js" */

/** @param {PageDesk} desk */
export function enlarge(desk) {
  const item = desk.marks?.page.items[desk.marks.frame];
  if (!item || desk.large) return;
  const { tiles } = desk.parts;
  const image = new Image();
  image.src = at(desk.data.urls.image, item.row);
  image.alt = "";
  const size = () => {
    const width = image.naturalWidth || item.w;
    const height = image.naturalHeight || item.h;
    const drawn = drawnSize(width, height, tiles.clientWidth, tiles.clientHeight);
    image.style.width = `${drawn.width}px`;
    image.style.height = `${drawn.height}px`;
  };
  image.onload = size;
  desk.large = h("div", { class: "large" }, image);
  tiles.append(desk.large);
  size();
}

/** @param {PageDesk} desk */
export function shrink(desk) {
  desk.large?.remove();
  desk.large = null;
}
