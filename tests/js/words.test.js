import assert from "node:assert/strict";
import { test } from "node:test";

import {
  article,
  chance,
  count,
  oneLine,
  percent,
  plural,
  seconds,
  folderAndFile,
  short,
  shortName,
  THIN,
} from "../../pages/_components/desk/words.js";

test("a name is one line and turns no text around", () => {
  assert.equal(oneLine("  a\nb\u2028c\u0007 "), "a b c");
  assert.equal(oneLine("safe\u202egnp.exe"), "safegnp.exe");
  assert.equal(oneLine(null), "");
});

test("a long name is cut at whole letters", () => {
  assert.equal(short("abcdef", 6), "abcdef");
  assert.equal(short("abcdefg", 6), "abcde…");
  assert.equal(short("ab cdefg", 4), "ab…");
  assert.equal(short("🐜🐝🐄🦌", 3), "🐜🐝…");
});

test("long names that differ at their end alone stay apart", () => {
  const names = ["no. 1", "no. 2"].map((end) => `Scottish deerhound with a coat, ${end}`);
  assert.deepEqual(
    names.map((name) => shortName(name, 24)),
    ["Scottish deerho…t, no. 1", "Scottish deerho…t, no. 2"],
  );
  assert.equal(shortName("abcdefghi", 9), "abcdefghi");
  assert.equal(Array.from(shortName("🐜".repeat(30), 12)).length, 12);
});

test("a path keeps the name of its file, however long it is", () => {
  assert.deepEqual(folderAndFile("a/b/c.png"), ["a/b/", "c.png"]);
  assert.deepEqual(folderAndFile("C:\\a\\c.png"), ["C:\\a\\", "c.png"]);
  assert.deepEqual(folderAndFile("c.png"), ["", "c.png"]);
  const [folder, file] = folderAndFile(`${"deep/".repeat(50)}0123456789abcdef.png`, 12);
  assert.equal(folder, "deep/".repeat(50));
  assert.equal(file, "01234…ef.png");
});

test("numbers as words", () => {
  assert.equal(count(1234567.4), "1,234,567");
  assert.equal(percent(0.125), `13${THIN}%`);
  assert.equal(plural(1, "class", "classes"), "1 class");
  assert.equal(plural(2000, "class", "classes"), "2,000 classes");
  assert.equal(plural(0, "image"), "0 images");
});

test("times as words", () => {
  assert.equal(seconds(2), "2 s");
  assert.equal(seconds(1.26), "1.3 s");
  assert.equal(seconds(9.96), "10 s");
  assert.equal(seconds(59.6), "1 min");
  assert.equal(seconds(61), "1 min 1 s");
});

test("the article follows the sound's letter", () => {
  assert.equal(article(" ant"), "an");
  assert.equal(article("Bee"), "a");
});

test("a chance is never certain", () => {
  assert.equal(chance(0.9996), ">0.99");
  assert.equal(chance(0.9951), ">0.99");
  assert.equal(chance(0.99), "0.99");
  assert.equal(chance(0.004), "<0.01");
  assert.equal(chance(0.25), "0.25");
});
