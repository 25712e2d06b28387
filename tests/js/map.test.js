import assert from "node:assert/strict";
import { test } from "node:test";

import { drawDots, growth, maskOf } from "../../pages/_components/map/dots.js";
import { corners, draw, hasMoved, thinned } from "../../pages/_components/map/loop.js";
import { coloursOf, rgb } from "../../pages/_components/map/palette.js";
import { crowdOf, dotsIn, placeNames, tieOf } from "../../pages/_components/map/names.js";
import { nearest, placeIndex } from "../../pages/_components/map/places.js";
import { HIDDEN, SPAN } from "../../pages/_components/map/points.js";
import { escaped, rowsInView } from "../../pages/_components/map/save.js";
import * as views from "../../pages/_components/map/view.js";

const ROOM = { width: 400, height: 200 };
const close = (found, wanted) =>
  found.forEach((value, i) => assert.ok(Math.abs(value - wanted[i]) < 1e-9, `${found}`));

// Points at given places of the map, all of one colour and level.
const cloudOf = (spots, code = 0) => ({
  points: Uint16Array.from(spots.flat().map((value) => Math.round(value * SPAN))),
  codes: new Uint8Array(spots.length).fill(code),
});

test("from the map to the room and back", () => {
  const view = { x: 0.25, y: 0.5, size: 0.25 };
  assert.deepEqual(views.toRoom(view, ROOM, [0.25, 0.5]), [0, 0]);
  assert.deepEqual(views.toRoom(view, ROOM, [0.5, 0.625]), [400, 100]);
  close(views.toMap(view, ROOM, views.toRoom(view, ROOM, [0.3, 0.6])), [0.3, 0.6]);
});

test("a view never leaves the map, and comes no closer than a sixty-fourth", () => {
  assert.deepEqual(views.clamped({ x: 0.9, y: -1, size: 0.5 }), { x: 0.5, y: 0, size: 0.5 });
  assert.equal(views.clamped({ x: 0, y: 0, size: 1e-9 }).size, 1 / 64);
  assert.deepEqual(views.zoomed({ x: 0.3, y: 0.3, size: 0.5 }, 1e-6), views.WHOLE);
});

test("zooming leaves the spot under the pointer where it is", () => {
  const view = { x: 0.2, y: 0.3, size: 0.5 };
  const at = [0.8, 0.25];
  const px = [at[0] * ROOM.width, at[1] * ROOM.height];
  close(views.toMap(views.zoomed(view, 2, at), ROOM, px), views.toMap(view, ROOM, px));
});

test("arrows move by shares of the view, to the edge and no further", () => {
  const view = { x: 0.5, y: 0.5, size: 0.25 };
  assert.deepEqual(views.panned(view, -1, 0.5), { x: 0.25, y: 0.625, size: 0.25 });
  assert.equal(views.panned(view, 0, 9).y, 0.75);
});

test("a chosen row comes into the middle", () => {
  const view = views.centredOn({ x: 0, y: 0, size: 0.25 }, [0.5, 0.99]);
  assert.deepEqual(view, { x: 0.375, y: 0.75, size: 0.25 });
  assert.ok(views.holds(view, [0.5, 0.99]));
});

const dragOf = (tool, start = [10, 10]) => ({
  tool,
  start,
  last: start,
  moved: false,
  view: views.WHOLE,
  points: [[0, 0]],
});

test("a hand that trembles clicks", () => {
  const drag = dragOf("lasso");
  assert.equal(hasMoved(drag, [12, 12]), false);
  assert.equal(hasMoved(drag, [13, 13]), true);
  assert.equal(hasMoved({ ...drag, moved: true }, [10, 10]), true);
});

test("a loop has a corner every few pixels, a box always two", () => {
  const [lasso, box] = [dragOf("lasso"), dragOf("box")];
  for (const px of [11, 12, 13, 14, 16, 19]) {
    draw(lasso, [px, 10], [px, 0]);
    draw(box, [px, 10], [px, 5]);
  }
  assert.deepEqual(
    lasso.points.map(([x]) => x),
    [0, 13, 16, 19],
  );
  assert.deepEqual(corners(box), [
    [0, 0],
    [19, 0],
    [19, 5],
    [0, 5],
  ]);
});

test("a box that was not drawn yet is a spot", () => {
  assert.equal(new Set(corners(dragOf("box")).map(String)).size, 1);
});

test("a long loop is thinned evenly and keeps its start", () => {
  const points = Array.from({ length: 1000 }, (_, i) => [i / 1000 + 1e-9, 0.5]);
  const sent = thinned(points);
  assert.ok(sent.length <= 160 && sent.length > 120);
  assert.deepEqual(sent[0], [0, 0.5]);
  assert.deepEqual(sent[1], [0.007, 0.5]);
  assert.equal(thinned(points.slice(0, 160)).length, 160);
});

test("the point under the pointer is the nearest within reach", async () => {
  const cloud = cloudOf([
    [0.5, 0.5],
    [0.51, 0.5],
    [0.9, 0.9],
  ]);
  const index = await placeIndex(cloud.points);
  const at = (x, y, reach = 9) => nearest(index, cloud, [x, y], views.WHOLE, ROOM, reach);
  assert.equal(at(201, 100), 0);
  assert.equal(at(203.9, 100), 1);
  assert.equal(at(300, 100), -1);
  assert.equal(at(360, 182), 2);
});

test("hidden points are not found, and larger discs win ties", async () => {
  const cloud = cloudOf([
    [0.5, 0.5],
    [0.51, 0.5],
  ]);
  const index = await placeIndex(cloud.points);
  const middle = () => nearest(index, cloud, [202, 100], views.WHOLE, ROOM, 9);
  cloud.codes[1] = 2 << 4;
  assert.equal(middle(), 1);
  cloud.codes[1] = HIDDEN;
  assert.equal(middle(), 0);
});

test("the index finds what looking at every point finds, also in a closer view", async () => {
  let seed = 1;
  const random = () => {
    seed = (seed * 16807) % 2147483647; // a fixed sequence
    return seed / 2147483647;
  };
  const cloud = cloudOf(Array.from({ length: 3000 }, () => [random(), random()]));
  const index = await placeIndex(cloud.points);
  const view = { x: 0.3, y: 0.4, size: 0.2 };
  for (let i = 0; i < 100; i++) {
    const at = [random() * ROOM.width, random() * ROOM.height];
    let [best, least] = [-1, 9];
    for (let row = 0; row < 3000; row++) {
      const spot = [cloud.points[2 * row] / SPAN, cloud.points[2 * row + 1] / SPAN];
      const [x, y] = views.toRoom(view, ROOM, spot);
      const away = Math.hypot(x - at[0], y - at[1]);
      if (away < least) [best, least] = [row, away];
    }
    assert.equal(nearest(index, cloud, at, view, ROOM, 9), best);
  }
});

const pictureOf = (width, height) => ({
  width,
  height,
  data: new Uint8ClampedArray(4 * width * height),
});
const pixel = ({ width, data }, x, y) => [
  ...data.slice(4 * (y * width + x), 4 * (y * width + x) + 4),
];

test("a disc is solid in its middle, and the rest is background", () => {
  const image = pictureOf(40, 40);
  const seen = drawDots(image, cloudOf([[0.5, 0.5]]), views.WHOLE, ["#ff0000"], [9, 9, 9], 1);
  assert.equal(seen, 1);
  assert.deepEqual(pixel(image, 20, 20), [255, 0, 0, 255]);
  assert.deepEqual(pixel(image, 2, 2), [9, 9, 9, 255]);
});

test("the suspected lie on top, the filtered are not drawn", () => {
  const cloud = cloudOf([
    [0.5, 0.5],
    [0.5, 0.5],
    [0.1, 0.1],
  ]);
  cloud.codes.set([1 | (2 << 4), 0, HIDDEN]);
  const image = pictureOf(40, 40);
  const seen = drawDots(image, cloud, views.WHOLE, ["#ff0000", "#0000ff"], [0, 0, 0], 1);
  assert.equal(seen, 2);
  assert.deepEqual(pixel(image, 20, 20), [0, 0, 255, 255]);
  assert.deepEqual(pixel(image, 4, 4), [0, 0, 0, 255]);
});

test("very many points are counted: the denser, the more opaque", () => {
  const n = 60_002;
  const spots = Array.from({ length: n }, (_, i) => (i < 2 ? [0.1, 0.1] : [0.76, 0.76]));
  const image = pictureOf(40, 40);
  drawDots(image, cloudOf(spots), views.WHOLE, ["#ff0000"], [0, 0, 0], 1);
  const [few] = pixel(image, 4, 4);
  const [many] = pixel(image, 30, 30);
  assert.equal(few, Math.round(255 * (1 - Math.exp(-0.7))));
  assert.equal(many, 255);
});

test("a mask covers as much as its disc", () => {
  const { all, side } = maskOf(3);
  const area = all[5].reduce((sum, value) => sum + value, 0);
  assert.equal(all[5].length, side * side);
  assert.ok(Math.abs(area - Math.PI * 9) < 0.5, `${area}`);
});

test("discs grow where points are few and the view is close", () => {
  assert.ok(growth(10, 1) > growth(5000, 1));
  assert.ok(growth(5000, 0.1) > growth(5000, 1));
  assert.equal(growth(1, 1 / 64), 2.8);
  assert.ok(growth(90, 1) > growth(600, 1) && growth(600, 1) > 1.5, "a small set has large dots");
});

test("colours by slot, and one more for all other classes", () => {
  assert.deepEqual(rgb("#E69F00"), [230, 159, 0]);
  assert.equal(coloursOf("suspicion", false).length, 4);
  assert.equal(coloursOf("class", true).length, 9);
  assert.equal(coloursOf("class", true)[8], coloursOf("suspicion", true)[0]);
});

test("a drawing holds what is in view, the suspected last, or says that it is too much", () => {
  const cloud = cloudOf([
    [0.2, 0.2],
    [0.3, 0.3],
    [0.9, 0.9],
    [0.25, 0.2],
  ]);
  cloud.codes.set([2 << 4, 0, 0, HIDDEN]);
  const view = { x: 0, y: 0, size: 0.5 };
  assert.deepEqual(rowsInView(cloud, view, 2), [1, 0]);
  assert.equal(rowsInView(cloud, view, 1), null);
});

test("names cannot break out of a drawing", () => {
  assert.equal(escaped('<a b="c">&'), "&#60;a b=&#34;c&#34;&#62;&#38;");
});

test("dots are counted in boxes, the hidden and those out of view left out", () => {
  const cloud = cloudOf([
    [0.1, 0.5],
    [0.11, 0.5],
    [0.9, 0.5],
    [0.12, 0.5],
  ]);
  cloud.codes[3] = HIDDEN;
  const crowd = crowdOf(cloud, views.WHOLE, ROOM);
  assert.equal(dotsIn(crowd, { left: 30, top: 80, right: 60, bottom: 120 }), 2);
  assert.equal(dotsIn(crowd, { left: 100, top: 0, right: 200, bottom: 200 }), 0);
  assert.equal(dotsIn(crowd, { left: -50, top: -50, right: 900, bottom: 900 }), 3);
});

test("names stand outside the dots, tied to them, and none on another or under the tools", () => {
  const heap = Array.from({ length: 400 }, (_, i) => [
    0.3 + 0.008 * (i % 20),
    0.5 + 0.016 * (i / 20),
  ]);
  const room = { width: 900, height: 500 };
  const crowd = crowdOf(cloudOf(heap), views.WHOLE, room);
  const names = ["one", "two", "three", "far"].map((text) => ({ text, middle: [0.38, 0.66] }));
  names[3].middle = [0.95, 0.03];
  const placed = placeNames(names, crowd, views.WHOLE, room);
  assert.deepEqual(
    placed.map((each) => each.text),
    ["one", "two", "three", "far"],
  );
  const boxes = placed.map(({ text, x, y }) => {
    const half = 4 * text.length + 4;
    return { left: x - half, right: x + half, top: y - 10, bottom: y + 10 };
  });
  boxes.forEach((a, i) => {
    assert.equal(dotsIn(crowd, a), 0);
    assert.ok(a.left >= 0 && a.right <= room.width && a.top >= 0 && a.bottom <= room.height);
    for (const b of boxes.slice(i + 1)) {
      assert.ok(a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top);
    }
  });
  assert.ok(boxes[3].right <= 900 - 262 || boxes[3].top >= 40, "the tools stay free");
  const middle = [0.38 * 900, 0.66 * 500];
  assert.ok(tieOf(placed[0], middle));
  assert.equal(tieOf({ text: "here", x: 50, y: 50, middle: [0, 0] }, [52, 55]), null);
});

test("on a telephone no line is longer than the room allows, and none crosses another or a name", () => {
  const room = { width: 330, height: 290 };
  const middles = [
    [0.15, 0.3],
    [0.2, 0.35],
    [0.45, 0.4],
    [0.5, 0.3],
    [0.85, 0.4],
    [0.6, 0.6],
    [0.65, 0.7],
    [0.7, 0.75],
  ];
  const heap = middles.flatMap(([x, y], k) =>
    Array.from({ length: 60 }, (_, i) => [
      x + 0.09 * Math.sin(7 * i + k),
      y + 0.09 * Math.cos(5 * i + k),
    ]),
  );
  const crowd = crowdOf(cloudOf(heap), views.WHOLE, room);
  const names = middles.map((middle, i) => ({ text: `Undershirt ${i}`, middle }));
  const placed = placeNames(names, crowd, views.WHOLE, room);
  assert.ok(placed.length >= 4, `${placed.length} names`);
  const side = (p, q, r) => (q[0] - p[0]) * (r[1] - p[1]) - (q[1] - p[1]) * (r[0] - p[0]);
  const cross = ([a, b], [c, d]) =>
    side(a, b, c) * side(a, b, d) < 0 && side(c, d, a) * side(c, d, b) < 0;
  const ties = placed.map((each) =>
    tieOf(each, [each.middle[0] * room.width, each.middle[1] * room.height]),
  );
  ties.forEach((one, i) => {
    if (!one) return;
    assert.ok(Math.hypot(one[0][0] - one[1][0], one[0][1] - one[1][1]) < 0.25 * room.width);
    for (const other of ties.slice(i + 1)) assert.ok(!other || !cross(one, other));
    for (const other of placed) {
      const wide = 4 * other.text.length;
      const across = [
        [other.x - wide, other.y],
        [other.x + wide, other.y],
      ];
      assert.ok(other === placed[i] || !cross(one, across), `${i} runs through ${other.text}`);
    }
  });
});

test("on a telephone every class has its name, whichever comes first", () => {
  const room = { width: 326, height: 400 };
  let seed = 1;
  const chance = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
  for (let map = 0; map < 100; map++) {
    const names = Array.from({ length: 8 + Math.floor(10 * chance()) }, (_, i) => ({
      text: "Undershirt".slice(0, 3 + (i % 8)),
      middle: [0.1 + 0.8 * chance(), 0.1 + 0.8 * chance()],
    }));
    const heap = names.flatMap(({ middle: [x, y] }) =>
      Array.from({ length: 35 }, () => [x + 0.1 * (chance() - 0.5), y + 0.1 * (chance() - 0.5)]),
    );
    const placed = placeNames(names, crowdOf(cloudOf(heap), views.WHOLE, room), views.WHOLE, room);
    assert.equal(placed.length, names.length, `map ${map}`);
  }
});

test("where dots lie everywhere, a name takes the emptiest place", () => {
  const spots = Array.from({ length: 3000 }, (_, i) => [(i % 60) / 60, Math.floor(i / 60) / 50]);
  const crowd = crowdOf(cloudOf(spots), views.WHOLE, ROOM);
  const [placed] = placeNames([{ text: "x", middle: [0.4, 0.6] }], crowd, views.WHOLE, ROOM);
  assert.ok(placed, "it is not left out");
});
