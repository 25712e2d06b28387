// A map over the large picture.

import { showsEvidence } from "./desk.js";
import { mapsHere } from "./evidence.js";
import { mapPicture } from "./heat.js";
import { isZoomed } from "./zoom.js";

/** @import { ReviewDesk } from "./desk.js" */

/** @param {ReviewDesk} desk */
export function drawOverlay(desk) {
  const { stage } = desk.parts;
  const { image } = desk.stage;
  const { overlay } = desk.turn;
  stage.querySelector("canvas.over")?.remove();
  const maps = showsEvidence(desk) ? mapsHere(desk) : null;
  if (!overlay || maps?.state !== "ready" || !image?.naturalWidth) return;
  const words = `map of ${overlay} over the image`;
  const canvas = mapPicture(image, maps, overlay, desk.look.mapOpacity, words);
  canvas.className = "over";
  Object.assign(canvas.style, {
    left: `${image.offsetLeft}px`,
    top: `${image.offsetTop}px`,
    width: image.style.width,
    height: image.style.height,
    display: isZoomed(desk) ? "none" : "",
  });
  stage.append(canvas);
}
