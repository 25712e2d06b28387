// The panel's maps: where the network looks for the given and for the suggested class.

import { icon } from "../desk/icons.js";
import { gap, h, missing, named } from "../desk/nodes.js";
import { oneLine, short } from "../desk/words.js";
import { mapsHere } from "./evidence.js";
import { mapPicture } from "./heat.js";

/**
 * @import { Piece } from "../desk/nodes.js"
 * @import { ReviewDesk } from "./desk.js"
 * @import { MapNumber, Maps, ReadyMaps } from "./evidence.js"
 */

const ROOM = 9; // letters of a class that leave room for more words under a map
const TALL = 960; // px: a window with room for the numbers in words

/** @param {ReviewDesk} desk */
export function mapsSection(desk) {
  const maps = mapsHere(desk);
  const told = maps?.state === "ready" ? short(maps.words, 200) : null; // for low windows
  const title = h("b", { title: told }, "Where the network looks");
  /** @param {...Piece} pieces */
  const head = (...pieces) => h("div", { class: "hd" }, title, ...pieces);
  if (maps?.state === "none") return null; // what is not here is said at the end
  const source = maps && sourceLine(desk, maps);
  if (maps?.state === "hidden") return hiddenSection(desk, maps.words, head(), source);
  if (maps?.state === "failed") {
    return h("div", { class: "sec maps" }, head(), source, missing(short(maps.words, 160)));
  }
  if (maps?.state === "ready") return readySection(desk, maps, head, source);
  const boxes = [0, 1, 2].map(() => h("div", null, waitingBox()));
  return h(
    "div",
    { class: "sec maps" },
    head(gap(), h("span", null, "Drawing…")),
    source,
    h("div", { class: "mapset" }, boxes),
  );
}

/**
 * Why there are no maps, and a way to see them all the same.
 *
 * @param {ReviewDesk} desk
 * @param {string} words
 * @param {HTMLElement} head
 * @param {Piece} source
 */
function hiddenSection(desk, words, head, source) {
  const props = { type: "button", class: "link", onclick: () => desk.acts.showMapsAnyway() };
  const why = `Hidden: ${short(words, 160)} `;
  return h(
    "div",
    { class: "sec maps" },
    head,
    source,
    h("div", { class: "cap" }, why, h("button", props, "Show them anyway")),
  );
}

const waitingBox = () => h("div", { class: "skeleton mapbox" });

/**
 * @param {ReviewDesk} desk
 * @param {ReadyMaps} maps
 * @param {(...pieces: Piece[]) => HTMLElement} head
 * @param {Piece} source
 */
function readySection(desk, maps, head, source) {
  const scale = h(
    "span",
    { class: "scale", title: "colour: nothing to most, the same for both maps" },
    "0",
    h("i", { class: "ramp" }),
    "1",
  );
  return h(
    "div",
    { class: "sec maps" },
    head(source, gap(), scale, slider(desk)),
    mapSet(desk, maps),
    ...numbers(desk, maps),
  );
}

/**
 * Whose maps these are, and where there are several, a choice. The grade is told on pointing at it.
 *
 * @param {ReviewDesk} desk
 * @param {Maps} maps
 */
function sourceLine(desk, { sources = [], source, grade = "" }) {
  const chosen = source || desk.look.mapSource;
  const one = sources.find((each) => each.key === chosen);
  if (!one) return null;
  const title = grade || null;
  if (sources.length < 2) return h("div", { class: "cap source", title }, `By ${one.title}`);
  const options = sources.map((each) => {
    const words = each.good ? each.title : `${each.title} (no good here)`;
    return h("option", { value: each.key, selected: each === one }, words);
  });
  /** @param {Event} event */
  const onchange = (event) =>
    desk.acts.chooseSource(/** @type {HTMLSelectElement} */ (event.target).value);
  const props = { "aria-label": "whose maps", title, onchange };
  return h("label", { class: "cap source" }, h("span", null, "By"), h("select", props, options));
}

/** @param {ReviewDesk} desk */
function slider(desk) {
  const words = "opacity of the maps";
  return h("input", {
    type: "range",
    min: "0.2",
    max: "1",
    step: "0.1",
    value: String(desk.look.mapOpacity),
    "aria-label": words,
    title: words,
    /** @param {Event} event */
    oninput: (event) =>
      desk.acts.setOpacity(Number(/** @type {HTMLInputElement} */ (event.target).value)),
  });
}

/**
 * @param {ReviewDesk} desk
 * @param {ReadyMaps} maps
 */
function mapSet(desk, maps) {
  const [given, other] = [desk.data.classes[maps.given], desk.data.classes[maps.other]];
  const { image } = desk.stage;
  /** @param {0 | 1} which */
  const share = (which) => (maps.shares && maps.common ? `, ${maps.shares[which]}` : "");
  const held = maps.shares && maps.common ? " of what both maps show, no probability" : "";
  const said = {
    given: `${given} given${share(0)}${held}`,
    suggested: `${other} suggested${share(1)}${held}`,
    difference: `${other} minus ${given}`,
  };
  /**
   * @param {keyof typeof said} which
   * @param {...Piece} words
   */
  const one = (which, ...words) => {
    const told = oneLine(`${said[which]}: shows it over the image`);
    const on = desk.turn.overlay === which;
    const picture =
      image?.complete && image.naturalWidth
        ? mapPicture(image, maps, which, desk.look.mapOpacity, `map of ${which}`)
        : waitingBox();
    const props = { class: `mapbtn ${on ? "on" : ""}`, title: told };
    const onclick = () => desk.acts.setOverlay(on ? "" : which);
    const under = h("div", { class: "cap" }, ...words);
    return h("button", { type: "button", ...props, onclick }, picture, under);
  };
  /** @param {number} limit */
  const suggested = (limit) => named("b", other, { class: "suggested" }, limit);
  const word = other.length > ROOM ? "" : " suggested"; // it is blue, and its share has to be read
  return h(
    "div",
    { class: "mapset" },
    one("given", named("b", given, {}, 12), ` given${share(0)}`),
    one("suggested", suggested(12), `${word}${share(1)}`),
    one("difference", suggested(10), " minus ", named("b", given, {}, 10)),
  );
}

/**
 * What the maps say in numbers: below them where there is room, else behind a sign.
 *
 * @param {ReviewDesk} desk
 * @param {ReadyMaps} maps
 */
function numbers(desk, maps) {
  /** @param {MapNumber} one */
  const figure = (one) => one.value.toFixed(2).replace("-", "−");
  /** @param {MapNumber} one */
  const place = (one) => ` ${one.words}, above ${one.above} of images`;
  const told = maps.numbers.map((one) => figure(one) + place(one)).join("\n");
  const room = desk.look.wide && window.innerHeight > TALL;
  const sign =
    told && !room ? h("u", { role: "note", "aria-label": told }, icon("help", 14)) : null;
  const words = short(maps.words, 200);
  const lines = maps.numbers.map((one) => h("div", null, h("b", null, figure(one)), place(one)));
  return [
    h("div", { class: "mapwords", title: told || null }, h("span", null, words), sign),
    room && lines.length ? h("div", { class: "mapnumbers" }, lines) : null,
  ];
}
