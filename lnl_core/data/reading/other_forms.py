"""Files that hold images in a form that is not read, and what to do with each."""

from __future__ import annotations

import os

from lnl_core.data.images import SUFFIXES

ARCHIVES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".zst", ".7z", ".rar"})
ARRAYS = frozenset(
    {".npy", ".h5", ".hdf5", ".mat", ".pt", ".pth", ".pkl", ".pickle", ".joblib", ".tfrecord"}
)
PICTURES = frozenset({".dcm", ".dicom", ".nii", ".mha", ".mhd", ".nrrd", ".svs", ".ndpi", ".czi"})
PICTURES |= {".heic", ".heif", ".cr2", ".nef", ".arw", ".dng", ".raw", ".psd", ".svg", ".exr"}
SHEETS = frozenset({".xlsx", ".xls", ".xlsm", ".ods", ".numbers"})
ARROW = frozenset({".arrow", ".feather"})
AS_CSV = "Save it as CSV beside the images, a row an image, and import again."
AS_PARQUET = (
    "Open it with datasets.load_from_disk, write each split with to_parquet(“train.parquet”), and "
    "import the folder of these files."
)
AS_IMAGES = "Write each as PNG, or as TIFF where it is deeper than 8 bit, and import these."
AS_NPZ = (
    "Save images and labels as arrays, numpy.savez_compressed(path, images=..., labels=...), and "
    "import that file."
)


def ending_of(name: str) -> str:
    """Return the ending of a name in small letters, of scan.nii.gz and x.tfrecord-0-of-9 too."""
    lower = name.lower()
    if ".tfrecord-" in lower:
        return ".tfrecord"
    return ".nii" if lower.endswith(".nii.gz") else os.path.splitext(lower)[1]


def without_ending(name: str) -> str:
    """Return a name without the ending of an image, read or not: scan.nii.gz is scan."""
    ending = ending_of(name)
    if ending not in PICTURES and ending not in SUFFIXES:
        return name
    return name[: -len(".nii.gz" if name.lower().endswith(".nii.gz") else ending)]


def remedy(ending: str) -> str:
    """Return what to do with a lone file by its ending, small letters; "" where that is unknown."""
    if ending in ARCHIVES:
        return "Unpack it, then import the folder."
    if ending in PICTURES:
        return AS_IMAGES
    if ending in SHEETS:
        return AS_CSV
    if ending in ARROW:
        return AS_PARQUET
    return AS_NPZ if ending in ARRAYS else ""
