import assert from "node:assert/strict";
import { test } from "node:test";

import {
  courseNow,
  courseWords,
  endsOf,
  goalLineOf,
  ticks,
} from "../../pages/_components/desk/course.js";
import { certified, facts, lastIsSooner, waits } from "../../pages/_components/desk/left.js";

const LEFT = {
  audits: 60,
  since: 60,
  enough: 20,
  estimate: 150,
  limit: 212,
  goal: 80,
  total: 8000,
  may_stop: false,
};
const NOW = {
  reviewed: 800,
  expected: 1700,
  wrong: 31,
  seconds_per_image: null,
  errors_left: LEFT,
  goal: {
    kind: "left",
    words: "until at most 80 wrong labels are left",
    holds: false,
    takes: "about 900 more reviews",
    said: "",
    reached: "at most 75 errors left",
  },
};
const START = { ...LEFT, audits: 8, since: 8, estimate: null, limit: null };
const words = (now) => facts(now).map(({ name, value, side }) => `${name}: ${value}, ${side}`);

test("found, estimate, guarantee and what the goal takes are said in plain words", () => {
  assert.deepEqual(words(NOW), [
    "Wrong labels found: 31, in 800 images reviewed",
    "Probably left: about 150, an estimate by scores and answers, no promise",
    "Guaranteed: at most 212 left, sure to 95\u202f%",
    "To the goal: about 900 more reviews, until at most 80 wrong labels are left; or stop now: at most 212",
  ]);
});

test("before chance has spoken nothing is promised, and a guess is called one", () => {
  const said = "a rough guess by one method until 25 answers";
  const now = { ...NOW, errors_left: START, guess: 700, guess_said: said };
  const [, guess, promise, goal] = words(now);
  assert.equal(guess, `Probably left: about 700, ${said}`);
  assert.equal(promise, "Guaranteed: nothing yet, after 20 random checks, 8 so far");
  assert.equal(goal, "To the goal: about 900 more reviews, until at most 80 wrong labels are left");
  assert.match(words({ ...NOW, errors_left: START, guess: null })[1], /not known yet$/);
});

test("in a small set the guarantee comes with the last image, and looking at all takes hardly longer", () => {
  const goal = { ...NOW.goal, takes: "nearly all of the 60 images left", all: true };
  const errors_left = { ...START, since: 2, total: 60 };
  const now = { ...NOW, reviewed: 10, errors_left, goal };
  assert.ok(lastIsSooner(now));
  assert.ok(!lastIsSooner({ ...now, errors_left: START }));
  const [, , promise, all] = words(now);
  assert.match(promise, /after 20 random checks, 2 so far; or once all 60 are reviewed$/);
  assert.match(all, /looking at every image takes hardly longer, and is sure$/);
});

test("of a team the guarantee is never without what it supposes", () => {
  const errors_left = { ...LEFT, supposes: "if nobody errs" };
  const course = { past: [], ahead: [], people: "" };
  assert.match(words({ ...NOW, errors_left, course })[2], /sure to 95.% if nobody errs$/);
  const people = "At most 300 with what people pass over";
  const more = words({ ...NOW, errors_left, course: { ...course, people } })[2];
  assert.match(more, /sure to 95.% if nobody errs\. At most 300 with what people pass over$/);
  assert.match(words({ ...NOW, course })[2], /sure to 95.%$/);
});

test("a certificate needs a random check", () => {
  const done = { ...LEFT, may_stop: true };
  assert.ok(certified(done));
  assert.ok(!certified({ ...done, since: 0 }));
});

test("the goal is reached only when the random checks say so", () => {
  const goal = { ...NOW.goal, takes: "a few more random images" };
  const none = { ...NOW, reviewed: 9000, goal };
  assert.match(words(none)[3], /^To the goal: a few more random images, until/);
  assert.equal(
    words({ ...NOW, goal: { ...NOW.goal, holds: true } })[3],
    "To the goal: reached, at most 75 errors left: you may stop",
  );
});

test("drawn images that were put off are said beside the goal, until it holds", () => {
  const errors_left = { ...LEFT, waits: "3 drawn images wait, skipped or unsure" };
  const now = { ...NOW, errors_left };
  assert.match(words(now)[3], /are left; 3 drawn images wait, skipped or unsure; or stop now/);
  assert.ok(waits(now));
  assert.ok(!waits(NOW));
  assert.ok(!waits({ ...now, goal: { ...NOW.goal, holds: true } }));
  const certain = { ...now, errors_left: { ...errors_left, may_stop: true } };
  assert.ok(waits({ ...certain, goal: { ...NOW.goal, kind: "recall" } }));
  assert.ok(!waits({ ...now, goal: { ...NOW.goal, kind: "reviews" } }), "images keep nothing away");
});

test("a goal of time says how far it is, and what the guarantee will be", () => {
  const goal = {
    kind: "reviews",
    words: "until 500 images more have an answer",
    holds: false,
    takes: "about 400 more reviews",
    said: "100 of 500 answered",
    reached: "",
  };
  const course = { past: [], ahead: [[1200, 130]] };
  assert.equal(
    words({ ...NOW, goal, course })[3],
    "To the goal: about 400 more reviews, until 500 images more have an answer; 100 of 500 answered; " +
      "then at most 130 left, it is expected; or stop now: at most 212",
  );
  assert.equal(goalLineOf({ ...NOW, goal }), null);
  assert.equal(goalLineOf(NOW), 80);
});

test("the chart ends at what is said now, whatever the server had worked out by then", () => {
  const course = {
    past: [
      [100, 900],
      [700, 230],
      [820, 200],
    ],
    ahead: [
      [700, 230],
      [900, 215],
      [1700, 80],
    ],
  };
  const { past, ahead } = courseNow({ ...NOW, course });
  assert.deepEqual(past.at(-1), [800, 212]);
  assert.deepEqual(past.length, 3);
  assert.deepEqual(ahead, [
    [900, 212], // never above what is guaranteed already
    [1700, 80],
  ]);
  assert.equal(
    courseWords({ past, ahead }, 80),
    "The guarantee against reviews: from at most 900 after 100 to at most 212 wrong labels left " +
      "after 800 reviews. Expected: at most 80 after 1,700. Goal: 80.",
  );
  const reached = { ...NOW, course, errors_left: { ...LEFT, may_stop: true } };
  assert.deepEqual(courseNow(reached).ahead, []);
  assert.equal(courseNow({ ...NOW, errors_left: START, course }), null);
});

test("the axes hold the goal, and no early limit squeezes what counts", () => {
  const past = [
    [100, 50_000],
    [800, 100],
  ];
  assert.ok(endsOf({ past, ahead: [] }, 80).top <= 3500);
  assert.ok(endsOf({ past: [[800, 3]], ahead: [] }, 80).top >= 160);
  assert.ok(endsOf({ past: [[800, 0]], ahead: [] }, null).last > 800); // one point is a chart, too
  assert.deepEqual(ticks(930), [0, 100, 500]);
  assert.deepEqual(ticks(1), [0, 1]);
});
