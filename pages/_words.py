"""Words and numbers as the screen shows them; user text made safe for Markdown and for charts."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from lnl_core.records import file_size as file_size
from lnl_core.views import NARROW as NARROW
from lnl_core.views import chance
from lnl_core.views import percent as percent

_JOINER = "\u2060"  # invisible, breaks what Streamlit replaces after Markdown is parsed
_CONTROLS = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_DIRECTION = re.compile(r"[\u200e\u200f\u061c\u202a-\u202e\u2066-\u2069]")
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")
_LEFT = re.compile(r"([.@&])")  # www. links, addresses, entities: broken before the sign
_RIGHT = re.compile(
    r"([:@<>~-])"
)  # :emoji:, :material/…:, :red[…], http://, arrows: broken after it


def one_line(text: str) -> str:
    """Return text without line breaks, control characters and direction overrides."""
    return _DIRECTION.sub("", _CONTROLS.sub(" ", text)).strip()


def plain(text: object) -> str:
    r"""Return user text as Markdown that shows exactly that text, in any Streamlit label.

    Every punctuation mark is escaped. Streamlit replaces emoji codes, icons, arrows and links
    after the escapes are gone, so an invisible word joiner breaks those.
    """
    line = one_line(str(text))
    line = _LEFT.sub(_JOINER + r"\1", line)
    line = _RIGHT.sub(r"\1" + _JOINER, line)
    return _PUNCTUATION.sub(r"\\\1", line)


_COMMAND = re.compile(r"(`lnl [\w .=-]+`)", re.ASCII)
"""A command in a message, between the marks that a terminal shows as they are."""
_INNER = re.compile(r"\S(?:.*\S)?")  # blanks around a command stay


def told(message: object) -> str:
    """Return a message as Markdown: `plain`, but for its commands, which are set as code."""
    parts = _COMMAND.split(one_line(str(message)))  # at odd places the commands
    return "".join(
        part if at % 2 else _INNER.sub(lambda found: plain(found[0]), part)
        for at, part in enumerate(parts)
    )


def short(text: object, limit: int = 24) -> str:
    """Cut text at `limit` characters; the caller shows the whole in a tooltip."""
    line = one_line(str(text))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def short_name(text: object, limit: int = 24) -> str:
    """Cut a class's name in the middle: of a hundred long ones many differ at their end alone."""
    line = one_line(str(text))
    if len(line) <= limit:
        return line
    end = limit // 3
    return f"{line[: limit - 1 - end].rstrip()}…{line[-end:].lstrip()}"


def short_path(text: object, limit: int = 40) -> str:
    """Cut a path at `limit` characters so that the file's name stays; the whole in a tooltip."""
    line = one_line(str(text))
    if len(line) <= limit:
        return line
    file = re.split(r"[/\\]", line)[-1]
    if len(file) + 3 <= limit < len(line):
        return f"{line[: limit - len(file) - 2]}…{line[-len(file) - 1 :]}"
    start = (limit - 1) // 2
    return f"{file[:start]}…{file[start + 1 - limit :]}"


def chart_text(text: object, limit: int = 24) -> str:
    """Return user text for a Plotly label, which would take tags for formatting."""
    return (
        short_name(text, limit).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        or "–"
    )


def count(n: float) -> str:
    """Write 8000 as `8,000`."""
    return f"{n:,.0f}"


def plural(n: int, one: str, many: str | None = None) -> str:
    """Write `1 class`, `8,000 images`."""
    return f"{count(n)} {one if n == 1 else many or one + 's'}"


def duration(seconds: float) -> str:
    """Write a time as `2.1 s`, `34 s`, `1 min 40 s`, `2 h 5 min`."""
    if seconds < 9.95:
        text = f"{seconds:.1f}"
        return f"{text.removesuffix('.0')} s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        minutes, rest = divmod(whole, 60)
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def about(seconds: float) -> str:
    """Write an estimate as a person would say it: to 10 s above a minute, to 1 s below."""
    return duration(max(1, round(seconds)) if seconds < 60 else 10 * round(seconds / 10))


def clock(seconds: float) -> str:
    """Write a time as `5:40`, for tables."""
    minutes, rest = divmod(max(0, round(seconds)), 60)
    return f"{minutes}:{rest:02d}"


def short_clock(seconds: float) -> str:
    """Write what something takes as `5:40`; less than a second is not nothing: `<0:01`."""
    return clock(seconds) if seconds >= 0.5 or seconds <= 0 else "<0:01"


def gigabytes(size: float) -> str:
    """Write bytes as `0.9 GB`."""
    return f"{size / 1e9:.1f} GB"


def local(moment: str) -> datetime:
    return datetime.fromisoformat(moment.replace("Z", "+00:00")).astimezone()


def moment(when: str | None) -> str:
    """Write an ISO time as `20 Nov 13:58`, in this machine's zone; nothing for None."""
    return "" if not when else f"{local(when).day} {local(when):%b %H:%M}"


def day(when: str) -> str:
    """Write an ISO time as `20 Nov`."""
    return f"{local(when).day} {local(when):%b}"


def hour(when: str | None) -> str:
    """Write an ISO time as `14:02`."""
    return "" if not when else f"{local(when):%H:%M}"


def sentence(image: Mapping[str, Any]) -> str:
    """Say a neighbour's label and verdict in one sentence, as text."""
    label = f"Labelled {short(image['label'])}"
    who = short(image["by"] or "somebody")
    if image["split"]:
        return f"{label}, reviewers differ."
    if image["waiting"]:
        return f"{label}, waits for a second reviewer."
    match image["verdict"]:
        case "keep":
            return f"{label}, and {who} says that is right."
        case "relabel":
            return f"{label}, but {who} says {short(image['to'] or '')}."
        case "multiple":
            return f"{label}, but {who} sees several classes."
        case "none":
            return f"{label}, but {who} says none fits."
    p_wrong = f", p wrong {chance(image['p_wrong'])}" if "p_wrong" in image else ""
    return f"{label}, no answer yet{p_wrong}."


def behind(unseen: Mapping[int, int]) -> str:
    """Say that runs have not seen all images: run -> how many were added since."""
    runs = sorted(unseen, reverse=True)
    named = ", ".join(map(str, runs[:6])) + (" …" if len(runs) > 6 else "")
    most = plural(max(unseen.values()), "image")
    return (
        f"Run{'s' if len(runs) > 1 else ''} {named} {'have' if len(runs) > 1 else 'has'} not seen "
        f"{'up to ' if len(set(unseen.values())) > 1 else ''}{most} added since: not yet scored "
        "until a run starts again."
    )


def stale(runs: Sequence[int]) -> str:
    """Say that runs learned other classes than today's."""
    named = ", ".join(map(str, runs[:6])) + (" …" if len(runs) > 6 else "")
    many = len(runs) > 1
    return (
        f"Run{'s' if many else ''} {named} learned other classes than today's: start "
        f"{'them' if many else 'it'} again."
    )
