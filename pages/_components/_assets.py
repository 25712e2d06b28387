"""The components' sources, joined: a component takes one script, so shared parts come first."""

from pathlib import Path

HERE = Path(__file__).parent


def source(*names: str) -> str:
    """Return the files' texts, one after the other."""
    return "\n".join((HERE / name).read_text("utf-8") for name in names)
