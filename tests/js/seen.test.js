import assert from "node:assert/strict";
import { test } from "node:test";

import { counts, LEAST, painted, watch } from "../../pages/_components/desk/seen.js";
import { openTurn, refused } from "../../pages/_components/review/turn.js";

const at = (seenAt) => ({ ...openTurn(false), seenAt });
const good = { decode: async () => {}, complete: true, naturalWidth: 8 };
const broken = {
  decode: () => Promise.reject(new Error("EncodingError")),
  complete: true,
  naturalWidth: 0,
};

test("an answer counts once its picture has been on screen for 120 ms", () => {
  assert.equal(LEAST, 120);
  assert.equal(counts({ seenAt: null }, 10_000), false);
  assert.equal(counts({ seenAt: 1000 }, 1119), false);
  assert.equal(counts({ seenAt: 1000 }, 1120), true);
});

test("every verdict waits for the picture, Wrong and skip too", () => {
  for (const action of ["keep", "wrong", "relabel", "none", "unsure", "skip", "multiple"]) {
    assert.notEqual(refused(at(null), action, 5000), "", action);
    assert.notEqual(refused(at(4900), action, 5000), "", action);
    assert.equal(refused(at(4800), action, 5000), "", action);
  }
});

test("a press that is meant counts, whatever came too early before it", () => {
  const turn = at(1000);
  assert.equal(refused(turn, "wrong", 1100), "the image had only just come");
  for (const action of ["keep", "wrong", "skip", "relabel"]) {
    assert.equal(refused(turn, action, 1121), "", action);
  }
  assert.notEqual(refused(turn, "keep", 1119), "");
});

test("a picture that cannot be loaded is skipped or sent on, and never judged", () => {
  const turn = { ...at(null), broken: true };
  for (const action of ["skip", "unsure"]) assert.equal(refused(turn, action, 0), "");
  for (const action of ["keep", "wrong", "none"])
    assert.match(refused(turn, action, 9e9), /S skips/);
});

test("painted is told by the frames after the decoding, not by the page's change", async () => {
  const order = [];
  const slow = {
    ...good,
    decode: async () => {
      await null;
      order.push("decoded");
    },
  };
  const frame = async () => order.push("frame") * 16;
  assert.equal(await painted([slow, good], frame), 48);
  assert.deepEqual(order, ["decoded", "frame", "frame"]);
});

test("a page whose pictures failed counts once they come, and its time is the first one's", async (context) => {
  let now = 0;
  globalThis.requestAnimationFrame = (done) => setTimeout(() => done(0));
  context.mock.method(performance, "now", () => (now += 7));
  const seen = { seenAt: null };
  const place = /** @type {any} */ ({ dataset: {} });
  assert.equal(await watch(seen, [broken, broken], place, "1", () => true), false);
  assert.equal(seen.seenAt, null);
  const both = [1, 2].map(() => watch(seen, [broken, good], place, "1", () => true));
  await both[0];
  const first = seen.seenAt;
  assert.deepEqual(await Promise.all(both), [true, true]);
  assert.equal(seen.seenAt, first);
  assert.equal(counts(seen, Number(first) + LEAST), true);
});

test("what cannot be shown is never painted; one tile of a page may be missing", async () => {
  const frame = async () => 5;
  assert.equal(await painted([broken], frame), null);
  assert.equal(await painted([broken, good], frame), 5);
  const resized = { ...broken, naturalWidth: 8 }; // decode() fails where the size changes meanwhile
  assert.equal(await painted([resized], frame), 5);
});
