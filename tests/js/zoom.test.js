// Looking closer at a picture.

import assert from "node:assert/strict";
import { test } from "node:test";

import {
  fits,
  isZoomed,
  keepZoom,
  kept,
  setPicture,
  zoomed,
} from "../../pages/_components/review/zoom.js";

const DRAWN = { width: 200, height: 100 };
const ROOM = { width: 200, height: 200 };

test("what lies under the pointer stays there", () => {
  const point = { x: 40, y: -20 };
  const near = zoomed(fits(), 4, point, DRAWN, ROOM);
  assert.equal(near.scale, 4);
  // the picture's own place under the pointer, in px of the picture that fits
  assert.deepEqual(
    [(point.x - near.x) / near.scale, (point.y - near.y) / near.scale],
    [point.x, point.y],
  );
});

test("no edge is pulled into the room, and a side that fits stays in the middle", () => {
  assert.deepEqual(kept({ scale: 2, x: 900, y: 30 }, DRAWN, ROOM), { scale: 2, x: 100, y: 0 });
  assert.deepEqual(kept({ scale: 4, x: -900, y: -900 }, DRAWN, ROOM), {
    scale: 4,
    x: -300,
    y: -100,
  });
});

test("further than the whole picture nobody goes, nor closer than forty times", () => {
  const near = { ...fits(), scale: 2, x: 50 };
  assert.deepEqual(zoomed(near, 0.2, { x: 9, y: 9 }, DRAWN, ROOM), { scale: 1, x: 0, y: 0 });
  assert.equal(zoomed(near, 999, { x: 0, y: 0 }, DRAWN, ROOM).scale, 40);
});

test("where no picture is left, nothing is enlarged that another size of the window would draw", () => {
  const classes = new Set(["stage", "zoomed"]);
  const room = { classList: { remove: (name) => classes.delete(name) } };
  const image = { style: { transform: "scale(3)" } };
  const stage = { image, zoom: { scale: 3, x: 5, y: 0, original: {} } };
  const desk = /** @type {any} */ ({ stage, parts: { stage: room } });
  setPicture(desk, null); // the end, or an image that cannot be loaded
  keepZoom(desk);
  assert.deepEqual([isZoomed(desk), stage.image, stage.zoom], [false, null, fits()]);
  assert.deepEqual([...classes], ["stage"]);
  setPicture(desk, /** @type {any} */ (image));
  assert.deepEqual([stage.image, image.style.transform], [image, ""]);
});
