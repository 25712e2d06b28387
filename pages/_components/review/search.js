// Looking for a class by its name.

const MOST = 200; // rows drawn; the search narrows longer lists

/**
 * @param {string[]} names
 * @param {string} text what the person typed
 * @returns {number[]} labels: names that begin so first, then names that hold it; no more than 200
 */
export function search(names, text) {
  const words = text.trim().toLocaleLowerCase();
  const places = names.map((name) => (words ? name.toLocaleLowerCase().indexOf(words) : 0));
  const labels = names.map((_, label) => label).filter((label) => places[label] >= 0);
  const begins = labels.filter((label) => places[label] === 0);
  return [...begins, ...labels.filter((label) => places[label] > 0)].slice(0, MOST);
}
