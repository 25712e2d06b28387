// A map over the large picture.

import { showsEvidence } from "./desk.js";
import { mapsHere } from "./evidence.js";
import { mapPicture } from "./heat.js";

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
  const [box, room] = [image.getBoundingClientRect(), stage.getBoundingClientRect()];
  Object.assign(canvas.style, {
    left: `${box.left - room.left}px`,
    top: `${box.top - room.top}px`,
    width: `${box.width}px`,
    height: `${box.height}px`,
  });
  stage.append(canvas);
}
