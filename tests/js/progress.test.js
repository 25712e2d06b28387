import assert from "node:assert/strict";
import { test } from "node:test";

import { savedWords } from "../../pages/_components/desk/outbox.js";
import {
  answersNow,
  labelledNow,
  lastByRow,
  progressNow,
} from "../../pages/_components/desk/progress.js";

const PROGRESS = {
  reviewed: 10,
  wrong: 4,
  planned: 40,
  seconds_per_image: null,
  errors_left: null,
};
const entry = (row, action) => ({ row, action });
const counted = (recent, entries) => {
  const { reviewed, wrong } = progressNow(PROGRESS, recent, entries);
  return [reviewed, wrong];
};

test("answers that wait count at once", () => {
  assert.deepEqual(counted([], [entry(1, "keep"), entry(2, "relabel")]), [12, 5]);
  assert.deepEqual(counted([], [entry(1, "none"), entry(2, "multiple")]), [12, 6]);
  assert.deepEqual(counted([], [entry(1, "unsure")]), [11, 4]);
});

test("an answer to all copies of a picture counts for each of them", () => {
  const all = { ...entry(1, "relabel"), others: 2 };
  assert.deepEqual(counted([], [all]), [13, 7]);
  assert.deepEqual(counted([all], [entry(1, "reopen")]), [7, 1]);
});

test("a blind answer counts, but only the server knows whether it calls the label wrong", () => {
  assert.deepEqual(counted([], [{ ...entry(1, "relabel"), mode: "blind" }]), [11, 4]);
});

test("a skip is no review, and an undo takes one back", () => {
  assert.deepEqual(counted([], [entry(1, "skip")]), [10, 4]);
  assert.deepEqual(counted([], [entry(1, "relabel"), entry(1, "reopen")]), [10, 4]);
  assert.deepEqual(counted([entry(1, "relabel")], [entry(1, "reopen")]), [9, 3]);
});

test("an answer that replaces a counted one does not count twice", () => {
  assert.deepEqual(counted([entry(1, "keep")], [entry(1, "relabel")]), [10, 5]);
  assert.deepEqual(counted([entry(1, "none")], [entry(1, "keep")]), [10, 3]);
});

test("of several counted answers of a row the newest stands", () => {
  assert.deepEqual(counted([entry(1, "keep"), entry(1, "none")], [entry(1, "keep")]), [10, 4]);
});

test("progress never falls below nothing", () => {
  const none = { ...PROGRESS, reviewed: 0, wrong: 0 };
  const now = progressNow(none, [entry(1, "none")], [entry(1, "reopen")]);
  assert.deepEqual([now.reviewed, now.wrong], [0, 0]);
});

test("the last entry of a row stands", () => {
  const found = lastByRow([entry(1, "keep"), entry(2, "skip"), entry(1, "reopen")]);
  assert.deepEqual([...found.keys()], [1, 2]);
  assert.equal(found.get(1).action, "reopen");
});

test("what waits lies on top of what the server has, newest first", () => {
  const items = new Map([1, 2, 3].map((row) => [row, { row, given: 0 }]));
  const recent = [entry(3, "keep"), entry(1, "none"), entry(8, "keep")];
  const entries = [entry(1, "keep"), entry(2, "skip"), entry(3, "reopen"), entry(5, "keep")];
  const found = answersNow(recent, entries, (row) => items.get(row));
  assert.deepEqual(
    found.map(({ row, action }) => [row, action]),
    [
      [2, "skip"],
      [1, "keep"],
      [8, "keep"],
    ],
  );
  assert.equal(found[0].given, 0);
});

test("the words say whether everything is saved", () => {
  assert.deepEqual(savedWords(0, true), ["done", "All answers saved"]);
  assert.deepEqual(savedWords(1, true), ["waiting", "1 answer on its way"]);
  assert.deepEqual(savedWords(1200, true), ["waiting", "1,200 answers on their way"]);
  assert.equal(savedWords(0, false)[0], "offline");
});

const apart = (row, action) => ({ row, action, apart: true });

test("an image that came without a class is neither reviewed nor wrong", () => {
  assert.deepEqual(counted([], [apart(1, "relabel"), apart(2, "none"), entry(3, "keep")]), [11, 4]);
});

test("labelling counts what settles such an image, and nothing else", () => {
  const done = (recent, entries) => labelledNow({ total: 5, done: 2 }, recent, entries);
  assert.equal(done([], [apart(1, "relabel"), apart(2, "unsure"), apart(3, "skip")]), 3);
  assert.equal(done([], [entry(1, "relabel")]), 2);
  assert.equal(done([apart(1, "relabel")], [apart(1, "reopen")]), 1);
  assert.equal(done([apart(1, "relabel")], [apart(1, "none")]), 2);
  assert.equal(
    done(
      [],
      [1, 2, 3, 4].map((row) => apart(row, "none")),
    ),
    5,
  );
});
