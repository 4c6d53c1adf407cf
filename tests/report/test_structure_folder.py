"""Mirrors src/saxinfer/report/structure_folder.py."""

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from saxinfer.report.structure_folder import (
    DrawnStructure,
    curve_csv,
    structure_document,
    write_structure,
)
from saxinfer.scattering.grid import Grid
from saxinfer.scattering.measured import Measured
from saxinfer.scattering.realisation import Realisation


@pytest.fixture
def half() -> DrawnStructure:
    """A box, half of it filled."""
    grid = Grid(32, 0.5)
    phases = np.zeros(grid.shape, np.uint8)
    phases[:16] = 1
    # A straight edge scatters in one direction only: some noise for the others.
    noise = np.random.default_rng(1).standard_normal(grid.shape)
    density = (phases + 0.01 * noise).astype(np.float32)
    drawn = Realisation(grid, phases, ("empty", "full"), density, np.empty(0))
    measured = Measured.of(drawn)
    return DrawnStructure(
        model="half",
        nominal={"filled": ("1", 0.5), "edge": ("1/nm", 0.125)},
        found={"filled": 0.5},
        drawn=drawn,
        measured=measured,
        intensity=measured.spectrum,
        closed=np.where(measured.rings.q < 2, measured.spectrum, np.nan),
        seed=7,
        command="saxinfer realise half",
    )


def test_the_document_sets_nominal_beside_measured(half: DrawnStructure) -> None:
    told = json.loads(json.dumps(structure_document(half), allow_nan=False))
    assert told["columns"]["filled"] == {"unit": "1", "nominal": 0.5, "measured": 0.5}
    assert told["columns"]["edge"]["measured"] is None
    assert told["phases"] == {"empty": 0.5, "full": 0.5}
    (edge,) = told["boundaries"]
    assert edge["between"] == ["empty", "full"]
    # Two straight lines of the box's edge; eight directions leave 6 %.
    assert edge["density"] == pytest.approx(2 / 16, rel=0.06)
    assert told["grid"] == {"pixels": 32, "pixel": 0.5, "edge": 16.0, "dimension": 2}
    assert told["seed"] == 7


def test_what_no_closed_form_says_is_left_empty_in_the_table(
    half: DrawnStructure,
) -> None:
    rows = list(csv.DictReader(io.StringIO(curve_csv(half))))
    assert len(rows) == len(half.measured.rings.q)
    empty = [row["I closed form"] == "" for row in rows]
    assert empty == (half.measured.rings.q >= 2).tolist()
    speckle = [float(row["speckle of I"]) for row in rows]
    expected = half.measured.spectrum * half.measured.rings.speckle
    assert np.allclose(speckle, expected, rtol=1e-5)


def test_a_failed_writing_leaves_nothing(half: DrawnStructure, tmp_path: Path) -> None:
    broken = replace(half, nominal={"filled": ("1", float("nan"))})
    with pytest.raises(ValueError, match="JSON"):
        write_structure(broken, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []


def test_writing_again_replaces_the_files(half: DrawnStructure, tmp_path: Path) -> None:
    first = write_structure(half, tmp_path / "out")
    again = write_structure(replace(half, seed=8), tmp_path / "out")
    assert first == again
    told = json.loads((tmp_path / "out" / "structure.json").read_text())
    assert told["seed"] == 8
