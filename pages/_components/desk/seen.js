// Whether a person can have seen a picture: it is on screen, and has been for a moment. A key that
// bounces, or a press meant for the image before, must not answer one that nobody has looked at.

export const LEAST = 120; // ms on screen before an answer counts

/**
 * @typedef {Object} Seen
 * @property {number | null} seenAt ms of the page's clock when it was painted, null before
 *
 * @typedef {Pick<HTMLImageElement, "decode" | "complete" | "naturalWidth">} Picture
 */

/**
 * @param {Seen} seen
 * @param {number} now ms
 */
export const counts = ({ seenAt }, now) => seenAt !== null && now - seenAt >= LEAST;

/** @returns {Promise<number>} the time of the next frame; never in a hidden tab */
const nextFrame = () => new Promise((done) => requestAnimationFrame(() => done(performance.now())));

/** @param {Picture} picture */
async function decoded(picture) {
  try {
    await picture.decode();
    return true;
  } catch {
    return picture.complete && picture.naturalWidth > 0; // given another size while it decoded
  }
}

/**
 * Wait until pictures that are in the page have been painted: the frame after they are decoded
 * draws them, and the one after that begins when they are on screen.
 *
 * @param {Picture[]} pictures
 * @param {() => Promise<number>} [frame]
 * @returns {Promise<number | null>} when that was; null where none of them can be shown
 */
export async function painted(pictures, frame = nextFrame) {
  const good = await Promise.all(pictures.map(decoded));
  if (!good.some(Boolean)) return null;
  await frame();
  return frame();
}

/**
 * Note when pictures were painted, and say in the page from when answers count.
 *
 * @param {Seen} seen of these pictures alone
 * @param {Picture[]} pictures
 * @param {HTMLElement} place gets `data-counts`, of the value `name`, once answers count
 * @param {string} name
 * @param {() => boolean} isHere whether they are still what is shown
 * @returns {Promise<boolean>} false where none of them can be shown
 */
export async function watch(seen, pictures, place, name, isHere) {
  delete place.dataset.counts;
  const at = await painted(pictures);
  if (at === null) return false;
  if (!isHere() || seen.seenAt !== null) return true;
  seen.seenAt = at;
  setTimeout(() => {
    if (isHere()) place.dataset.counts = name;
  }, LEAST + 1);
  return true;
}
