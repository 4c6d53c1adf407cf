"""The folder of a drawn structure: pictures, tables, and maps for other programs.

``structure.png``: phase map and density; ``curve.png``: the curve by both engines;
``two-point.png``; ``structure.npz``: the maps; ``structure.tif``: the phase map of a
cube as a stack, voxel size included; ``curve.csv``; ``structure.json``.
"""

import csv
import io
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray

from saxinfer.report.folder import written_beside
from saxinfer.scattering.measured import Measured
from saxinfer.scattering.realisation import Realisation
from saxinfer.version import VERSION

__all__ = ["DrawnStructure", "structure_document", "write_structure"]

SCHEMA: Final = "saxinfer/structure/1"


@dataclass(frozen=True, eq=False)
class DrawnStructure:
    """A drawn structure with its curve by both engines.

    Attributes:
        model: Name of the model.
        nominal: Columns of the model, by name: unit and value.
        found: Those that were measured from the map, by name.
        drawn: The maps.
        measured: Boundaries, two-point functions and spectrum.
        intensity: Curve of the map at ``measured.rings.q`` [the model's unit].
        closed: Closed form averaged over the same rings; NaN beyond where it is known.
        seed: Seed of the drawing.
        command: Command line.
    """

    model: str
    nominal: dict[str, tuple[str, float]]
    found: dict[str, float]
    drawn: Realisation
    measured: Measured
    intensity: Float[ndarray, " ring"]
    closed: Float[ndarray, " ring"]
    seed: int
    command: str


def structure_document(structure: DrawnStructure) -> dict[str, Any]:
    """What was drawn and measured, for JSON; lengths in nm, q in 1/nm."""
    drawn, measured = structure.drawn, structure.measured
    return {
        "schema": SCHEMA,
        "model": structure.model,
        "columns": {
            name: {
                "unit": unit,
                "nominal": value,
                "measured": structure.found.get(name),
            }
            for name, (unit, value) in structure.nominal.items()
        },
        "phases": dict(zip(drawn.names, drawn.fractions, strict=True)),
        "particles": len(drawn.radii),
        "boundaries": [
            {
                "between": list(edge.phases),
                "unit": "1/nm",
                "density": edge.density,
                "pixel_error": edge.error,
            }
            for edge in measured.boundaries
        ],
        "grid": {
            "pixels": drawn.grid.pixels,
            "pixel": drawn.grid.pixel,
            "edge": drawn.grid.edge,
            "dimension": drawn.grid.dimension,
        },
        "trusted_q": measured.trusted,
        "seed": structure.seed,
        "command": structure.command,
        "saxinfer": VERSION,
    }


def write_structure(structure: DrawnStructure, path: Path) -> list[Path]:
    """Writes all files of a structure; returns their paths.

    Raises:
        OSError: If they cannot be written there.
        ImportError: If a cube is to be written and tifffile is not installed.
    """
    from saxinfer.report.figures.structure import (
        both_engines_figure,
        map_figure,
        two_point_figure,
    )

    path.parent.mkdir(parents=True, exist_ok=True)
    with written_beside(path) as folder:
        map_figure(structure.drawn).savefig(folder / "structure.png", dpi=200)
        both_engines_figure(structure).savefig(folder / "curve.png", dpi=200)
        two_point_figure(structure).savefig(folder / "two-point.png", dpi=200)
        _write_maps(structure.drawn, folder)
        (folder / "curve.csv").write_text(curve_csv(structure), encoding="utf-8")
        text = json.dumps(structure_document(structure), indent=2, allow_nan=False)
        (folder / "structure.json").write_text(text + "\n", encoding="utf-8")
        names = sorted(file.name for file in folder.iterdir())
    return [path / name for name in names]


def curve_csv(structure: DrawnStructure) -> str:
    """The curve by both engines as a table."""
    measured = structure.measured
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(
        [
            "q [1/nm]",
            "I drawn",
            "speckle of I",
            "I closed form",
            "share folded back [1]",
        ]
    )
    share = measured.folded / measured.spectrum
    rows = zip(
        measured.rings.q,
        structure.intensity,
        structure.intensity * measured.rings.speckle,
        structure.closed,
        share,
        strict=True,
    )
    writer.writerows(
        [f"{x:.7g}" if np.isfinite(x) else "" for x in row] for row in rows
    )
    return text.getvalue()


def _write_maps(drawn: Realisation, folder: Path) -> None:
    """The maps as arrays, and those of a cube as a stack of pictures."""
    np.savez_compressed(
        folder / "structure.npz",
        phases=drawn.phases,
        density=drawn.density,
        names=np.array(drawn.names),
        pixel_nm=drawn.grid.pixel,
        radii_nm=drawn.radii,
    )
    if drawn.grid.dimension == 3:
        _write_stack(drawn, folder / "structure.tif")


def _write_stack(drawn: Realisation, file: Path) -> None:
    try:
        import tifffile
    except ImportError as error:
        raise ImportError(
            "writing a stack of pictures needs tifffile. Install it with "
            "pip install 'saxinfer[structures]'."
        ) from error
    pixel = drawn.grid.pixel
    # In the form of ImageJ, which tells the size of a voxel.
    tifffile.imwrite(
        file,
        drawn.phases,
        imagej=True,
        resolution=(1 / pixel, 1 / pixel),
        metadata={"axes": "ZYX", "unit": "nm", "spacing": pixel},
    )
