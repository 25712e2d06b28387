// Looking closer at a picture.

import assert from "node:assert/strict";
import { test } from "node:test";

import { fits, kept, zoomed } from "../../pages/_components/review/zoom.js";

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
