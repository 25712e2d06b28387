"""`lnl demo`, `public`, `rename`, `remove`: data sets come, change and go."""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict
from typing import Any
from urllib.parse import urlencode

from lnl_core.cli.command import Command, add_dataset, opened
from lnl_core.cli.screen import DONE, first_run, progress, say
from lnl_core.cli.serving import open_desk, serving_arguments
from lnl_core.records import Damaged, LnlError
from lnl_core.said import percent


def _demo_arguments(one: argparse.ArgumentParser) -> None:
    one.add_argument("--open", action="store_true", help="then open the desk in the browser")
    which = one.add_mutually_exclusive_group()
    which.add_argument(
        "--digits",
        action="store_true",
        help="1,797 handwritten digits instead, 15 %% of the labels made wrong on purpose: the "
        "truth is known",
    )
    which.add_argument(
        "--tour", action="store_true", help="then walk through the pages, for a lab meeting"
    )
    serving_arguments(one)


def demo(options: Any) -> int:
    """Register a demo set, and open it where asked to."""
    from lnl_core.services import touring
    from lnl_core.services.datasets import catalog
    from lnl_core.services.workspace import open_workspace

    ws = open_workspace()
    name = catalog.DIGITS if options.digits else catalog.PHOTOGRAPHS
    info = touring.start_tour(ws) if options.tour else catalog.add_demo(ws, name)
    errors = "15 % of the labels made wrong on purpose" if options.digits else "labelled by people"
    say(
        options,
        {"name": info.name, "n": info.n, "classes": info.real_class_count},
        f"“{info.name}”: {info.n:,} images, {info.real_class_count} classes, {errors}.\n"
        f"Next: {first_run(info.name)}\n"
        "  or: lnl open",
    )
    if not (options.open or options.tour):
        return DONE
    where = {"dataset": info.name} | ({"tour": "1"} if options.tour else {})
    return open_desk(options, f"?{urlencode(where)}")


DEMO = Command(
    "demo",
    "Register the demo set: 600 photographs of clothing, as people labelled them.",
    demo,
    _demo_arguments,
    ("lnl demo --open", "lnl demo --digits --open"),
)


def _public_arguments(one: argparse.ArgumentParser) -> None:
    one.add_argument("key", nargs="?", help="set to download")
    one.add_argument("--labels", default="aggre", help="which people's labels (default: aggre)")
    one.add_argument("--name", help="what to call the data set (default: its key)")
    one.add_argument("--accept", action="store_true", help="the terms suit your use")


def public(options: Any) -> int:
    """Tell of the public sets; download one where its terms are accepted.

    Raises:
        LnlError: no such set, its terms not accepted, or offline.
    """
    from lnl_core.services.datasets import catalog
    from lnl_core.services.workspace import open_workspace

    known = catalog.public_sets()
    if options.key is None:
        say(options, {"sets": [asdict(each) for each in known]}, "\n\n".join(map(_terms, known)))
        return DONE
    chosen = next((each for each in known if each.key == options.key), None)
    if chosen is None:
        raise LnlError(f"There is no public set “{options.key}”. lnl public lists them.")
    if not options.accept:
        print(_terms(chosen), file=sys.stderr)
        raise LnlError("Nothing was downloaded. Add --accept if these terms suit your use.")

    def report(words: str, done: int, total: int) -> None:
        progress(words, done / total if total else None)

    info = catalog.add_public(
        open_workspace(), chosen.key, options.name or chosen.key, options.labels, report=report
    )
    progress("")
    say(
        options,
        {"name": info.name, "n": info.n, "classes": info.real_class_count},
        f"“{info.name}”: {info.n:,} images, {info.real_class_count} classes.\n"
        f"Next: {first_run(info.name)}",
    )
    return DONE


def _terms(known: Any) -> str:
    """Say what a public set is, where it comes from, and under which terms."""
    lines = [f"{known.key}: {known.title}", f"  {known.sentence}", f"  {known.cite}."]
    for each in known.downloads:
        checked = f"MD5 {each.md5}" if each.md5 else each.check
        size = f"{each.bytes / 1e6:,.0f} MB" if each.bytes else "some MB, the server tells"
        lines += [f"  {each.what}: {each.url}", f"    {size}. {checked}", f"    {each.licence}"]
    labels = ", ".join(
        f"{key} ({words}, {percent(rate, 1)} wrong)" for key, (words, rate) in known.labels.items()
    )
    return "\n".join([*lines, f"  labels: {labels}"])


PUBLIC = Command(
    "public",
    "Download a public set with labels by people; needs a network.",
    public,
    _public_arguments,
    (
        "lnl public                                        which there are, and their terms",
        "lnl public cifar10n --accept --labels worse       50,000 images, 40 % wrong",
    ),
)


def _rename_arguments(one: argparse.ArgumentParser) -> None:
    add_dataset(one)
    one.add_argument("new_name", help="its new name")


def rename(options: Any) -> int:
    """Call a data set something else."""
    from lnl_core.services.datasets import catalog

    info = catalog.rename_dataset(opened(options), options.new_name)
    say(options, {"name": info.name}, f"It is called “{info.name}” now.")
    return DONE


RENAME = Command(
    "rename", "Call a data set something else.", rename, _rename_arguments, ("lnl rename a b",)
)


def _remove_arguments(one: argparse.ArgumentParser) -> None:
    add_dataset(one)
    one.add_argument("--yes", action="store_true", help="really")


def remove(options: Any) -> int:
    """Forget a data set with its runs and decisions; the originals stay."""
    from lnl_core.services.datasets import catalog

    try:
        info = opened(options)
    except Damaged:
        if not options.yes:
            raise
        return _remove_damaged(options)
    if not options.yes:
        raise LnlError(
            f"This forgets “{info.name}” with its runs and decisions; the originals stay. "
            "Add --yes to do it."
        )
    catalog.remove_dataset(info)
    say(options, {"removed": info.name}, f"“{info.name}” is removed.")
    return DONE


def _remove_damaged(options: Any) -> int:
    """Forget a data set that cannot be opened."""
    from lnl_core.services import doctor
    from lnl_core.services.workspace import open_workspace

    for each in doctor.broken(open_workspace()):
        if each.name == options.name:
            doctor.forget(each)
    say(options, {"removed": options.name}, f"“{options.name}” is removed.")
    return DONE


REMOVE = Command(
    "remove",
    "Forget a data set, its runs and decisions.",
    remove,
    _remove_arguments,
    ("lnl remove birds --yes",),
)
