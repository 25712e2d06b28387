// Which key stands for which class, for good.

import { oneLine } from "./words.js";

/**
 * 1 is the first class, 0 the tenth. Classes that are digits themselves keep their own.
 *
 * @param {string[]} classes
 * @returns {string[] | null} null above ten classes: there only the suggestions have keys
 */
export function classKeys(classes) {
  if (classes.length > 10) return null;
  const names = classes.map(oneLine);
  const digits = names.every((name) => /^[0-9]$/.test(name));
  if (digits && new Set(names).size === names.length) return names;
  return classes.map((_, label) => String((label + 1) % 10));
}
