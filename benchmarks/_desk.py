"""What the benchmarks of the pages share: a large synthetic set, and a server that opens it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

import numpy as np

REPO = Path(__file__).resolve().parents[1]


def register(
    home: Path, given: Any, class_names: list[str], true_labels: Any = None, side: int = 32
) -> Any:
    """Write a data set of dark images into a workspace as an import would; return its info.

    Args:
        home: the workspace.
        given: (n,) labels.
        class_names: k names.
        true_labels: (n,), where the set comes with its truth.
        side: of the images, whose pixels stay zero in a sparse file and take no room.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from lnl_core.store import arrays, datasets
    from lnl_core.store.db import open_workspace

    n, ws = len(given), open_workspace(home)
    folder = home / "incoming-set"
    folder.mkdir(parents=True)
    np.lib.format.open_memmap(folder / "images.npy", "w+", np.uint8, (n, side, side, 3)).flush()
    arrays.write_array(folder / "given_labels.npy", np.asarray(given, np.int32))
    if true_labels is not None:
        arrays.write_array(folder / "true_labels.npy", np.asarray(true_labels, np.int32))
    ids = pa.array([f"image-{i:07d}" for i in range(n)])
    pq.write_table(
        pa.table({"id": ids, "path": pa.nulls(n, pa.string())}), folder / "table.parquet"
    )
    meta = {
        "class_names": class_names,
        "n": n,
        "height": side,
        "width": side,
        "channels": 3,
        "kind": "npz",
        "source": "synthetic",
        "root": None,
        "skipped": 0,
        "version": f"synthetic-{n}-{len(class_names)}",
        "format": "arrays",
    }
    arrays.write_json(folder / "meta.json", meta)
    return datasets.register(ws, f"synthetic {n}", folder)


class Server:
    """The app of a checkout on a workspace; `url` once it answers. Ends with its `with` block."""

    def __init__(self, home: Path, port: int, repo: Path = REPO, named: str = "reviewer A") -> None:
        self.url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "streamlit", "run", str(repo / "app.py")]
        self.process = subprocess.Popen(
            [*command, f"--server.port={port}", "--server.headless=true"],
            env=ordinary()
            | {"LNL_HOME": str(home), "PYTHONPATH": str(repo), "LNL_REVIEWER": named},
            cwd=repo,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for _ in range(400):
            try:
                urllib.request.urlopen(f"{self.url}/_stcore/health").read()
                return
            except OSError:
                time.sleep(0.1)
        self.end()
        raise SystemExit(f"The app of {repo} did not answer at {self.url}.")

    def memory(self) -> dict[str, int]:
        """Return resident and unshared memory in MB."""
        import psutil

        found = psutil.Process(self.process.pid).memory_full_info()
        return {"ui_rss_mb": round(found.rss / 2**20), "ui_unshared_mb": round(found.uss / 2**20)}

    def cpu(self) -> float:
        """Return the seconds of a core that it has used: other people's load is not in them."""
        import psutil

        spent = psutil.Process(self.process.pid).cpu_times()
        return float(spent.user + spent.system)

    def end(self) -> None:
        """Stop it."""
        self.process.terminate()
        self.process.wait()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()


def ordinary() -> dict[str, str]:
    """Return the environment of an ordinary installation: compiled files of packages are kept.

    All browsers are one person's: else each but the first is asked who it is.
    """
    found = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    kept = str(Path(tempfile.gettempdir()) / "lnl-compiled")
    return found | {"PYTHONPYCACHEPREFIX": kept, "LNL_REVIEWER": "reviewer A"}


def chromium(play: Any) -> Any:
    """Return a headless browser, Debian's."""
    return play.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
