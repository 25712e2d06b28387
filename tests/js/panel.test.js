import assert from "node:assert/strict";
import { test } from "node:test";

import { drawnSize } from "../../pages/_components/desk/pictures.js";
import { mostFrequent } from "../../pages/_components/review/alike.js";
import { namePlaces } from "../../pages/_components/review/chart.js";
import { difference, differs, inferno, looks } from "../../pages/_components/review/heat.js";

test("a picture fills its room, is never stretched and grows at most twenty times", () => {
  assert.deepEqual(drawnSize(400, 200, 200, 200), { width: 200, height: 100, scale: 0.5 });
  assert.deepEqual(drawnSize(8, 8, 500, 400), { width: 160, height: 160, scale: 20 });
});

test("names at the ends of two lines keep apart, in the order of the lines", () => {
  assert.deepEqual(namePlaces([20, 60], 8, 80), [20, 60]);
  assert.deepEqual(namePlaces([40, 44], 8, 80), [35, 49]);
  assert.deepEqual(namePlaces([44, 40], 8, 80), [49, 35]);
  assert.deepEqual(namePlaces([81, 82], 8, 80), [70, 84]); // not out of the chart
  assert.deepEqual(namePlaces([81], 8, 80), [81]);
});

test("of labels as frequent as each other the nearest one counts", () => {
  assert.deepEqual(mostFrequent([2, 5, 5, 2, 1]), [2, 2]);
  assert.deepEqual(mostFrequent([4]), [4, 1]);
});

test("a map's colours end where the scale ends", () => {
  assert.deepEqual(inferno(0), [0, 0, 4]);
  assert.deepEqual(inferno(1), [252, 255, 164]);
  assert.deepEqual(inferno(7), inferno(1));
  assert.deepEqual(inferno(0.5), [186, 54, 85]);
  assert.deepEqual(inferno(0.5625), [207, 72, 68]); // half way to the next
});

test("where a network does not look, the image is seen", () => {
  assert.equal(looks(0.02)[1], 0);
  assert.equal(looks(1)[1], 1);
});

test("a difference tells by its colour which class looks more", () => {
  const given = { u: 1, v: 2, values: [0.75, 0] };
  const other = { u: 1, v: 2, values: [0.25, 1] };
  assert.deepEqual(difference([given, other]), { u: 1, v: 2, values: [-0.5, 1] });
  assert.notDeepEqual(differs(-0.5)[0], differs(0.5)[0]);
  assert.deepEqual([differs(0)[1], differs(-0.5)[1], differs(1)[1]], [0, 0.6, 1]);
});
