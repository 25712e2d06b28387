import assert from "node:assert/strict";
import { test } from "node:test";

import { classKeys } from "../../pages/_components/desk/classes.js";
import { search } from "../../pages/_components/review/search.js";

const NAMES = ["Tree frog", "frog", "Fire frog", "FROGFISH", "newt"];

test("names that begin with the words come first, each in the order of the classes", () => {
  assert.deepEqual(search(NAMES, " Frog"), [1, 3, 0, 2]);
  assert.deepEqual(search(NAMES, "f"), [1, 2, 3, 0]);
});

test("no words are every class, other words are none", () => {
  assert.deepEqual(search(NAMES, "  "), [0, 1, 2, 3, 4]);
  assert.deepEqual(search(NAMES, "toad"), []);
});

test("a long list is cut, and the search still reaches its end", () => {
  const many = Array.from({ length: 1000 }, (_, i) => `kind ${i}`);
  assert.equal(search(many, "").length, 200);
  assert.deepEqual(search(many, "kind 999"), [999]);
});

test("the first class has the key 1, the tenth the key 0", () => {
  const ten = Array.from("abcdefghij");
  assert.deepEqual(classKeys(ten), [..."1234567890"]);
  assert.equal(classKeys([...ten, "k"]), null);
});

test("classes that are digits keep their own keys", () => {
  assert.deepEqual(classKeys(["3", " 7", "0"]), ["3", "7", "0"]);
  assert.deepEqual(classKeys(["3", "3"]), ["1", "2"]);
  assert.deepEqual(classKeys(["3", "12"]), ["1", "2"]);
});
