import assert from "node:assert/strict";
import { test } from "node:test";

import { doubt, reasonWords } from "../../pages/_components/review/reason.js";

const CLASSES = ["cat", "dog", "cow"];
const says = (...labels) => labels.map((label) => ({ label, told: false }));
const near = (...labels) => labels.map((label, row) => ({ row, label }));
const top = [{ label: 0, prob: 0.8 }];
const words = (methods, neighbours, first = top) =>
  reasonWords(CLASSES, { methods, neighbours, top: first });

test("the sentence counts the methods and the neighbours that say the suggestion", () => {
  assert.equal(
    words(says(0, 0, 0, 0, 0, 1), near(0, 0, 0)),
    "5 of 6 methods would call it cat; its 3 nearest are all labelled cat.",
  );
  assert.equal(
    words(says(0, 1), near(0, 1, 1)),
    "1 of 2 methods would call it cat; 1 of its 3 nearest is labelled cat.",
  );
});

test("it says so where the numbers speak against the suggestion", () => {
  assert.equal(
    words(says(1, 1, 2), near(1, 2)),
    "None of 3 methods would call it cat; none of its 2 nearest are labelled cat.",
  );
  assert.equal(words(says(1), []), "Not the one method would call it cat.");
});

test("who was told the answer, or names no class, has no vote", () => {
  const methods = [...says(0, 1), { label: 0, told: true }, { label: null, told: false }];
  assert.equal(words(methods, []), "1 of 2 methods would call it cat.");
});

test("of what is not there nothing is said", () => {
  assert.equal(words([], near(0, 0)), "Its 2 nearest are all labelled cat.");
  assert.equal(words([], []), "");
  assert.equal(words(says(0), near(0), []), "");
});

test("methods that were told the answer are said to be, not counted as none of none", () => {
  const told = { told: true, wrong: true };
  const asked = { told: false, wrong: true };
  assert.equal(doubt([told, told]), "All 2 methods were told the answer");
  assert.equal(doubt([told]), "The one method was told the answer");
  assert.equal(doubt([told, asked, { ...asked, wrong: false }]), "1 of 2 methods doubt it");
  assert.equal(doubt([]), "What methods say");
});
