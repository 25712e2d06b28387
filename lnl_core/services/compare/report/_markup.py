"""Pieces of HTML that the parts of a report share; whatever comes in is text."""

from __future__ import annotations

import json
from collections.abc import Sequence
from html import escape
from typing import Any


def section(title: str, body: str) -> str:
    """Return a section under its title; nothing where it is empty."""
    if not body:
        return ""
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def cell(value: str) -> str:
    """Return one cell of text."""
    return f"<td>{escape(value)}</td>"


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table of text; without a head where there is none."""
    rows = "".join(f"<tr>{''.join(cell(each) for each in line)}</tr>" for line in lines)
    top = "".join(f"<th>{escape(each)}</th>" for each in head)
    return f"<table>{f'<thead><tr>{top}</tr></thead>' if head else ''}<tbody>{rows}</tbody></table>"


def folded(title: str, body: str) -> str:
    """Return what is opened by a click on its title."""
    return f"<details><summary>{escape(title)}</summary>{body}</details>"


def as_json(value: Any) -> str:
    """Write JSON that no HTML parser takes for a tag."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
