import assert from "node:assert/strict";
import { test } from "node:test";

import { called, classKeys, namesIn, withComing } from "../../pages/_components/desk/classes.js";
import {
  classOf,
  IS_GIVEN,
  noSuggestion,
  objection,
} from "../../pages/_components/review/choosing.js";

const TEN = [..."0123456789"];
const options = [8, 5, 9, 4].map((label) => ({ label, prob: 0.2, said: "" }));
const shown = /** @type {any} */ ({ state: "ready", found: { top: options } });

test("a class that is added moves no key: the digit stays its class, and the new one has none", () => {
  for (const classes of [TEN, ["ant", "bee", "cow"], [..."012345678"]]) {
    const before = classKeys({ classes, imported: classes.length });
    const grown = { classes: [...classes, "blurred"], imported: classes.length };
    assert.deepEqual(classKeys(grown), [...(before ?? []), null]);
    for (const key of before ?? []) {
      assert.equal(classOf(grown, shown, String(key)), before?.indexOf(key));
    }
  }
});

test("a digit without a class says so, and answers nothing", () => {
  const data = { classes: ["ant", "bee", "cow"], imported: 2 };
  assert.equal(classOf(data, shown, "2"), 1);
  assert.match(String(classOf(data, shown, "3")), /no class has the key 3/); // cow was added
});

test("above ten classes of the import a digit is a suggestion that is shown, never one behind", () => {
  const data = { classes: [...TEN, "ten"], imported: 11 };
  assert.equal(classOf(data, shown, "3"), 9);
  for (const key of ["4", "0"]) {
    assert.match(String(classOf(data, shown, key)), new RegExp(`no suggestion has the key ${key}`));
  }
});

test("a digit or Enter that finds no suggestion says whether one comes", () => {
  const data = { classes: [...TEN, "ten"], imported: 11 };
  for (const [known, words] of [
    [{ state: "loading" }, /still coming/],
    [{ state: "failed" }, /cannot be loaded/],
    [undefined, /no suggestion here/],
  ]) {
    assert.match(noSuggestion(known), words);
    assert.match(String(classOf(data, known, "1")), words);
  }
  const none = /** @type {any} */ ({ state: "ready", found: { top: [] } });
  assert.match(noSuggestion(none), /no suggestion here/);
});

test("no key and no press takes a class that is offered no more, the given one, or none", () => {
  const data = { no_classes: [2], retired: [3] };
  const classes = ["cat", "dog", "?", "brid"];
  assert.equal(objection(data, 0, 1, classes), "");
  assert.equal(objection(data, 0, 0, classes), IS_GIVEN);
  assert.match(objection(data, 0, 2, classes), /is no class/);
  assert.match(objection(data, 0, 3, classes), /brid is offered no more/);
});

test("an added class goes by its name, whoever counted what meanwhile", () => {
  const before = { classes: ["ant", "bee"], imported: 2 };
  const offered = withComing(before.classes, [{ new_class: "anns" }, {}, { named: ["", "anns"] }]);
  assert.deepEqual(offered, ["ant", "bee", "anns"]);
  assert.deepEqual(called(before, 2, offered), { label: -1, name: "anns" });
  // the server has given the number to somebody else's class while the list was open
  const since = { classes: ["ant", "bee", "bobs", "anns"], imported: 2 };
  assert.deepEqual(called(since, 2, offered), { label: 3, name: "anns" });
  assert.deepEqual(called(since, 1, offered), { label: 1, name: "" });
  assert.deepEqual(called(since, 2), { label: 2, name: "bobs" });
});

test("what waits is shown by its name, though its number is another's by now", () => {
  const classes = ["ant", "bee", "bobs"];
  const one = { label: 2, labels: [], new_class: "anns" };
  assert.deepEqual(namesIn(classes, one), ["anns"]);
  assert.deepEqual(namesIn(classes, { label: 2, labels: [] }), ["bobs"]);
  const several = { label: null, labels: [0, -1], named: ["", "anns"] };
  assert.deepEqual(namesIn(classes, several), ["ant", "anns"]);
  assert.deepEqual(namesIn(classes, { label: null, labels: [] }), []);
});
