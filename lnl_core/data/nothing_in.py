"""Sources of which nothing comes in: found before an import where that can be, and said why."""

from __future__ import annotations

from pathlib import Path

from lnl_core.data import folders, no_class
from lnl_core.data.files import FileSource
from lnl_core.data.writing import SetWriter, Source
from lnl_core.readings import Answers, LeftOut
from lnl_core.said import many
from lnl_core.types import LnlError

NO_CLASS_LEFT = "No image has a class: every label that is used is no class."


def refuse(source: Source, where: Path, answers: Answers) -> None:
    """Raise where an import would find no image, or no class.

    Raises:
        LnlError: as `import_source` would.
    """
    outline = source.outline
    none = no_class.checked((*answers.no_classes, *outline.no_classes), source.class_names)
    if isinstance(source, FileSource) and not outline.exact:
        _refuse_unreadable(source)
        return
    counted = +outline.counts
    if not counted:
        left = [each for each in outline.left.values() if each.what != "lists"]
        most = max(left, key=lambda each: each.count, default=None)
        raise LnlError(why(source, where, most))
    if not set(counted) - set(none):
        raise LnlError(NO_CLASS_LEFT)


def _refuse_unreadable(source: FileSource) -> None:
    """Raise where none of the images that were looked at can be read."""
    if source.sample and source.unreadable < len(source.sample):
        return
    left = max(source.outline.left.values(), key=lambda each: each.count, default=None)
    raise LnlError(why(source, source.root, left))


def most(writer: SetWriter) -> LeftOut | None:
    """Return what was skipped most often."""
    if not writer.reasons:
        return None
    (key, count) = writer.reasons.most_common(1)[0]
    return LeftOut(count, "images", *key, writer.firsts[key])


def why(looked_over: Source, source: Path, left: LeftOut | None) -> str:
    """Say why not one image came in."""
    if isinstance(looked_over, FileSource) and looked_over.kind == "folder":
        return folders.no_image(looked_over.sample, left)
    if left is None:
        return folders.NO_IMAGE
    if looked_over.kind in ("npz", "torchvision", "hub"):
        return f"No image could be read. {left.reason} {left.remedy}"
    where = f"{many(left.count, 'time')}, first at “{left.first}”"
    return (
        f"No image could be read. {where}: {left.reason} "
        f"{left.remedy} The paths of {source.name} start from {looked_over.root}."
    )
