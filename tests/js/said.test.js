import assert from "node:assert/strict";
import { test } from "node:test";

import {
  answeredBefore,
  leftWords,
  looksWords,
  saidWords,
  shownAnswer,
} from "../../pages/_components/review/said.js";

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

test("a skip hides nobody's answer, and neither does an answer that was taken back", () => {
  const bobs = { said: { by: "bob", action: /** @type {const} */ ("keep"), label: null } };
  const mine = { said: { action: /** @type {const} */ ("keep"), label: null } };
  assert.equal(shownAnswer(bobs, undefined), "before");
  assert.equal(shownAnswer(bobs, { action: "skip" }), "before");
  assert.equal(shownAnswer(bobs, { action: "reopen" }), "before");
  assert.equal(shownAnswer(bobs, { action: "none" }), "none");
  assert.equal(shownAnswer(mine, { action: "reopen" }), "");
  assert.equal(shownAnswer(mine, { action: "skip" }), "skip");
  assert.equal(shownAnswer({}, { action: "skip" }), "skip");
  assert.equal(shownAnswer({}, undefined), "");
});

test("a skip leaves what the person has answered, and says so", () => {
  assert.equal(leftWords({}, undefined), "");
  assert.equal(leftWords({ said: { by: "B" } }, undefined), "");
  assert.equal(leftWords({}, { action: "skip" }), "");
  assert.equal(leftWords({}, { action: "keep" }), "Left as it was: kept.");
  for (const [image, before] of [
    [{ blind: true }, { action: /** @type {const} */ ("relabel") }],
    [{ blind: true, said: {} }, undefined],
  ]) {
    assert.equal(leftWords(image, before), "Left as it was: your answer stays.");
  }
});
