"""Methods of other packages: found by their entry points, or left out by name with the reason."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from lnl_core.methods import METHODS, _finding
from lnl_core.types import Method

REPO = Path(__file__).resolve().parents[1]

SOURCE = """
from dataclasses import dataclass, field

import numpy as np

from lnl_core.types import Method, Signals


@dataclass(frozen=True, slots=True)
class Config:
    seed: int = field(default=0, metadata={"help": "Of the draw."})

    @classmethod
    def preset(cls, name, n, k, size):
        return cls()


def fit(dataset, config, context):
    n, k = len(dataset), len(dataset.class_names)
    probs = np.full((n, k), 0.1 / (k - 1))
    other = (np.asarray(dataset.given_labels) + (np.arange(n) % 4 == 0)) % k
    probs[np.arange(n), other] = 0.9
    suspicion = 1 - probs[np.arange(n), dataset.given_labels]
    return Signals(METHOD.key, suspicion, probs)


METHOD = Method(
    key="KEY",
    title="Sixth sense",
    short="Sixth",
    summary="every fourth label",
    reference="nobody, 2026",
    config=Config,
    fit=fit,
    explanation="It doubts every fourth label.",
)
"""


@pytest.fixture
def package(tmp_path):
    """Install a package that offers a method: a module and its dist-info, in a folder."""

    def install(name, source, value=None):
        site = tmp_path / "site"
        info = site / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (site / f"{name}.py").write_text(source, "utf-8")
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        offered = f"[{_finding.ENTRY_POINTS}]\n{name} = {value or f'{name}:METHOD'}\n"
        (info / "entry_points.txt").write_text(offered)
        return site

    return install


@pytest.fixture
def found(package, monkeypatch):
    """Install one package and look for methods in this process."""

    def look(name, source, value=None):
        monkeypatch.syspath_prepend(package(name, source, value))
        monkeypatch.delitem(sys.modules, name, raising=False)
        return _finding.with_plugins(METHODS)

    yield look
    for name in [name for name in sys.modules if name.startswith("lnl_test_")]:
        del sys.modules[name]


def test_a_sixth_method_follows_the_published_ones(found):
    methods, problems = found("lnl_test_good", SOURCE.replace("KEY", "sixth"))
    assert problems == []
    assert isinstance(methods["sixth"], Method)
    published = [key for key, method in methods.items() if not method.baseline]
    assert list(methods)[: len(published)] == published
    assert published[-1] == "sixth"
    assert [key for key in methods if key != "sixth"] == list(METHODS)


@pytest.mark.parametrize(
    ("source", "value", "said"),
    [
        ("import no_such_module", None, "no_such_module"),
        ("raise SystemExit(3)", None, "SystemExit"),
        ("METHOD = 7", None, "is no lnl_core.types.Method"),
        (SOURCE.replace("KEY", "sixth"), "lnl_test_bad:OTHER", "OTHER"),
        (SOURCE.replace("KEY", "Sixth@home"), None, "small letters"),
        (SOURCE.replace("KEY", "consensus"), None, "is not own or consensus"),
        (SOURCE.replace("KEY", "sixth").replace("return cls()", "return 7"), None, "preset quick"),
        (SOURCE.replace("KEY", "sr"), None, "built-in"),
    ],
    ids=["import", "exit", "no method", "no such name", "key", "taken word", "preset", "shadow"],
)
def test_what_cannot_be_taken_is_named_with_the_reason(found, source, value, said):
    methods, problems = found("lnl_test_bad", source, value)
    assert methods == METHODS, "the others are there as ever"
    (problem,) = problems
    assert "package lnl_test_bad" in problem
    assert said in problem


def test_of_two_packages_with_one_key_the_first_is_taken(found):
    found("lnl_test_one", SOURCE.replace("KEY", "sixth"))
    methods, problems = found("lnl_test_two", SOURCE.replace("KEY", "sixth"))
    assert methods["sixth"].fit.__module__ == "lnl_test_one"
    (problem,) = problems
    assert "package lnl_test_two" in problem
    assert "another package" in problem


SEEN = """
import json
from streamlit.testing.v1 import AppTest
from lnl_core.services.review import desk as review
from lnl_core.services.review import evidence, filtering
from lnl_core.store import datasets
from pages import _ui
from pages._review import sending

def texts(app):
    kinds = ("title", "subheader", "markdown", "caption", "error", "warning")
    words = [str(each.value) for kind in kinds for each in getattr(app, kind)]
    words += [each.value.to_csv() for each in app.dataframe]
    choices = (*app.selectbox, *app.button_group)
    words += [str(option) for each in choices for option in each.options]
    return words

pages = {}
for page in ("data", "runs", "review", "explore", "compare", "export"):
    app = AppTest.from_file("pages/_main.py", default_timeout=120)
    app.query_params["dataset"] = "tiny"
    app.run()
    app = app.switch_page(f"{page}.py").run()
    pages[page] = [*texts(app), *(str(each.value) for each in app.exception)]

ws = _ui.workspace()
info = datasets.dataset(ws, "tiny")
state = review.review_state(info, "ann")
choice = sending.Choice("suspicious", "single", "commit", filtering.Filters(), None)
pages["panel"] = [sending.single(info, choice, state, [])["methods"]["sixth"]["name"]]
pages["panel"] += [each["title"] for each in evidence.evidence(info, 0)["methods"]]
print("SEEN" + json.dumps(pages))
"""


@pytest.mark.slow
def test_a_method_of_another_package_runs_and_is_seen_everywhere(workspace, tiny, package):
    package("lnl_test_good", SOURCE.replace("KEY", "sixth"))
    site = package("lnl_test_bad", "import no_such_module")
    env = {k: v for k, v in os.environ.items() if not k.startswith("LNL_")}
    env |= {"LNL_HOME": str(workspace.home), "PYTHONPATH": f"{site}{os.pathsep}{REPO}"}
    env["LNL_REVIEWER"] = "reviewer A"  # each page is a browser of its own, which would be asked

    def call(*arguments):
        return subprocess.run(
            [sys.executable, *arguments], cwd=REPO, env=env, capture_output=True, text=True
        )

    ran = call("-m", "lnl_core", "run", "tiny", "--methods", "sixth,knn")
    assert ran.returncode == 0, ran.stderr
    assert "“lnl_test_bad” of the package lnl_test_bad is left out" in ran.stderr

    seen = call("-W", "ignore", "-c", SEEN)
    assert "SEEN" in seen.stdout, seen.stderr[-3000:]
    pages = json.loads(seen.stdout.rpartition("SEEN")[2])
    for page in ("runs", "explore", "compare"):
        assert any("Sixth sense" in words for words in pages[page]), page
    assert any("is left out" in words for words in pages["runs"])
    assert pages["panel"][0] == "Sixth"
    assert sorted(pages["panel"][1:]) == ["Nearest neighbours", "Sixth sense"]
    assert not [words for page in pages.values() for words in page if "went wrong" in words]

    report, scores = (str(workspace.home / name) for name in ("report.html", "scores.csv"))
    told = call("-m", "lnl_core", "report", "tiny", "--out", report)
    assert told.returncode == 0, told.stderr
    assert "<td>Sixth sense</td>" in Path(report).read_text("utf-8")
    told = call("-m", "lnl_core", "rank", "tiny", "--method", "sixth", "--out", scores)
    assert told.returncode == 0, told.stderr
    assert len(Path(scores).read_text("utf-8").splitlines()) == tiny.n + 1
