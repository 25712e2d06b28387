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
  since: 3,
  wrong: 4,
  wrong_since: 1,
  expected: 40,
  seconds_per_image: null,
  errors_left: null,
};
const entry = (row, action) => ({ row, action });
const since = (recent, entries) => progressNow(PROGRESS, recent, entries).since;

test("an answer that waits counts at once, and moves nothing else, whatever it says", () => {
  for (const action of ["keep", "relabel", "none", "multiple", "unsure"]) {
    const entries = [entry(1, action), { ...entry(2, action), mode: "blind", others: 2 }];
    const wrong_since = ["keep", "unsure"].includes(action) ? 1 : 2;
    assert.deepEqual(progressNow(PROGRESS, [], entries), { ...PROGRESS, since: 5, wrong_since });
  }
});

test("a skip is no answer, and an undo takes one back", () => {
  assert.equal(since([], [entry(1, "skip")]), 3);
  assert.equal(since([], [entry(1, "relabel"), entry(1, "reopen")]), 3);
  assert.equal(since([entry(1, "relabel")], [entry(1, "reopen")]), 2);
});

test("an answer that replaces a counted one does not count twice", () => {
  assert.equal(since([entry(1, "keep")], [entry(1, "relabel")]), 3);
  assert.equal(since([entry(1, "keep"), entry(1, "skip")], [entry(1, "keep")]), 3);
});

test("what calls a label wrong counts until it is taken back; a blind answer does not tell", () => {
  const wrong = (recent, entries) => progressNow(PROGRESS, recent, entries).wrong_since;
  assert.equal(wrong([], [entry(1, "relabel"), entry(1, "reopen")]), 1);
  assert.equal(wrong([entry(1, "relabel")], [entry(1, "keep")]), 0);
  assert.equal(wrong([], [{ ...entry(1, "relabel"), mode: "blind" }]), 1);
});

test("answers since never fall below none", () => {
  const none = { ...PROGRESS, since: 0, wrong_since: 0 };
  const after = progressNow(none, [entry(1, "none")], [entry(1, "reopen")]);
  assert.deepEqual([after.since, after.wrong_since], [0, 0]);
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

test("an image that came without a class is no answer to a label", () => {
  assert.equal(since([], [apart(1, "relabel"), apart(2, "none"), entry(3, "keep")]), 4);
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

test("what is taken back leaves the answer that it had replaced, one step at a time", () => {
  const kept = { action: "keep", label: null, labels: [] };
  const none = { action: "none", label: null, labels: [], before: kept };
  const back = { ...entry(1, "reopen"), before: none };
  const first = lastByRow([back]).get(1);
  assert.deepEqual([first.action, first.before], ["none", kept]);
  const second = lastByRow([{ ...back, before: kept }]).get(1);
  assert.deepEqual([second.action, second.before], ["keep", undefined]);
  assert.equal(lastByRow([entry(1, "reopen")]).get(1).action, "reopen");
  const [listed] = answersNow([entry(2, "keep")], [back], (row) => ({ row }));
  assert.deepEqual([listed.row, listed.action], [1, "none"]);
  assert.equal(since([entry(1, "relabel")], [back]), since([], [])); // it is answered as before
});
