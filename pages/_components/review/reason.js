// Why the label is doubted, in one sentence of the numbers beside it.

import { plural, shortName } from "../desk/words.js";

/** @import { Found } from "./evidence.js" */

/**
 * @param {string[]} classes
 * @param {Pick<Found, "methods" | "neighbours" | "top">} found
 * @returns {string} empty where neither methods nor neighbours say anything
 */
export function reasonWords(classes, { methods, neighbours, top }) {
  const [first] = top;
  if (!first) return "";
  const name = shortName(classes[first.label]);
  const asked = methods.filter((one) => !one.told && one.label !== null);
  const votes = asked.filter((one) => one.label === first.label).length;
  const near = neighbours.filter((one) => one.label === first.label).length;
  const parts = [];
  if (asked.length) parts.push(`${ofAll(votes, asked.length, "method")} would call it ${name}`);
  if (neighbours.length) {
    const its = parts.length ? "its" : "Its";
    const all = near === neighbours.length;
    const some = `${near || "none"} of ${its.toLowerCase()} ${neighbours.length} nearest`;
    const words = all ? `${its} ${near} nearest are all` : `${some} ${near === 1 ? "is" : "are"}`;
    parts.push(`${words} labelled ${name}`);
  }
  const sentence = parts.join("; ");
  return sentence && `${sentence[0].toUpperCase()}${sentence.slice(1)}.`;
}

/**
 * How many methods doubt the label; those that were told the answer have no opinion.
 *
 * @param {Pick<Found["methods"][number], "told" | "wrong">[]} methods
 * @returns {string}
 */
export function doubt(methods) {
  const asked = methods.filter((one) => !one.told);
  if (!methods.length) return "What methods say";
  if (!asked.length) {
    const who = methods.length === 1 ? "The one method was" : `All ${methods.length} methods were`;
    return `${who} told the answer`;
  }
  const wrong = asked.filter((one) => one.wrong).length;
  return `${wrong} of ${plural(asked.length, "method")} ${
    asked.length === 1 ? "doubts" : "doubt"
  } it`;
}

/**
 * @param {number} some
 * @param {number} all
 * @param {string} one
 */
function ofAll(some, all, one) {
  if (all === 1) return some ? `the one ${one}` : `not the one ${one}`;
  return `${some || "none"} of ${all} ${one}s`;
}
