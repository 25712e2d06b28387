"""Certificates: what random draws prove of a set, in a file that anybody can check against it.

A certificate holds the draws with their seed, what people said of each, and the limit that follows.
Checking it draws again, reads the answers again and computes the limit again.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from lnl_core.data import outputs
from lnl_core.review.evidence import AUDIT, Audit
from lnl_core.review.sensitivity import Known
from lnl_core.said import many
from lnl_core.services import places
from lnl_core.services.in_force import Standing, labelled_count, loaded, standing, standing_at
from lnl_core.services.moment import moment
from lnl_core.services.review import auditing, goal_proofs, goals, limits, statements
from lnl_core.services.review.certificate_form import EARLIER, FORMAT, wrong_in
from lnl_core.services.review.corrected import corrected, limit_of, until_now
from lnl_core.services.review.draws import (
    OPEN,
    RIGHT,
    UNCLEAR,
    WRONG,
    replay,
    said_of,
    since_grown,
)
from lnl_core.services.review.moves import ANSWERS
from lnl_core.services.review.risks import risks
from lnl_core.store import audits, datasets, decisions
from lnl_core.store.db import now
from lnl_core.types import DatasetInfo, IntArray, LnlError

MORE_CLASSES = 20
"""Classes that may have been added since a certificate, and are named."""

_WORDS = {RIGHT: "right", WRONG: "wrong", UNCLEAR: "unclear", OPEN: "open"}
_CODES = {word: code for code, word in _WORDS.items()}


# Made ------------------------------------------------------------------------------------------


def as_of(info: DatasetInfo) -> Standing:
    """Return the decisions that a certificate rests on: those of the last moment.

    Where so many images or so much time were asked for and are done since, all of them.
    """
    then = moment(info)
    if goals.stand(info, now=then).holds or not goals.stand(info).holds:
        return then
    return standing(info)


def certificate(info: DatasetInfo) -> dict[str, Any]:
    """Return the certificate of a set, as JSON has it.

    Raises:
        LnlError: the goal is not reached, with what it takes.
    """
    today = as_of(info)
    left = auditing.errors_left(info, now=today)
    here = goals.stand(info, left, today)
    if left.limit is None or not here.holds:
        so_far = "too few random checks" if left.limit is None else f"at most {left.limit:,} left"
        raise LnlError(
            f"Nothing to certify yet. Review {here.words}; so far: "
            f"{', '.join(filter(None, (here.said, so_far)))}. Go on, or choose another goal."
        )
    if left.unseen:
        raise LnlError(
            f"{many(left.unseen, 'image was', 'images were')} added since the draws. Review until "
            f"{left.enough:,} random checks of the larger set have an answer."
        )
    if left.before:
        raise LnlError(
            f"The limit rests on draws from before {many(left.auto, 'label was', 'labels were')} "
            f"changed unseen. "
            "Answer more in random order: a certificate speaks of labels as they are."
        )
    if not left.since:
        raise LnlError(
            "No image drawn at random has an answer, and a certificate is made of such. What is "
            "left follows from the decisions alone: lnl export --format decisions has them."
        )
    until = until_now(info)
    past, drawn, ids = replay(info, today), since_grown(info, today), loaded(info).ids
    said = said_of(today)
    upper = past.part(np.ones(len(past.rows), bool), past.said != RIGHT, careful=True)
    body = {
        "format": FORMAT,
        "dataset": info.name,
        "labels": left.total,
        "content": _labels_digest(info),
        "issued_at": (issued := now()),
        "last_decision": today.last_id,
        "goal": left.goal if here.kind == goals.LEFT else None,
        "stopping": goal_proofs.stated(info, here, today),
        "found": left.found,
        "known_wrong": int((said == WRONG).sum()),
        "kept": int((said == RIGHT).sum()),
        "at_most_left": left.limit,
        "risk": risks(info, today).now,
        "auto_fixed": left.auto,
        **statements.texts(here.kind),
        **statements.dates(info, today, here.goal, issued),
        "people": corrected(info, left, today, until).as_dict() | dataclasses.asdict(until),
        "seed": drawn[0].seed,
        "draws": [
            {
                "number": each.number,
                "id": ids[each.row],
                "eligible": each.eligible,
                "last_decision": each.last_decision,
                "unreviewed": int(upper.unreviewed[k]),
                "found": int(upper.found[k]),
                "said": _WORDS[int(past.said[k])],
            }
            for k, each in enumerate(drawn)
        ],
    }
    return body | {"checksum": _checksum(body)}


def write(info: DatasetInfo, out: Path, *, force: bool = False) -> dict[str, Any]:
    """Write the certificate of a set.

    Raises:
        LnlError: the goal is not reached, or the file cannot be written.
    """
    where = places.output(info.workspace, out, (".json",), force=force)
    body = certificate(info)
    outputs.write(where, lambda stream: stream.write(as_bytes(body)))
    return body


def as_bytes(body: dict[str, Any]) -> bytes:
    """Return a certificate as a file has it."""
    return (json.dumps(body, indent=1, ensure_ascii=False) + "\n").encode()


def _checksum(body: dict[str, Any]) -> str:
    plain = {key: value for key, value in body.items() if key != "checksum"}
    text = json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def _labels_digest(info: DatasetInfo, n: int | None = None, classes: int | None = None) -> str:
    """Return SHA-256 over class names, ids and given labels: which set it is, or its beginning."""
    data = loaded(info)
    digest = hashlib.sha256(json.dumps(list(info.class_names[:classes])).encode())
    digest.update(np.asarray(data.given_labels[:n], "<i8").tobytes())
    for each in data.ids[:n]:
        digest.update(each.encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()


# Checked ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was checked, whether it is so, and the words for people."""

    what: str
    holds: bool
    words: str


def verify(info: DatasetInfo, path: Path) -> list[Check]:
    """Check a certificate against the set: file, set, draws, answers and limit.

    Raises:
        LnlError: the file cannot be read, or is no certificate.
    """
    body = _read(path)
    try:
        return list(_checks(info, body))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise LnlError(
            f"{path} is not a whole certificate ({error!r}). Ask for the file again."
        ) from error


def _read(path: Path) -> dict[str, Any]:
    try:
        body = json.loads(path.read_bytes())
    except OSError as error:
        words = error.strerror or str(error)
        raise LnlError(f"{path} cannot be read: {words}. Check the path.") from error
    except ValueError as error:
        raise LnlError(f"{path} is no JSON. Give the file of lnl audit --certificate.") from error
    if isinstance(body, dict) and body.get("format") in EARLIER:
        raise LnlError(
            f"{path} was issued by an earlier program, which did not state all that is checked "
            "today. Issue it anew: lnl audit NAME --certificate FILE."
        )
    if not isinstance(body, dict) or body.get("format") != FORMAT:
        raise LnlError(f"{path} is no certificate. Give the file of lnl audit --certificate.")
    if wrong := wrong_in(body):
        raise LnlError(f"{path} is not as it was issued: {wrong}. Ask for the file again.")
    return body


def _checks(info: DatasetInfo, body: dict[str, Any]) -> Iterator[Check]:
    same = body["checksum"] == _checksum(body)
    yield Check("file", same, "as it was issued" if same else "changed since it was issued")
    known = _set(info, body)
    yield known
    if not known.holds:
        return
    yield _drawn_again(info, body)
    yield _counts(info, body)
    yield _answers(info, body)
    yield _limit(info, body)
    if body["people"]["at_most_left"] is not None:
        yield _people(body)
    then = standing_at(info, int(body["last_decision"]))
    yield Check("statement", *statements.check(info, body, then))
    yield Check("goal", *goal_proofs.check(info, body, then))


def _set(info: DatasetInfo, body: dict[str, Any]) -> Check:
    """Tell whether it is the set that was certified, and what has come to it since."""
    name, names = str(body["dataset"]), datasets.former_names(info)
    named = "" if name == info.name else f"; issued for it as “{name}”"
    if named and names is not None and name not in names:
        return Check("set", False, f"issued for “{name}”, as this set was never called")
    if body["content"] == _labels_digest(info):
        return Check("set", True, f"the same images, classes and given labels{named}")
    used = int(np.max(loaded(info).given_labels, initial=0)) + 1
    for classes in range(info.class_count, max(used, info.class_count - MORE_CLASSES) - 1, -1):
        new = ", ".join(f"“{name}”" for name in info.class_names[classes:])
        more = f"; since then new: the class {new}" if new else ""
        if body["content"] == _labels_digest(info, classes=classes):
            return Check("set", True, f"the same images and given labels{more}{named}")
    for first in reversed(info.additions):
        used = int(np.max(loaded(info).given_labels[:first], initial=0)) + 1
        for classes in range(info.class_count, max(used, info.class_count - MORE_CLASSES) - 1, -1):
            if body["content"] == _labels_digest(info, first, classes):
                grown = (
                    f"“{info.name}” has grown since: it says nothing of the "
                    f"{info.n - first:,} images added to its {first:,}. Go on reviewing, "
                    f"then issue a new one{named}"
                )
                return Check("set", False, grown)
    words = f"not the set “{info.name}” as it is now: other ids, classes or given labels"
    return Check("set", False, words)


def _drawn_again(info: DatasetInfo, body: dict[str, Any]) -> Check:
    """Draw again: from the rows that had no answer, what the seed chooses is what was shown."""
    wanted = {int(each["number"]): each for each in body["draws"]}
    known = {each.number: each for each in audits.draws(info)}
    ids, seed = loaded(info).ids, int(body["seed"])
    end = max(wanted, default=-1) + 1
    then = standing_at(info, int(body["last_decision"]))
    first = next((each.number for each in since_grown(info, then)), 0)
    last, issued = int(body["last_decision"]), str(body["issued_at"])
    void = {k for k, each in known.items() if then.no_class[each.row]}
    after = [each for k, each in known.items() if k >= end and k not in void]
    late = {each.number for each in after if each.last_decision < last}
    missing = set(range(first, end)) - set(wanted) - void | late
    if missing:
        return Check("draws", False, f"draw {min(missing)} was left out")
    for number, each in wanted.items():
        ours = known.get(number)
        stated = (each["id"], each["eligible"], each["last_decision"])
        if ours is None or (ids[ours.row], ours.eligible, ours.last_decision) != stated:
            return Check("draws", False, f"draw {number} is not one of this set's")
        if ours.seed != seed:
            return Check("draws", False, "the seed is not that of this set's draws")
    newest = max((known[k].drawn_at for k in wanted), default="")
    older = [each for each in after if each.drawn_at < _before(issued)]
    for each in older:  # unless the clock was set back since: then its date says nothing
        if each.drawn_at >= _before(newest):
            return Check("draws", False, f"draw {each.number} is older than {issued}")
    told = _chosen_rows(info, seed, first, end)
    for number, (row, eligible) in told.items():
        if number in wanted and (ids[row], eligible) != (
            wanted[number]["id"],
            wanted[number]["eligible"],
        ):
            return Check("draws", False, f"draw {number} is not what the seed chooses")
    back = f"; a clock was set back before draw {older[0].number}" if older else ""
    drawn = f"{len(wanted):,} drawn at random from seed {seed}"
    if wanted and not told:
        why = "labels are no class" if info.no_classes else "an earlier version let the set grow"
        drawn = f"{len(wanted):,} as this set has them; {why}, so seed {seed} cannot be followed"
    return Check("draws", True, drawn + back)


def _before(issued: str) -> str:
    """Return a time from before another in any case: clocks may differ a little."""
    when = datetime.fromisoformat(issued.replace("Z", "+00:00")) - statements.CLOCKS
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _chosen_rows(info: DatasetInfo, seed: int, first: int, end: int) -> dict[int, tuple[int, int]]:
    """Return draw number -> the row that the seed chooses and how many it chose from.

    Nothing where labels are no class, and where a set grew at a time that is not known: what was
    open then is not known any more.
    """
    if info.no_classes or None in info.grown_after:
        return {}
    sizes = [
        (after[0], size)
        for after, size in zip(info.grown_after, info.additions, strict=True)
        if after
    ]
    holders: dict[int, set[str]] = {}
    open_ = np.ones(info.n, bool)
    free = np.ones(info.n, bool)
    draws, chosen = audits.draws(info)[:end], {}
    with closing(decisions.log(info)) as log:  # read to the last draw only
        entry = next(log, None)
        for each in draws:
            while entry is not None and entry[0] <= each.last_decision:
                held = holders.setdefault(entry[1], set())
                (held.add if entry[3] in ANSWERS else held.discard)(entry[2])
                free[entry[1]] = not held
                entry = next(log, None)
            size = next((size for count, size in sizes if each.number < count), info.n)
            rows = np.flatnonzero((open_ & free)[:size])
            if each.number >= first:
                place = audits.chosen(seed, each.number, len(rows))
                chosen[each.number] = (int(rows[place]), len(rows))
            open_[each.row] = False
    return chosen


def _counts(info: DatasetInfo, body: dict[str, Any]) -> Check:
    """Count again what the decisions of the time had found, in all and at each draw."""
    then = standing_at(info, int(body["last_decision"]))
    said = said_of(then)
    past = replay(info, then)
    upper = past.part(np.ones(len(past.rows), bool), past.said != RIGHT, careful=True)
    ours = {
        "labels": labelled_count(info),
        "found": then.found,
        "known_wrong": int((said == WRONG).sum()),
        "kept": int((said == RIGHT).sum()),
        "auto_fixed": int(then.auto_open.sum()),
    }
    for name, count in ours.items():
        stated = body[name]
        if stated != count:
            return Check("counts", False, f"{name}: {count:,}, not the {stated:,} stated")
    for each, unreviewed, found in zip(body["draws"], upper.unreviewed, upper.found, strict=False):
        if (each["unreviewed"], each["found"]) != (unreviewed, found):
            return Check("counts", False, f"draw {each['number']} states other counts")
    return Check("counts", True, f"{ours['found']:,} wrong labels found, {ours['kept']:,} kept")


def _answers(info: DatasetInfo, body: dict[str, Any]) -> Check:
    """Compare what is stated with what people said at the time, and what was said with today.

    A draw that had no answer, and counts as wrong, may have one today.
    """
    last = int(body["last_decision"])
    then, today = said_of(standing_at(info, last)), said_of(standing(info))
    rows = {each.number: each.row for each in audits.draws(info)}

    def as_stated(each: dict[str, Any]) -> bool:
        row = rows.get(each["number"])
        if row is None or _WORDS[int(then[row])] != each["said"]:
            return False
        return int(then[row]) in (OPEN, int(today[row]))

    unlike = [each["id"] for each in body["draws"] if not as_stated(each)]
    if unlike:
        first = ", ".join(map(str, unlike[:3]))
        return Check(
            "answers", False, f"{len(unlike):,} draws have another answer now, first {first}"
        )
    more = " (more images were answered since)" if decisions.last_id(info) > last else ""
    return Check("answers", True, f"each draw has the answer that is stated{more}")


def _stated(body: dict[str, Any]) -> tuple[Audit, IntArray]:
    """Return the draws as a certificate states them, and what was said of each."""
    each = body["draws"]
    said = np.array([_CODES[one["said"]] for one in each], np.int64)
    upper = Audit(
        np.array([one["unreviewed"] for one in each], np.int64),
        np.array([one["found"] for one in each], np.int64),
        said != RIGHT,
        (AUDIT,) * len(each),
    )
    return upper, said


def _people(body: dict[str, Any]) -> Check:
    """Compute again what is left where people err as the stated gold says."""
    people, (upper, said) = body["people"], _stated(body)
    gold = Known(**{name: int(count) for name, count in people["gold"].items()})
    n, found, kept = (int(body[name]) for name in ("labels", "known_wrong", "kept"))
    risk = float(body["risk"])  # which `_limit` checks
    left = limit_of(upper, said, n, found, kept, gold, int(people["taken_back"]), risk)
    stated = int(people["at_most_left"])
    if max(left, int(body["at_most_left"])) > stated:
        return Check("people", False, f"gold and draws prove at most {left:,}, not what is stated")
    words = f"at most {stated:,} where people err as on {gold.wrong + gold.right:,} gold images"
    return Check("people", True, words)


def _limit(info: DatasetInfo, body: dict[str, Any]) -> Check:
    upper, said = _stated(body)
    n, found = int(body["labels"]), int(body["known_wrong"])
    most = n - int(body["kept"])
    risk = risks(info, standing_at(info, int(body["last_decision"]))).now
    if not np.isclose(float(body["risk"]), risk):
        return Check("limit", False, f"a risk of {risk:g} is left to it, not what is stated")
    _, total = limits.highest(upper, said, n, found, most, risk)
    left = int(np.clip(total - found, 0, most - found))
    stated = int(body["at_most_left"])
    if left != stated:
        return Check("limit", False, f"the draws prove at most {left:,}, not what is stated")
    return Check("limit", True, f"at most {int(body['at_most_left']):,} wrong labels left (95 %)")
