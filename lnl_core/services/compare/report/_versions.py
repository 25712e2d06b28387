"""With what the numbers of a report were made."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

import lnl_core
from lnl_core.jobs import queue
from lnl_core.services.compare.report import _markup
from lnl_core.types import DatasetInfo
from lnl_core.views import Comparison

_PACKAGES = ("torch", "numpy", "scikit-learn", "scipy", "plotly", "streamlit")


def table(info: DatasetInfo, comparison: Comparison) -> str:
    """Return versions of packages, data set and runs."""
    rows = [
        ("LNL Review", lnl_core.__version__),
        ("Python", platform.python_version()),
        *((package, _version(package)) for package in _PACKAGES),
        ("data set, digest", info.version),
    ]
    jobs = {str(job.id): job for job in queue.jobs(info)}
    for each in comparison.candidates:
        job = jobs.get(each.key)
        if job is not None:
            seen = f"run {job.id}, {job.preset}, {job.representation}, seed {job.seed}"
            rows.append((each.title, f"{seen}, {(job.finished_at or '')[:16].replace('T', ' ')}"))
    return _markup.table((), rows)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "not installed"
