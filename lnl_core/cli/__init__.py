"""`lnl`: everything that the pages do, in a terminal."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from lnl_core import __version__
from lnl_core.cli import bench, desk, own, reporting, runs
from lnl_core.cli.screen import DONE, FAILED, USAGE, progress
from lnl_core.types import LnlError

EXAMPLES = """examples:
  lnl demo --open                                   register the demo set and open the desk
  lnl import photos/ --name birds                   one folder per class
  lnl import list.csv --root photos/ --name birds   columns image, label[, id, true_label]
  lnl run birds --methods probe,sr,jump             queue runs and watch them
  lnl rank birds --out scores.csv                   one row per image
  lnl export birds --format corrections --out corrections.csv

exit codes: 0 done, 1 failed, 2 bad usage, 3 partly imported
`lnl COMMAND --help` has examples of each.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code (bad usage exits with 2, as argparse does)."""
    parser = _parser()
    if not (sys.argv[1:] if arguments is None else arguments):  # who types `lnl` asks what it does
        parser.print_help()
        return USAGE
    options = parser.parse_args(arguments)
    if options.home:
        os.environ["LNL_HOME"] = str(options.home)
    try:
        code: int = options.call(options)
    except LnlError as error:
        progress("")
        print(f"lnl: {error}", file=sys.stderr)
        return FAILED
    except KeyboardInterrupt:
        progress("")
        print("lnl: stopped", file=sys.stderr)
        return FAILED
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="lnl",
        description="Find, see and fix the wrong labels of an image set.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"lnl {__version__}")
    parser.add_argument("--home", type=Path, help="workspace folder (default: LNL_HOME)")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(
        name: str, call: Callable[[Any], int], help: str, *examples: str
    ) -> argparse.ArgumentParser:
        one = commands.add_parser(
            name,
            help=help,
            description=help.replace("%%", "%"),
            epilog="examples:\n  " + "\n  ".join(examples) if examples else None,
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        one.set_defaults(call=call, usage=one.error)
        one.add_argument("--json", action="store_true", help="print JSON to standard output")
        return one

    one = command(
        "demo",
        desk.demo,
        "Register the demo set: 1,797 handwritten digits, 15 %% of the labels wrong.",
        "lnl demo --open",
    )
    one.add_argument("--open", action="store_true", help="then open the desk in the browser")
    one.add_argument(
        "--tour", action="store_true", help="then walk through the pages, for a lab meeting"
    )

    command("open", desk.open_desk, "Open the desk in the browser.")
    _import_options(command)
    _public_options(command)
    _run_options(command)

    one = command("status", runs.status, "Show data sets and their runs.", "lnl status birds")
    one.add_argument("name", nargs="?", help="only this data set")

    one = command("cancel", runs.cancel, "Stop one run; it keeps its checkpoint.", "lnl cancel 12")
    one.add_argument("run", type=int, help="number of the run, see lnl status")

    one = command(
        "rank",
        desk.rank,
        "Write every image's suspicion and suggested label.",
        "lnl rank birds --out scores.csv                 all methods together",
        "lnl rank birds --method sr --out sr.csv         one method alone",
    )
    one.add_argument("name", help="data set")
    one.add_argument("--method", default="consensus", help="consensus or a method's key")
    one.add_argument("--out", type=Path, required=True, help="CSV file")

    one = command(
        "score",
        own.score,
        "Take the probabilities of your own model as a finished run.",
        'lnl score birds probs.npy --title "my ViT"        (n, k), in the order of the data set',
        "lnl score birds probs.csv                       columns id, and one per class",
        "",
        "Rows sum to 1. NPZ holds the array as pred_probs, perhaps with ids and class_names. Use",
        "probabilities out of fold: a model that learned a wrong label does not doubt it.",
    )
    one.add_argument("name", help="data set")
    one.add_argument("file", type=Path, help=".npy, .npz, .csv or .parquet")
    one.add_argument("--title", default="own", help="what to call the model")

    one = command(
        "decide",
        desk.decide,
        "Import decisions made elsewhere.",
        "lnl decide birds --file decisions.csv --reviewer ann",
        "lnl decide birds --file decisions.csv --reviewer ann --replace",
        "",
        "decisions.csv has the columns id, action[, label, reviewer, decided_at]; actions are",
        "keep, relabel, multiple, none, unsure, skip and reopen. The same file twice stores",
        "nothing twice. A row that contradicts a later answer of the same reviewer is held back",
        "and named.",
    )
    one.add_argument("name", help="data set")
    one.add_argument("--file", type=Path, required=True, help="CSV with id, action[, label]")
    one.add_argument("--reviewer", required=True, help="who decided, where the file names nobody")
    one.add_argument(
        "--replace", action="store_true", help="store rows that are held back otherwise"
    )

    one = command(
        "audit",
        desk.audit,
        "Say how many wrong labels are left, from images drawn at random.",
        "lnl audit birds",
        "lnl audit birds --target 0.005 --json            at most 0.5 % of the labels wrong",
        "",
        "Review mixes the random images in. Estimate and limit hold at every moment, 95 % sure.",
    )
    one.add_argument("name", help="data set")
    one.add_argument(
        "--target",
        type=float,
        default=0.01,
        metavar="SHARE",
        help="share of the images that may be wrong in the end (default: 0.01)",
    )

    _export_options(command)

    one = command(
        "report",
        reporting.report,
        "Write curves, costs, losses and the head of the queue as one HTML file.",
        "lnl report birds --out birds.html",
    )
    one.add_argument("name", help="data set")
    one.add_argument("--out", type=Path, required=True, help="HTML file")

    one = command(
        "bench",
        bench.bench,
        "Run a benchmark of this clone; without a name, list them.",
        "lnl bench",
        "lnl bench detection --labels aggre random1",
        "lnl bench speed --help                           its own arguments",
    )
    one.add_argument("benchmark", nargs="?", metavar="NAME", help="which one")
    one.add_argument("arguments", nargs=argparse.REMAINDER, metavar="...", help="for the benchmark")

    one = command("rename", desk.rename, "Call a data set something else.", "lnl rename a b")
    one.add_argument("name", help="data set")
    one.add_argument("new_name", help="its new name")

    one = command(
        "remove",
        desk.remove,
        "Forget a data set, its runs and decisions.",
        "lnl remove birds --yes",
    )
    one.add_argument("name", help="data set")
    one.add_argument("--yes", action="store_true", help="really")
    return parser


def _import_options(command: Callable[..., argparse.ArgumentParser]) -> None:
    one = command(
        "import",
        desk.import_,
        "Read a folder per class, a list, NPZ arrays or a zip.",
        "lnl import photos/ --name birds                   photos/CLASS/FILE",
        "lnl import list.csv --root photos/ --name birds   columns image, label[, id, true_label]",
        "lnl import arrays.npz --name birds                images (n, h, w[, c]), labels (n,)",
        "lnl import photos.zip --name birds                a folder per class inside",
        "lnl import data/cifar-10-batches-py --name cifar  as torchvision downloads it; MNIST too",
        "lnl import hub/ --name hub                        Hugging Face: metadata.csv or .jsonl",
        "",
        "What cannot be read is skipped and listed with its reason; then the exit code is 3.",
    )
    one.add_argument("source", type=Path, help="folder, .csv, .parquet, .npz or .zip")
    one.add_argument("--name", required=True, help="what to call the data set")
    one.add_argument("--root", type=Path, help="folder that the paths of a list start from")
    one.add_argument("--size", type=int, help="working resolution in pixels")


def _public_options(command: Callable[..., argparse.ArgumentParser]) -> None:
    one = command(
        "public",
        desk.public,
        "Download a public set with labels by people; needs a network.",
        "lnl public                                        which there are, and their terms",
        "lnl public cifar10n --accept --labels worse       50,000 images, 40 % wrong",
    )
    one.add_argument("key", nargs="?", help="set to download")
    one.add_argument("--labels", default="aggre", help="which people's labels (default: aggre)")
    one.add_argument("--name", help="what to call the data set (default: its key)")
    one.add_argument("--accept", action="store_true", help="the terms suit your use")


def _run_options(command: Callable[..., argparse.ArgumentParser]) -> None:
    one = command(
        "run",
        runs.run,
        "Queue runs and watch them; they go on if you stop watching (Ctrl-C).",
        "lnl run birds --methods probe,sr,jump",
        "lnl run birds --methods sr --preset standard --set sr.epochs=60 --detach",
        "lnl run birds --methods 'sr->influence'           train, then post-train that network",
        "lnl run birds --methods 'ce->probe'                train, then regress on its features",
        "lnl run birds --methods influence --base 12       post-train the network of run 12",
        "lnl run birds --resume                            continue what died or was stopped",
    )
    one.add_argument("name", help="data set")
    one.add_argument(
        "--methods", help="keys or recipes, comma-separated, e.g. probe,sr,jump or 'sr->influence'"
    )
    one.add_argument(
        "--base",
        type=int,
        metavar="RUN",
        help="run to build on: influence post-trains its network, others train on its "
        "purified labels (dmlp)",
    )
    one.add_argument("--preset", default="quick", choices=["quick", "standard", "paper"])
    one.add_argument(
        "--representation",
        metavar="pretrained|simclr|raw|NETWORK|RUN",
        help="features to learn from, also those of a run, by its number; methods that otherwise "
        "train on pixels then train a head on them (default: by image size)",
    )
    one.add_argument("--seed", type=int, default=0, help="of everything random (default: 0)")
    one.add_argument(
        "--device",
        default="auto",
        choices=["auto", "cpu", "cuda"],
        help="auto takes a GPU where there is one",
    )
    one.add_argument(
        "--executor",
        default="local",
        choices=["local", "slurm", "ray"],
        help="where runs run: this machine, a Slurm cluster, or the Ray cluster at RAY_ADDRESS",
    )
    for executor, keys in (
        ("slurm", "partition, time, gpus, cpus, mem, account, qos, constraint, nodelist, python"),
        ("ray", "gpus, cpus, mem, python"),
    ):
        one.add_argument(
            f"--{executor}",
            action="append",
            default=[],
            metavar="KEY=VALUE",
            help=f"what to ask of {executor.title()}: {keys}; may be repeated, "
            f"or LNL_{executor.upper()}_KEY in the environment",
        )
    one.add_argument(
        "--trusted",
        choices=["decisions"],
        default="decisions",
        help="labels that reviewers agree on are corrected and trusted (always so)",
    )
    one.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="METHOD.KNOB=VALUE",
        help="one knob, e.g. sr.tau=0.3; may be repeated",
    )
    one.add_argument("--resume", action="store_true", help="continue what died, failed or stopped")
    one.add_argument("--detach", action="store_true", help="do not watch")


def _export_options(command: Callable[..., argparse.ArgumentParser]) -> None:
    from lnl_core.services.export.exporting import FORMATS

    one = command(
        "export",
        desk.export,
        "Write what was decided.",
        "lnl export birds --format corrections --out corrections.csv   one row per changed label",
        "lnl export birds --format manifest --out clean.parquet        every image, cleaned labels",
        "lnl export birds --format folder --out clean/ --images link   no disk space, same disk",
        "lnl export birds --format cleanlab --out for_cleanlab/",
        "",
        "formats:",
        *(f"{key:<13} {each.sentence}" for key, each in FORMATS.items()),
    )
    one.add_argument("name", help="data set")
    one.add_argument("--format", required=True, metavar="|".join(FORMATS), help="see below")
    one.add_argument("--out", type=Path, required=True, help="file, or a new folder")
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
        "--raw", action="store_true", help="leave cells that start a formula as they are"
    )
    one.add_argument("--no-scores", action="store_true", help="without one column per method")
