import assert from "node:assert/strict";
import { test } from "node:test";

import { answeredBefore, looksWords, saidWords } from "../../pages/_components/review/said.js";

const CLASSES = ["ant", "bee", "cow"];

test("an earlier answer names its class and who gave it", () => {
  assert.equal(saidWords(CLASSES, { action: "keep" }), ", by you");
  assert.equal(saidWords(CLASSES, { action: "relabel", label: 0, by: "B" }), ": ant, by B");
  const several = { action: /** @type {const} */ ("multiple"), labels: [1, 2] };
  assert.equal(saidWords(CLASSES, several), ": bee + cow, by you");
});

test("what may lead the next person is not told", () => {
  assert.equal(answeredBefore({ by: "B" }), "answered by B");
  assert.equal(answeredBefore({}), "answered by you");
});

test("that there are hidden looks is said of the queue, not of an image", () => {
  assert.match(looksWords({ looks: true }), /twice or without their label/);
  assert.equal(looksWords({ looks: false }), "");
});
