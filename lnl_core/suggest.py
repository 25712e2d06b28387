"""“Did you mean …?”: the nearest of the names that there are."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def meant(name: str, known: Iterable[str]) -> str:
    """Return a question that names up to two that are spelled much alike, with a blank before it.

    Args:
        name: what was asked for.
        known: what there is.

    Returns:
        "" where nothing is near.
    """
    by_fold: dict[str, str] = {}
    for one in known:
        by_fold.setdefault(one.casefold(), one)
    near = difflib.get_close_matches(name.casefold(), list(by_fold), n=2, cutoff=0.7)
    return f" Did you mean “{'” or “'.join(by_fold[one] for one in near)}”?" if near else ""
