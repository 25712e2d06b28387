"""The first demo set: 600 photographs of clothing, with the labels that people gave them.

Nobody made a label wrong on purpose. What a careful look said of 324 of them judges methods in
Compare and is seen by nobody else. `assets/clothing/README.md` says where they come from (CC0).
"""

from __future__ import annotations

import shutil
from pathlib import Path

from lnl_core.data import importers
from lnl_core.store.arrays import read_json, write_json


def write(folder: Path, source: Path) -> None:
    """Import the photographs of `source`, keeping them as originals beside the arrays."""
    importers.import_source(source / "list.csv", "clothing", folder)
    shutil.copytree(source / "images", folder / importers.ORIGINALS / "images")
    meta = folder / "meta.json"
    own = {
        "kind": "demo",
        "source": "clothing photographs, as people labelled them (public domain, CC0)",
        "root": importers.ORIGINALS,
    }
    write_json(meta, read_json(meta) | own)
