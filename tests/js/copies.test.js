// Copies: what an answer says of them, and what is known to be answered with it.

import assert from "node:assert/strict";
import test from "node:test";

import { forCopies, noteAnswer, timesStored } from "../../pages/_components/desk/copies.js";
import { awaitNext, openMarks, toggle, toggleCopies } from "../../pages/_components/page/marks.js";
import { openTurn } from "../../pages/_components/review/turn.js";

const item = { row: 4, given: 0, path: "", w: 8, h: 8, group: 0, copies: [0, 8, 21] };
const copied = { ...item, copies_total: 3, copies_open: 2 };

test("an answer says to how many copies it goes, where it does", () => {
  assert.deepEqual(forCopies(copied, true), { together: true, others: 2 });
  assert.deepEqual(forCopies(copied, false), {});
  assert.deepEqual(forCopies({ ...copied, copies_open: 0 }, true), {});
  assert.equal(timesStored(copied), 4);
});

test("copies are answered with the image, but not over an answer of their own", () => {
  const own = { row: 8, action: "none", cid: "b" };
  const done = new Map([[8, own]]);
  const entry = { row: 4, action: "keep", together: true, cid: "a" };
  noteAnswer(done, copied, entry);
  assert.deepEqual([...done.keys()].sort(), [0, 21, 4, 8]);
  assert.equal(done.get(21), entry);
  assert.equal(done.get(8), own);
  const back = { row: 4, action: "reopen", cid: "c" };
  noteAnswer(done, copied, back);
  assert.equal(done.get(0), back);
  assert.equal(done.get(8), own);
});

test("marks on a page go to copies, and away with them", () => {
  const items = [4, 8, 5].map((row) => ({ ...item, row, group: row === 5 ? undefined : 0 }));
  const marks = openMarks({ label: 0, items, exemplars: [] }, []);
  toggle(marks, 0);
  toggleCopies(marks, items[0]);
  assert.deepEqual([...marks.rows], [4, 8]);
  toggle(marks, 1);
  toggleCopies(marks, items[1]);
  assert.deepEqual([...marks.rows], []);
  toggle(marks, 2);
  toggleCopies(marks, items[2]);
  assert.deepEqual([...marks.rows], [5]);
});

test("one answer for all copies is chosen anew at each picture and on each page", () => {
  assert.equal(openTurn(false).together, false);
  const marks = openMarks({ label: 0, items: [item], exemplars: [] }, []);
  marks.together = true;
  assert.equal(openMarks(marks.page, []).together, false);
  assert.equal(awaitNext(marks.page).together, false);
});
