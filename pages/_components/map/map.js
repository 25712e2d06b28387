// The map of Explore. The browser holds positions and colours (five bytes a point); it sends a loop
// or one row, and the server answers with what is inside.

import { drawn } from "../desk/icons.js";
import { isDark } from "../desk/layout.js";
import { mounting } from "../desk/mount.js";
import { h } from "../desk/nodes.js";
import { oneLine, plural, shortName } from "../desk/words.js";
import { hoverOver } from "./card.js";
import { closer, farther, letGo, pickTool, press, pressKey } from "./hand.js";
import { release, showWhole, slide, turnWheel } from "./hand.js";
import { fitMap } from "./layout.js";
import { load } from "./load.js";
import { paint, sizeCanvas } from "./paint.js";
import { coloursOf } from "./palette.js";
import { savePixels, saveShapes } from "./save.js";
import { newState } from "./state.js";

/**
 * @import { Tool } from "./loop.js"
 * @import { ExploreMap, MapData } from "./state.js"
 */

const FIELD =
  "Map of the images. Plus and minus zoom, arrows move, 0 shows all, Escape clears the loop.";
const ICON = 16; // px
const LEGEND = [7, 9, 11, 7]; // px of the legend's discs where size repeats colour

/** @type {[Tool, string, string[]][]} */
const TOOLS = [
  [
    "lasso",
    "Draw a loop",
    [
      "M12 4.5c4.7 0 8 2.3 8 5.6s-3.3 5.6-8 5.6s-8-2.3-8-5.6s3.3-5.6 8-5.6",
      "M7 14.6c-1.2.9-1.4 2.2-.4 3s.9 1.6.2 2.6",
    ],
  ],
  ["box", "Draw a box", ["M4.5 6h15v12h-15z"]],
  [
    "move",
    "Move the map",
    [
      "M12 3.5v17",
      "M3.5 12h17",
      "M9.5 6L12 3.5L14.5 6",
      "M9.5 18l2.5 2.5l2.5-2.5",
      "M6 9.5L3.5 12L6 14.5",
      "M18 9.5l2.5 2.5l-2.5 2.5",
    ],
  ],
];

/** @type {[string, string[], (map: ExploreMap) => void][]} */
const ACTS = [
  ["Closer", ["M12 5.5v13", "M5.5 12h13"], closer],
  ["Farther", ["M5.5 12h13"], farther],
  ["Whole map", ["M4.5 9V4.5H9", "M15 4.5h4.5V9", "M19.5 15v4.5H15", "M9 19.5H4.5V15"], showWhole],
  ["Save as PNG", ["M12 4v11", "M7.5 10.8L12 15.3l4.5-4.5", "M5 19.5h14"], savePixels],
  [
    "Save as SVG",
    ["M5.5 18.5C7 7.5 17 16.5 18.5 5.5", "M4 17h3v3h-3z", "M17 4h3v3h-3z"],
    saveShapes,
  ],
];

/** @param {ExploreMap} map */
function drawTools(map) {
  /**
   * @param {string} title
   * @param {string[]} paths
   * @param {() => void} onclick
   * @param {string | null} tool
   */
  const button = (title, paths, onclick, tool = null) => {
    const props = { title, "aria-label": title, "data-tool": tool, onclick };
    return h("button", { type: "button", ...props }, drawn(paths, ICON));
  };
  map.parts.tools.append(
    ...TOOLS.map(([tool, title, paths]) => button(title, paths, () => pickTool(map, tool), tool)),
    ...ACTS.map(([title, paths, act]) => button(title, paths, () => act(map))),
  );
  pickTool(map, "lasso");
}

/** @param {ExploreMap} map */
function listen(map) {
  const { field } = map.parts;
  field.setAttribute("aria-label", FIELD);
  field.onpointerdown = (event) => press(map, event);
  field.onpointermove = (event) => slide(map, event);
  field.onpointerup = (event) => release(map, event);
  field.onpointercancel = () => letGo(map);
  field.onpointerleave = () => hoverOver(map, -1);
  field.onkeydown = (event) => pressKey(map, event);
  field.addEventListener("wheel", (event) => turnWheel(map, event), { passive: false });
}

const mount = mounting((parent, /** @type {MapData} */ data) => {
  const map = newState(parent, data);
  drawTools(map);
  listen(map);
  const watch = new ResizeObserver(() => {
    sizeCanvas(map);
    paint(map, true);
  });
  return {
    desk: map,
    root: map.parts.root,
    start(signal) {
      map.away = false;
      watch.observe(map.parts.field);
      window.addEventListener("resize", () => fitMap(map), { signal });
    },
    stop() {
      map.away = true;
      watch.disconnect();
      clearTimeout(map.canvas.later);
    },
  };
});

/** @param {ExploreMap} map */
function drawHead({ parts, data, dark }) {
  const colours = coloursOf(data.mode, dark);
  const legend = data.legend.map(({ slot, name, count }) => {
    const size = `${data.mode === "suspicion" ? LEGEND[slot] : 10}px`;
    const disc = h("i", { style: { width: size, height: size, background: colours[slot] } });
    return h(
      "span",
      { title: `${oneLine(name)}: ${plural(count, "image")}` },
      disc,
      shortName(name, 18),
    );
  });
  parts.head.replaceChildren(
    h("span", { class: "t" }, "Map"),
    h("span", { class: "sub" }, data.subtitle),
    h("span", { class: "key" }, legend),
  );
}

/**
 * @param {Object} component
 * @param {MapData} component.data
 * @param {ParentNode} component.parentElement
 * @param {(name: string, value: unknown) => void} component.setStateValue
 * @returns {() => void} called when the component is taken away
 */
export default function ({ data, parentElement, setStateValue }) {
  const { desk: map, isNew, leave } = mount(parentElement, data);
  const before = isNew ? null : map.data;
  map.select = (loop) => setStateValue("loop", loop);
  map.choose = (chosen) => setStateValue("chosen", chosen);
  map.data = data;
  map.dark = isDark(map.parts.root);
  map.parts.root.classList.toggle("dark", map.dark);
  drawHead(map);
  load(map, before);
  return leave;
}
