"""Folders inside class folders that have images of their own: perhaps dropped there by mistake."""

from __future__ import annotations

from lnl_core.data.reading.places import Places
from lnl_core.data.reading.spellings import plain
from lnl_core.data.reading.tree import Node
from lnl_core.data.tables import visible
from lnl_core.said import many


def notes(root: Node, where: Places) -> list[str]:
    """Say which class folders hold images and, deeper, others, or a folder of another class's name.

    Args:
        root: of the class folders, or of those of splits.
        where: which folders are classes.
    """
    if where.level or where.below.names:
        return []
    called = {plain(name) for name, _ in where.classes(root)}
    found: dict[str, int] = {}
    for top in [root.inner[name] for name in where.splits if name not in where.bare] or [root]:
        for name, node in top.inner.items():
            for inner, below in node.inner.items():
                other = plain(inner) in called and plain(inner) != plain(name)
                if name not in where.apart and below.below and (other or node.images):
                    path = f"{name}/{inner}"
                    found[path] = found.get(path, 0) + below.below
    if not found:
        return []
    shown = ", ".join(f"“{visible(path)[:60]}”" for path in [*found][:4])
    are = many(sum(found.values()), "image lies", "images lie")
    return [f"{are} in folders inside class folders, {shown}: read as the class around them."]
