"""Files that hold images in a form that is not read, and what to do with each."""

from __future__ import annotations

ARCHIVES = frozenset({".zip", ".tar", ".gz", ".tgz", ".bz2", ".tbz2", ".xz", ".zst", ".7z", ".rar"})
ARRAYS = frozenset(
    {".npy", ".h5", ".hdf5", ".mat", ".pt", ".pth", ".pkl", ".pickle", ".joblib", ".tfrecord"}
)
AS_NPZ = (
    "Save images and labels as arrays, numpy.savez_compressed(path, images=..., labels=...), and "
    "import that file."
)


def remedy(ending: str) -> str:
    """Return what to do with a lone file by its ending, small letters; "" where that is unknown."""
    if ending in ARCHIVES:
        return "Unpack it, then import the folder."
    return AS_NPZ if ending in ARRAYS else ""
