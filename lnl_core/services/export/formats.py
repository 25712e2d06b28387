"""The forms that an export can have, in words; `lnl --help` reads them, so nothing else is here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Format:
    """A form that an export can have.

    Attributes:
        title: its name on screen.
        sentence: what it is and who reads it.
        folder: True where it is a folder of files, False for one CSV file.
        images: what can be done with the images, the default first; empty where there are none.
    """

    title: str
    sentence: str
    folder: bool = False
    images: tuple[str, ...] = ()


FORMATS = {
    "corrections": Format("Corrections", "CSV or Parquet, one row per accepted change."),
    "decisions": Format(
        "All decisions", "CSV or Parquet, every answer by every reviewer; can come back."
    ),
    "manifest": Format("Cleaned manifest", "CSV or Parquet, every image with its corrected label."),
    "folder": Format(
        "Relabelled folder",
        "One folder per corrected class, for torchvision and Hugging Face; originals stay.",
        True,
        ("copy", "link"),
    ),
    "cleanlab": Format(
        "cleanlab", "Labels, probabilities and issues as cleanlab's functions take them.", True
    ),
    "fiftyone": Format(
        "FiftyOne",
        "labels.json with images, as FiftyOne reads a classification.",
        True,
        ("copy", "link", "none"),
    ),
    "label-studio": Format(
        "Label Studio",
        "Tasks with predictions and annotations, and the labelling config.",
        True,
        ("none", "copy", "link"),
    ),
    "audit-trail": Format(
        "Audit trail", "CSV or Parquet, every stored decision with all its fields."
    ),
}
"""Key on the command line -> what it is."""
