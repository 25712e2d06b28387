"""`lnl export`: what was decided, as a table or as a layout that another tool reads."""

from __future__ import annotations

import argparse
import sys
import time
from typing import Any

from lnl_core.cli.command import Command, add_dataset, add_output, opened
from lnl_core.cli.screen import DONE, PARTLY, duration, progress, say
from lnl_core.records import file_size, meant
from lnl_core.said import many
from lnl_core.services.export.formats import FORMATS


def _export_arguments(one: argparse.ArgumentParser) -> None:
    add_dataset(one)
    one.add_argument("--format", required=True, metavar="|".join(FORMATS), help="see below")
    add_output(one, "file, or a new folder, or a zip of it")
    one.add_argument(
        "--images",
        default="",
        choices=["copy", "link", "none"],
        help="in a folder: copy the originals, hard-link them, or refer to them",
    )
    one.add_argument(
        "--all",
        action="store_true",
        help="where reviewers do not agree, the latest decision counts",
    )
    one.add_argument(
        "--labels",
        default="decided",
        choices=["decided", "purified"],
        help="in a manifest: where nobody has decided, the given labels, or those of the newest "
        "run of a purifier (dmlp), marked as not reviewed",
    )
    one.add_argument(
        "--raw", action="store_true", help="leave cells that start a formula as they are"
    )
    one.add_argument("--no-scores", action="store_true", help="without one column per method")


def export(options: Any) -> int:
    """Write what was decided, as a table or as a layout that another tool reads."""
    from lnl_core.services.export.exporting import as_zip, plan_export, write_export

    if options.format not in FORMATS:
        known_ones = f"--format is one of {', '.join(FORMATS)}, got {options.format}."
        options.usage(known_ones + meant(options.format, FORMATS))
    known = FORMATS[options.format]
    if options.images and options.images not in known.images:
        ways = ", ".join(known.images)
        options.usage(
            f"--images with {options.format} is one of {ways}"
            if ways
            else f"{options.format} holds no images, so there is no --images for it"
        )
    if options.labels == "purified" and options.format != "manifest":
        options.usage("--labels purified is for --format manifest")
    info = opened(options)
    if known.folder and not as_zip(options.out):
        plan = plan_export(
            info,
            options.format,
            options.out,
            images=options.images,
            only_agreed=not options.all,
        )
        images = f" in {many(plan.files, 'image file')}" if plan.files else ", no image files"
        size = file_size(plan.size)
        print(f"About {size}{images}; {file_size(plan.free)} free.", file=sys.stderr)
    began = time.monotonic()

    def report(done: int, total: int) -> None:
        left = (time.monotonic() - began) / max(done, 1) * (total - done)
        progress(f"{done:,} of {total:,} written, {duration(left)} left", done / max(total, 1))

    result = write_export(
        info,
        options.format,
        options.out,
        only_agreed=not options.all,
        safe=not options.raw,
        scores=not options.no_scores,
        images=options.images,
        purified=options.labels == "purified",
        force=options.force,
        report=report,
    )
    progress("")
    for words in (*result.problems, *result.notes):
        print(f"  {words}", file=sys.stderr)
    left = ""
    if result.left_out:
        are, have = ("is", "has") if result.left_out == 1 else ("are", "have")
        why = f"{are} not settled: someone is unsure, or reviewers contradict each other"
        if options.format != "corrections":
            why = f"{have} no one right class and {are} left out"
        left = f", {result.left_out:,} {why}"
    unit = "images" if known.folder else "rows"
    place = "standard output" if str(options.out) == "-" else options.out
    say(
        options,
        {
            "rows": result.rows,
            "left_out": result.left_out,
            "out": str(options.out),
            "problems": list(result.problems),
            "notes": list(result.notes),
        }
        | ({"pred_probs": result.source} if result.source else {}),
        f"{result.rows:,} {unit} in {place}{left}."
        + (f"\npred_probs: {result.source}." if result.source else ""),
    )
    return PARTLY if result.problems else DONE


EXPORT = Command(
    "export",
    "Write what was decided.",
    export,
    _export_arguments,
    (
        "lnl export birds --format corrections --out corrections.csv   one row per changed label",
        "lnl export birds --format manifest --out clean.parquet        every image, cleaned labels",
        "lnl export birds --format manifest --labels purified --out purified.csv",
        "lnl export birds --format folder --out clean/ --images link   no disk space, same disk",
        "lnl export birds --format cleanlab --out for_cleanlab/",
        "",
        "formats:",
        *(f"{key:<13} {each.sentence}" for key, each in FORMATS.items()),
    ),
)
