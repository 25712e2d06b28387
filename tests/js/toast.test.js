// Presses that did nothing, in words that count them.

import assert from "node:assert/strict";
import { test } from "node:test";

import { oneMore, refusalWords } from "../../pages/_components/desk/toast.js";

const SOON = "the image had only just come";
const COMING = "the suggestion is still coming";

test("several refusals in a row are one line that counts them, each reason told once", () => {
  const first = oneMore(null, SOON);
  assert.equal(refusalWords(first), `Not counted: ${SOON}.`);
  const third = oneMore(oneMore(first, SOON), SOON);
  assert.equal(refusalWords(third), `3 presses not counted: ${SOON}.`);
  const mixed = oneMore(oneMore(third, COMING), SOON);
  assert.equal(refusalWords(mixed), `5 presses not counted: ${SOON}; ${COMING}.`);
});
