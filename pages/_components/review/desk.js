// Single mode's state, split by what changes together.

import { part } from "../desk/nodes.js";
import { openOutbox, waitingIn } from "../desk/outbox.js";
import { pictures } from "../desk/pictures.js";
import { answersNow } from "../desk/progress.js";
import { isAnswered, openQueue } from "./queue.js";
import { advises, isHasty, openTurn } from "./turn.js";
import { fits } from "./zoom.js";

/**
 * @import { Ends } from "../desk/ends.js"
 * @import { LeftStanding, Meanwhile } from "../desk/meanwhile.js"
 * @import { Outbox } from "../desk/outbox.js"
 * @import { Pool } from "../desk/pictures.js"
 * @import { Answered, Item, Progress } from "../desk/progress.js"
 * @import { Stopping } from "../desk/strip.js"
 * @import { Acts } from "./acts.js"
 * @import { Found, Known } from "./evidence.js"
 * @import { Picker } from "./picker.js"
 * @import { Queue } from "./queue.js"
 * @import { Mode, Turn } from "./turn.js"
 * @import { Zoom } from "./zoom.js"
 *
 * @typedef {{ exemplars: number[], confirmed: number, guide: string }} ClassFacts
 *
 * @typedef {Object} ReviewData what `pages/review.py` sends
 * @property {string} journal
 * @property {string} reviewer
 * @property {string} view changes with order, filters and what is to follow
 * @property {string} narrow changes with the filters
 * @property {number | null} asked the row that this tab showed before and asked for
 * @property {number[]} focus rows that the address asks for
 * @property {(Meanwhile | LeftStanding)[]} meanwhile answers to images that had been answered elsewhere
 * @property {Mode} mode
 * @property {string[]} classes
 * @property {number} imported how many of the classes are as old as the set
 * @property {Item[]} items what comes next
 * @property {number[]} left rows of this view that were left as they were: none of them comes
 * @property {Record<string, ClassFacts>} classes_shown by label
 * @property {Answered[]} recent newest first
 * @property {Progress} progress
 * @property {Record<string, { name: string, baseline: boolean }>} methods by key
 * @property {{ curves: string, neighbours: string, maps: string }} comes_with names of methods
 * @property {number[]} marked rows called wrong on a page
 * @property {string[]} acked
 * @property {number} held open images that other reviewers have at the moment
 * @property {Ends} [ends] what is open elsewhere, where no item is
 * @property {boolean} filtered
 * @property {boolean} [looks] whether hidden looks may be among the items, one or none of them now
 * @property {number[]} no_classes labels that say that nobody labelled the image
 * @property {number[]} [retired] classes that people added and whose answers were taken back
 * @property {{ total: number, done: number }} [to_label] images with such a label
 * @property {boolean} [labelling] whether the queue holds those alone
 * @property {{ image: string, original: string, thumb: string, evidence: string, maps: string, advised: string }} urls
 *
 * @typedef {ReturnType<typeof partsOf>} Parts the nodes of the frame; they never change
 *
 * @typedef {Object} Stage the large picture
 * @property {Pool} pool
 * @property {HTMLImageElement | null} image
 * @property {HTMLElement} badge
 * @property {Zoom} zoom
 *
 * @typedef {Object} Look how the panel shows what it shows
 * @property {boolean} wide
 * @property {boolean} nearBoth the nearest of both classes, in place of the nearest of all
 * @property {string} curve key of the run whose curve is shown where one has room, "" for the first
 * @property {string} mapSource
 * @property {boolean} mapsAnyway whether maps of a network that is no good are asked for
 * @property {number} mapOpacity
 *
 * @typedef {Object} Detour out of turn to an image of the evidence, and back
 * @property {number | null} to the row that is awaited
 * @property {{ row: number, turn: Turn } | null} from where it began
 *
 * @typedef {Object} Session since the page was opened
 * @property {number} since ms of the page's clock
 * @property {number} answers
 * @property {number} pressedAt ms of the page's clock when the last key went down, not when it was handled
 *
 * @typedef {Object} ReviewDesk
 * @property {Parts} parts
 * @property {ReviewData} data
 * @property {string | null} view of the data that the queue is of
 * @property {number | null} awaited the row that this tab showed before, asked of the server
 * @property {Queue} queue
 * @property {Turn} turn
 * @property {Detour} detour
 * @property {Map<number, Known>} evidence by row
 * @property {Map<number, boolean>} advised rows whose advice was shown in this window, and whether it was before
 * @property {Set<number>} told rows whose given label was shown in this window
 * @property {Map<number, ClassFacts>} classFacts by label
 * @property {Outbox} outbox
 * @property {Stage} stage
 * @property {Look} look
 * @property {Picker | null} picker
 * @property {Session} session
 * @property {Stopping} stopping
 * @property {string} exportButton
 * @property {(where: string) => void} go ask the page for something
 * @property {(left: { view: string, rows: number[] }) => void} leave say what was left as it was
 * @property {Acts} acts what a person can do
 */

export const AHEAD = 10; // pictures fetched and decoded before they are needed
const WIDE = 1240; // px of room, as in review.css: the panel has two columns

/** @param {ParentNode} parent */
function partsOf(parent) {
  const root = part(parent, ".desk");
  return {
    root,
    strip: part(root, ".strip"),
    q: part(root, ".q"),
    stagecol: part(root, ".stagecol"),
    stage: part(root, ".stage"),
    keys: part(root, ".keys"),
    legend: part(root, ".legend"),
    panel: part(root, ".panel"),
    live: part(root, ".live"),
  };
}

/**
 * @param {ParentNode} parent
 * @param {ReviewData} data
 * @returns {Omit<ReviewDesk, "acts">}
 */
export function newDesk(parent, data) {
  const parts = partsOf(parent);
  return {
    parts,
    data,
    view: null,
    awaited: null,
    queue: openQueue([]),
    turn: openTurn(false),
    detour: { to: null, from: null },
    evidence: new Map(),
    advised: new Map(),
    told: new Set(),
    classFacts: new Map(),
    outbox: openOutbox(data.journal, parts.live),
    stage: {
      pool: pictures(3 * AHEAD),
      image: null,
      badge: document.createElement("span"),
      zoom: fits(),
    },
    look: {
      wide: isWide(parts.root),
      nearBoth: false,
      curve: "",
      mapSource: "",
      mapsAnyway: false,
      mapOpacity: 0.8,
    },
    picker: null,
    session: {
      since: performance.now(),
      answers: 0,
      pressedAt: 0,
    },
    stopping: { told: "", goesOn: "" },
    exportButton: "primary",
    go: () => {},
    leave: () => {},
  };
}

/** @param {HTMLElement} root */
export const isWide = (root) => root.clientWidth >= WIDE;

/**
 * Whether the present image was marked on a page and has no answer yet.
 *
 * @param {ReviewDesk} desk
 */
export const isFollowUp = ({ queue, data }) =>
  Boolean(queue.item && data.marked.includes(queue.item.row) && !isAnswered(queue, queue.item.row));

/**
 * Whether the present image came without a class: the question is what it is.
 *
 * @param {ReviewDesk} desk
 */
export const isUnlabelled = ({ queue }) => Boolean(queue.item?.no_class);

/**
 * Whether the present image is shown without its label: what it is, is asked, and nothing advised.
 *
 * @param {Pick<ReviewDesk, "queue">} desk
 */
export const isBlind = ({ queue }) => Boolean(queue.item?.blind);

/**
 * The mode of the present image: any mode may hold a blind one.
 *
 * @param {Pick<ReviewDesk, "queue" | "data">} desk
 * @returns {Mode}
 */
export const modeHere = ({ queue, data }) => (queue.item?.blind ? "blind" : data.mode);

/** @param {ReviewDesk} desk */
export const showsEvidence = (desk) =>
  desk.queue.item !== null && advises(desk.turn, modeHere(desk));

/**
 * The evidence on the present image, where it has come.
 *
 * @param {ReviewDesk} desk
 * @returns {Found | null}
 */
export function evidenceHere({ queue, evidence }) {
  const known = queue.item && evidence.get(queue.item.row);
  return known?.state === "ready" ? known.found : null;
}

/**
 * How far the evidence is that the present image shows.
 *
 * @param {ReviewDesk} desk
 * @returns {Known | undefined}
 */
export const knownHere = (desk) =>
  showsEvidence(desk) ? desk.evidence.get(Number(desk.queue.item?.row)) : undefined;

/**
 * Whether Enter takes no suggestion: the label is hardly wrong, and nobody has called it so.
 *
 * @param {ReviewDesk} desk
 */
export function takesNothing(desk) {
  const found = evidenceHere(desk);
  return found !== null && !isUnlabelled(desk) && isHasty(desk.turn, found.p_wrong);
}

/**
 * The last answers, newest first.
 *
 * @param {ReviewDesk} desk
 */
export const lastAnswers = ({ data, outbox, queue }) =>
  answersNow(data.recent, waitingIn(outbox), (row) => queue.list.find((item) => item.row === row));
