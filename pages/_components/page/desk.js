// Page mode's state: the page with its marks, and what was answered.

import { part } from "../desk/nodes.js";
import { openOutbox } from "../desk/outbox.js";
import { pictures } from "../desk/pictures.js";
import { layoutOf } from "./layout.js";
import { CODES } from "./marks.js";

/**
 * @import { Answer } from "../desk/journal.js"
 * @import { Ends } from "../desk/ends.js"
 * @import { LastPage } from "../desk/lastpage.js"
 * @import { LeftStanding, Meanwhile } from "../desk/meanwhile.js"
 * @import { Outbox } from "../desk/outbox.js"
 * @import { Pool } from "../desk/pictures.js"
 * @import { Answered, Progress } from "../desk/progress.js"
 * @import { Stopping } from "../desk/strip.js"
 * @import { Acts } from "./acts.js"
 * @import { Layout } from "./layout.js"
 * @import { Marks, Page } from "./marks.js"
 *
 * @typedef {Object} PageData what `pages/review.py` sends
 * @property {string} journal
 * @property {string} view changes with the filters
 * @property {string[]} classes
 * @property {number} imported how many of the classes are as old as the set
 * @property {Page[]} pages this one and the next
 * @property {Answered[]} recent
 * @property {Progress} progress
 * @property {string[]} acked
 * @property {(Meanwhile | LeftStanding)[]} meanwhile answers to images that had been answered elsewhere
 * @property {number} held open images that other reviewers have at the moment
 * @property {Ends} [ends] what is open elsewhere, where no page is
 * @property {boolean} filtered
 * @property {boolean} advised whether the images were chosen by their suggestion
 * @property {{ image: string, thumb: string }} urls
 *
 * @typedef {ReturnType<typeof partsOf>} Parts the nodes of the frame; they never change
 *
 * @typedef {Object} PageDesk
 * @property {Parts} parts
 * @property {PageData} data
 * @property {string | null} view of the data that the page is of
 * @property {Marks | null} marks the page on screen; null where nothing is left
 * @property {Map<number, Answer>} done the last answer by row
 * @property {LastPage | null} last where the browser's storage is off
 * @property {Outbox} outbox
 * @property {Pool} pool
 * @property {Layout} layout
 * @property {HTMLElement | null} large the larger view
 * @property {Stopping} stopping
 * @property {string} exportButton
 * @property {(where: string) => void} go ask the page for something
 * @property {(marked: { page: number, rows: number[], time: number }) => void} follow
 *   review the marked rows one by one
 * @property {number} pressedAt ms of the page's clock when the last key went down
 * @property {Acts} acts what a person can do
 */

/** @param {ParentNode} parent */
function partsOf(parent) {
  const root = part(parent, ".desk");
  return {
    root,
    strip: part(root, ".strip"),
    q: part(root, ".q"),
    stagecol: part(root, ".stagecol"),
    tiles: part(root, ".page12"),
    legend: part(root, ".legend"),
    panel: part(root, ".panel"),
    live: part(root, ".live"),
  };
}

/**
 * @param {ParentNode} parent
 * @param {PageData} data
 * @returns {Omit<PageDesk, "acts">}
 */
export function newDesk(parent, data) {
  const parts = partsOf(parent);
  return {
    parts,
    data,
    view: null,
    marks: null,
    done: new Map(),
    last: null,
    outbox: openOutbox(data.journal, parts.live),
    pool: pictures(3 * CODES.length),
    layout: layoutOf(),
    large: null,
    stopping: { told: "", goesOn: "" },
    exportButton: "plainact",
    pressedAt: 0,
    go: () => {},
    follow: () => {},
  };
}
