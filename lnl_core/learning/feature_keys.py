"""What features that are kept are called; apart, for it needs no network."""

from __future__ import annotations

import hashlib

RECIPE = 2
"""Part of every cache key: raise it when the same images would give other features."""

RECIPES = {"pretrained": 3, "simclr": 3, "moco": 3}
"""The same of single representations, with epochs or without: others need not be computed again."""


def recipe(representation: str) -> int:
    """Return the recipe by which a representation is computed today."""
    return RECIPES.get(representation.partition(":")[0], RECIPE)


def cache_key(version: str, representation: str) -> str:
    """Return the folder name of one representation of one version of a data set."""
    told = f"{recipe(representation)}\0{version}\0{representation}"
    digest = hashlib.blake2b(told.encode(), digest_size=6)
    plain = "".join(c if c.isalnum() or c in "-_" else "-" for c in representation)[:40]
    return f"{plain}-{digest.hexdigest()}"
