"""The curves of a library without what is known of them.

Only the arrays ``q``, ``intensity`` and ``sigma`` are opened, so that whatever else a
library holds, parameters above all, can be missing or wrong.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from saxinfer.library.error import LibraryError

__all__ = ["UnlabelledCurves", "open_unlabelled"]


@dataclass(frozen=True, eq=False)
class UnlabelledCurves:
    """Curves on one grid, and nothing else.

    Attributes:
        q: Scattering vector [1/nm].
        intensity: Intensity [any unit].
        sigma: Standard error likewise, or None where there is none.
    """

    q: Float[ndarray, " q"]
    intensity: Float[ndarray, "curve q"]
    sigma: Float[ndarray, "curve q"] | None


def open_unlabelled(path: Path, most: int | None = None) -> UnlabelledCurves:
    """Reads the curves of a zarr folder.

    Args:
        path: The folder: a library of ``saxinfer simulate``, or any other with arrays
            ``q`` (attribute ``units``: 1/nm) and ``intensity``.
        most: Read no more than so many, the first ones.

    Raises:
        ImportError: If zarr is missing.
        LibraryError: If there are no such arrays, if they do not fit together, if q is
            in another unit, or if a curve was never written.
    """
    folder = Path(path)
    q, intensity = _array(folder, "q"), _array(folder, "intensity")
    unit = dict(q.attrs).get("units")
    if unit != "1/nm":
        raise LibraryError(
            f"{folder}: q must be in 1/nm and say so, but its attribute 'units' is "
            f"'{unit}'. Convert q, and set the attribute."
        )
    if intensity.ndim != 2 or intensity.shape[1:] != q.shape:
        raise LibraryError(
            f"{folder}: intensity must be one row of {q.shape[0]} points a curve, got "
            f"the shape {intensity.shape}. Write one row a curve."
        )
    stated = (folder / "sigma").exists()
    found = UnlabelledCurves(
        q=np.asarray(q[:], dtype=np.float64),
        intensity=np.asarray(intensity[:most], dtype=np.float64),
        sigma=(
            np.asarray(_array(folder, "sigma")[:most], dtype=np.float64)
            if stated
            else None
        ),
    )
    # What a library that was stopped has not written reads as no number at all.
    if bool(np.isnan(found.intensity).all(1).any()):
        raise LibraryError(
            f"{folder}: the library is not complete. Finish it with 'saxinfer "
            "simulate' and --resume."
        )
    return found


def _array(folder: Path, name: str) -> Any:  # noqa: ANN401
    try:
        import zarr
    except ImportError as error:
        raise ImportError(
            "libraries of curves need zarr. Install it with "
            "pip install 'saxinfer[library]'."
        ) from error
    if not (folder / name / "zarr.json").exists():
        raise LibraryError(
            f"{folder}: holds no array '{name}'. Name a library of 'saxinfer "
            "simulate', or files of curves."
        )
    return zarr.open_array(folder / name, mode="r")
