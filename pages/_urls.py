"""The addresses of images, evidence and maps: numbers, names and digests, never a path."""

from __future__ import annotations

import streamlit as st

from lnl_core.types import DatasetInfo


def base_path() -> str:
    """Return what stands before every address: `server.baseUrlPath`, often nothing."""
    base = str(st.get_option("server.baseUrlPath") or "").strip("/")
    return f"/{base}" if base else ""


def image_url(dataset_id: int, version: str, size: str) -> str:
    """Return the address of a set's images, with `{row}` for the browser to fill in."""
    return f"{base_path()}/lnl/img/{dataset_id}/{version}/{{row}}/{size}"


def evidence_url(dataset_id: int) -> str:
    """Return the address of a set's evidence, with `{row}` for the browser to fill in."""
    return f"{base_path()}/lnl/evidence/{dataset_id}/{{row}}"


def advised_url(dataset_id: int) -> str:
    """Return where the page says whom it shows an image's evidence, with `{row}` to fill in."""
    return f"{base_path()}/lnl/advised/{dataset_id}/{{row}}"


def maps_url(dataset_id: int) -> str:
    """Return the address of a set's activation maps, with `{row}` for the browser to fill in."""
    return f"{base_path()}/lnl/maps/{dataset_id}/{{row}}"


def thumb_url(info: DatasetInfo, row: int) -> str:
    """Return the address of a thumbnail: number, digest and row, never a path."""
    return image_url(info.id, info.version, "thumb").replace("{row}", str(row))


def leave_url() -> str:
    """Return the address to which a tab that is closed says so."""
    return f"{base_path()}/lnl/leave"


def points_url(dataset_id: int, key: str) -> str:
    """Return the address of a map's positions, (n, 2) little-endian uint16."""
    return f"{base_path()}/lnl/map/{dataset_id}/{key}/points"


def colours_url(
    dataset_id: int, version: str, colour: str, method: str | None, only: str = ""
) -> str:
    """Return the address of a map's colours, (n,) uint8; `version` changes when they do.

    `only` is `Narrow.as_text()`: what it leaves out has codes from 64 on.
    """
    place = f"{base_path()}/lnl/map/{dataset_id}/colours/{colour}/{method or 'all'}/{version}"
    return f"{place}/{only}" if only else place


def point_url(dataset_id: int) -> str:
    """Return the address of the facts of one point, with `{row}` for the browser to fill in."""
    return f"{base_path()}/lnl/map/{dataset_id}/point/{{row}}"
