"""`lnl demo`, `open`, `import`, `public`, `rank`, `decide`, `export` ...: data in, answers out."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from lnl_core.cli.screen import DONE, FIRST_METHODS, PARTLY, duration, progress, quoted, say
from lnl_core.store.db import open_workspace
from lnl_core.types import LnlError


def demo(options: Any) -> int:
    """Register the demo set."""
    from lnl_core import services

    info = services.add_demo(open_workspace())
    say(
        options,
        {"name": info.name, "n": info.n, "classes": info.class_count},
        f"“{info.name}”: {info.n:,} images, {info.class_count} classes, 15 % of the labels made "
        "wrong on purpose.\n"
        f"Next: lnl run {quoted(info.name)} --methods {FIRST_METHODS}\n"
        "  or: lnl open",
    )
    if options.tour:
        os.environ["LNL_TOUR"] = "1"  # the page that opens begins with it
    return open_desk(options) if options.open or options.tour else DONE


def open_desk(_options: Any) -> int:
    """Start the app, which opens the browser; ends with it.

    Raises:
        LnlError: the app is not beside the library.
    """
    app = Path(__file__).resolve().parents[2] / "app.py"
    if not app.is_file():
        app = Path("app.py").resolve()
    if not app.is_file():
        raise LnlError(
            "app.py was not found beside the library. Go to the clone of LNL Review, then run: "
            "streamlit run app.py"
        )
    try:
        return subprocess.call([sys.executable, "-m", "streamlit", "run", str(app)], cwd=app.parent)
    except KeyboardInterrupt:
        return DONE


def import_(options: Any) -> int:
    """Read a folder per class, a list, NPZ arrays or a zip."""
    from lnl_core import services
    from lnl_core.store import datasets

    ws = open_workspace()
    began = time.monotonic()
    shown = 0.0

    def report(done: int, total: int, skipped: int) -> None:
        nonlocal shown
        if time.monotonic() - shown < 0.2 and done < total:
            return
        shown = time.monotonic()
        left = (shown - began) / max(done, 1) * (total - done)
        progress(
            f"{done:,} of {total:,} read, {skipped:,} skipped, {duration(left)} left",
            done / max(total, 1),
        )

    services.import_dataset(
        ws, options.source, options.name, root=options.root, size=options.size, report=report
    )
    progress("")
    info = datasets.dataset(ws, options.name.strip())
    problems = _skipped(info.directory / "skipped.parquet")
    for problem in problems[:20]:
        where = problem["where"]
        if problem["row"] is not None and info.kind in ("manifest", "zip") and "row " not in where:
            where = f"row {problem['row']}, {where}"
        print(f"  {where}: {problem['reason']} → {problem['remedy']}", file=sys.stderr)
    if len(problems) > 20:
        print(f"  and {len(problems) - 20:,} more, all on the Data page", file=sys.stderr)
    for note in datasets.read_meta(info).get("notes", []):
        print(f"  {note}", file=sys.stderr)
    if problems:
        print("Repaired files come in with another import, under a new name.", file=sys.stderr)
    say(
        options,
        {
            "name": info.name,
            "n": info.n,
            "classes": info.class_count,
            "skipped": info.skipped,
            "problems": problems,
        },
        f"{info.n:,} images in, {info.skipped:,} skipped, {info.class_count:,} classes.\n"
        f"Next: lnl run {quoted(info.name)} --methods {FIRST_METHODS}",
    )
    return PARTLY if info.skipped else DONE


def _skipped(path: Path) -> list[dict[str, Any]]:
    """Read the import report, a row per file that did not come in."""
    if not path.is_file():
        return []
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.read_table(path).to_pylist()
    return rows


def public(options: Any) -> int:
    """Tell of the public sets; download one where its terms are accepted.

    Raises:
        LnlError: no such set, its terms not accepted, or offline.
    """
    from lnl_core import services

    known = services.public_sets()
    if options.key is None:
        say(options, {"sets": [asdict(each) for each in known]}, "\n\n".join(map(_terms, known)))
        return DONE
    found = next((each for each in known if each.key == options.key), None)
    if found is None:
        raise LnlError(f"There is no public set “{options.key}”. lnl public lists them.")
    if not options.accept:
        print(_terms(found), file=sys.stderr)
        raise LnlError("Nothing was downloaded. Add --accept if these terms suit your use.")

    def report(words: str, done: int, total: int) -> None:
        progress(words, done / total if total else None)

    info = services.add_public(
        open_workspace(), found.key, options.name or found.key, options.labels, report=report
    )
    progress("")
    say(
        options,
        {"name": info.name, "n": info.n, "classes": info.class_count},
        f"“{info.name}”: {info.n:,} images, {info.class_count} classes.\n"
        f"Next: lnl run {quoted(info.name)} --methods {FIRST_METHODS}",
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
        f"{key} ({words}, {rate:.1%} wrong)" for key, (words, rate) in known.labels.items()
    )
    return "\n".join([*lines, f"  labels: {labels}"])


def rename(options: Any) -> int:
    """Call a data set something else."""
    from lnl_core import services

    info = services.rename_dataset(open_workspace(), options.name, options.new_name)
    say(options, {"name": info.name}, f"It is called “{info.name}” now.")
    return DONE


def rank(options: Any) -> int:
    """Write every image's suspicion and suggested label."""
    from lnl_core import services

    rows = services.write_scores(open_workspace(), options.name, options.out, options.method)
    say(
        options,
        {"rows": rows, "out": str(options.out)},
        f"{rows:,} rows in {options.out}; suspicion and p_wrong: 1 = wrong, "
        "label_quality: 1 = right.",
    )
    return DONE


def decide(options: Any) -> int:
    """Import decisions made elsewhere."""
    from lnl_core import services

    if not options.file.is_file():
        raise LnlError(f"There is no file {options.file}. Check the path.")
    found = services.import_decisions(
        open_workspace(),
        options.name,
        options.file,
        options.reviewer,
        replace_newer=options.replace,
    )
    lines = [*(conflict.words() for conflict in found.conflicts), *found.problems]
    for line in lines[:50]:
        print(f"  {line}", file=sys.stderr)
    if len(lines) > 50:
        print(f"  and {len(lines) - 50:,} more", file=sys.stderr)
    say(
        options,
        {
            "stored": found.stored,
            "unchanged": found.unchanged,
            "held": found.held,
            "conflicts": [asdict(conflict) for conflict in found.conflicts],
            "problems": list(found.problems),
        },
        f"{found.stored:,} decisions stored, {found.unchanged:,} known already, "
        f"{found.held:,} held back, {len(found.problems):,} refused.",
    )
    return PARTLY if found.problems or found.held else DONE


def audit(options: Any) -> int:
    """Say how many wrong labels are left, from images drawn at random."""
    from lnl_core import services

    if not 0 < options.target < 1:
        options.usage(f"--target is a share between 0 and 1, got {options.target:g}. 0.01 is 1 %.")
    found = services.audit_report(open_workspace(), options.name, options.target)
    left, rate = found.left, found.rate
    say(
        options,
        {
            "name": options.name,
            "images": left.total,
            "audits": left.audits,
            "audits_wrong": left.wrong,
            "audits_unsure": left.unsure,
            "errors_found": left.found,
            "errors_left": left.estimate,
            "interval": None if left.low is None else [left.low, left.high],
            "at_most": left.limit,
            "noise_rate": None if rate is None else rate.share,
            "noise_rate_interval": None if rate is None else [rate.low, rate.high],
            "target": found.target,
            "target_errors": left.goal,
            "certified": left.may_stop,
            "audits_needed": found.needed,
        },
        _audit_words(options.name, found),
    )
    return DONE


def _audit_words(name: str, found: Any) -> str:
    """Say a report in sentences."""
    left, rate = found.left, found.rate
    goal = f"{100 * found.target:g} % wrong left ({left.goal:,} of {left.total:,} images)"
    if not left.audits:
        return (
            f"No image of “{name}” was checked at random yet, so nobody knows what is left.\n"
            "Review mixes such images in by itself, every fifth at first, in single mode and "
            "without filters: lnl open"
        )
    checks = f"{left.audits:,} random checks, {left.wrong:,} wrong"
    if left.unsure:
        checks += f", {left.unsure:,} unsure or disputed"
    if left.estimate is None:
        return (
            f"{checks}; {left.found:,} wrong labels found in all.\n"
            f"Too few to say what is left: {left.enough - left.audits:,} more random checks."
        )
    lines = [
        f"Errors left: {left.estimate:,} (95 %: {left.low:,} to {left.high:,}) "
        f"of {left.total:,} images",
        f"From {checks}; {left.found:,} wrong labels found in all",
    ]
    if rate is not None:
        lines.append(
            f"Wrong before review: {100 * rate.share:.1f} % "
            f"(95 %: {100 * rate.low:.1f} to {100 * rate.high:.1f})"
        )
    if left.may_stop:
        lines.append(f"Certified: at most {left.limit:,} errors left (95 %). Target: {goal}")
    elif found.needed is None:
        lines.append(
            f"At most {left.limit:,} errors left (95 %). Target: {goal}. More than that is left "
            "by this estimate: go on with the queue first"
        )
    else:
        lines.append(
            f"At most {left.limit:,} errors left (95 %). Target: {goal}. About "
            f"{found.needed:,} more random checks, if they go on like this; Review in random order "
            "shows nothing else"
        )
    return "\n".join(f"{line}." for line in lines)


def export(options: Any) -> int:
    """Write what was decided, as a table or as a layout that another tool reads."""
    from lnl_core import services

    if options.format not in services.FORMATS:
        options.usage(f"--format is one of {', '.join(services.FORMATS)}, got {options.format}")
    known = services.FORMATS[options.format]
    if options.images and options.images not in known.images:
        ways = ", ".join(known.images)
        options.usage(
            f"--images with {options.format} is one of {ways}"
            if ways
            else f"{options.format} holds no images, so there is no --images for it"
        )
    ws = open_workspace()
    if known.folder:
        plan = services.plan_export(
            ws,
            options.name,
            options.format,
            options.out,
            images=options.images,
            only_agreed=not options.all,
        )
        print(
            f"About {plan.size / 2**20:,.1f} MB in {plan.files:,} image files; "
            f"{plan.free / 2**30:,.1f} GB free.",
            file=sys.stderr,
        )
    began = time.monotonic()

    def report(done: int, total: int) -> None:
        left = (time.monotonic() - began) / max(done, 1) * (total - done)
        progress(f"{done:,} of {total:,} written, {duration(left)} left", done / max(total, 1))

    result = services.write_export(
        ws,
        options.name,
        options.format,
        options.out,
        only_agreed=not options.all,
        safe=not options.raw,
        scores=not options.no_scores,
        images=options.images,
        report=report,
    )
    progress("")
    for problem in result.problems:
        print(f"  {problem}", file=sys.stderr)
    left = ""
    if result.left_out:
        why = "are not settled: someone is unsure, or reviewers contradict each other"
        if options.format != "corrections":
            why = "have no one right class and are left out"
        left = f", {result.left_out:,} {why}"
    unit = "images" if known.folder else "rows"
    say(
        options,
        {
            "rows": result.rows,
            "left_out": result.left_out,
            "out": str(options.out),
            "problems": list(result.problems),
        },
        f"{result.rows:,} {unit} in {options.out}{left}.",
    )
    return PARTLY if result.problems else DONE


def remove(options: Any) -> int:
    """Forget a data set with its runs and decisions; the originals stay."""
    from lnl_core import services
    from lnl_core.store import datasets

    ws = open_workspace()
    info = datasets.dataset(ws, options.name)
    if not options.yes:
        raise LnlError(
            f"This forgets “{info.name}” with its runs and decisions; the originals stay. "
            "Add --yes to do it."
        )
    services.remove_dataset(ws, info.name)
    say(options, {"removed": info.name}, f"“{info.name}” is removed.")
    return DONE
