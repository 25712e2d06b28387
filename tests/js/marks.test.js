import assert from "node:assert/strict";
import { test } from "node:test";

import { whatFollows } from "../../pages/_components/page/draw.js";
import * as pages from "../../pages/_components/page/marks.js";

const page = (label, ...rows) => ({ label, items: rows.map((row) => ({ row })), exemplars: [] });
const rowsOf = (items) => items.map(({ row }) => row);

test("keys lie as the images do", () => {
  assert.equal(pages.CODES.length, 12);
  assert.equal(pages.CODES.indexOf("KeyA"), pages.COLUMNS); // below Q
  assert.equal(pages.CODES.indexOf("KeyV"), 11);
});

test("the first page with an open image is shown, without its answered ones", () => {
  const done = new Map([
    [1, { action: "keep" }],
    [2, { action: "unsure" }],
    [3, { action: "keep" }],
    [4, { action: "reopen" }],
  ]);
  const found = pages.firstOpen([page(0, 1, 2), page(1, 3, 4, 5)], done);
  assert.equal(found.label, 1);
  assert.deepEqual(rowsOf(found.items), [4, 5]);
  assert.equal(pages.firstOpen([page(0, 1, 2)], done), null);
});

test("a second press takes the mark away, and the frame follows", () => {
  const marks = pages.openMarks(page(0, 10, 11, 12), []);
  pages.toggle(marks, 1);
  pages.toggle(marks, 2);
  pages.toggle(marks, 1);
  assert.deepEqual([...marks.rows], [12]);
  assert.equal(marks.frame, 1);
  pages.toggle(marks, 7); // no image lies there
  assert.deepEqual([...marks.rows], [12]);
  assert.deepEqual(rowsOf(pages.kept(marks)), [10, 11]);
});

test("the frame stays on the page", () => {
  const marks = pages.openMarks(page(0, 1, 2, 3, 4, 5, 6), []);
  pages.moveFrame(marks, -1);
  assert.equal(marks.frame, 0);
  pages.moveFrame(marks, pages.COLUMNS);
  pages.moveFrame(marks, pages.COLUMNS);
  assert.equal(marks.frame, 4);
});

test("after a commit the page is empty, and waits for the next", () => {
  const waiting = pages.awaitNext(page(3, 1, 2), 0);
  assert.equal(waiting.stale, true);
  assert.equal(waiting.page.label, 3);
  assert.deepEqual(pages.kept(waiting), []);
});

test("the words say what becomes of the marked", () => {
  assert.match(whatFollows(0), /the rest is kept/);
  assert.match(whatFollows(1), /^The marked image follows, /);
  assert.match(whatFollows(3), /^The 3 marked images follow one by one, /);
});
