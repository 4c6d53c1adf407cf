"""``saxinfer realise``: a structure's pictures, curves and measured quantities."""

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile

pytest.importorskip("numba")

Run = Callable[..., Any]

BOX = ("--pixels", "500", "--pixel", "0.125")
SMALL = ("cellulose", "-p", "mu=1", "-p", "alpha_mean=1.5", *BOX)


def test_cellulose_is_drawn_with_its_curve_by_both_engines(
    run: Run, tmp_path: Path
) -> None:
    place = tmp_path / "new" / "drawn"
    done = run("realise", *SMALL, "-o", str(place))
    assert done.code == 0, done.err
    assert "surface_area" in done.out
    assert "crystal | amorphous 1" in done.out
    assert sorted(file.name for file in place.iterdir()) == [
        "curve.csv",
        "curve.png",
        "structure.json",
        "structure.npz",
        "structure.png",
        "two-point.png",
    ]
    told = json.loads((place / "structure.json").read_text())
    assert told["schema"] == "saxinfer/structure/1"
    assert told["grid"]["edge"] == 62.5
    assert told["columns"]["mu"] == {"unit": "1/nm", "nominal": 1.0, "measured": None}
    area = told["columns"]["surface_area"]
    assert area["measured"] == pytest.approx(area["nominal"], rel=0.15)
    assert sum(told["phases"].values()) == pytest.approx(1)
    with np.load(place / "structure.npz") as maps:
        assert maps["phases"].shape == maps["density"].shape == (500, 500)
        assert float(maps["pixel_nm"]) == 0.125
    with (place / "curve.csv").open() as file:
        rows = list(csv.reader(file))
    assert rows[0][0] == "q [1/nm]"
    table = np.array([row[:4] for row in rows[10:100]], dtype=float)
    # Single rings of one box: within five of their speckle errors.
    assert (np.abs(table[:, 1] - table[:, 3]) < 5 * table[:, 2]).all()


def test_a_cube_is_a_stack_that_knows_its_voxels(run: Run, tmp_path: Path) -> None:
    done = run(
        "realise", "sphere", "-p", "radius_mean=4", "-p", "radius_std=0.4",
        "--pixels", "64", "--pixel", "0.5", "-o", str(tmp_path / "s"), "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert any(name.endswith("structure.tif") for name in told["files"])
    with tifffile.TiffFile(tmp_path / "s" / "structure.tif") as stack:
        assert stack.asarray().shape == (64, 64, 64)
        metadata = stack.imagej_metadata
        assert metadata is not None
        assert metadata["spacing"] == 0.5
        assert metadata["unit"] == "nm"


def test_the_same_seed_draws_the_same(run: Run, tmp_path: Path) -> None:
    texts = []
    for name, seed in (("a", "3"), ("b", "3"), ("c", "4")):
        place = tmp_path / name
        assert run("realise", *SMALL, "--seed", seed, "-o", str(place)).code == 0
        texts.append((place / "curve.csv").read_text())
    assert texts[0] == texts[1] != texts[2]


def test_squares_are_another_structure(run: Run, tmp_path: Path) -> None:
    done = run("realise", *SMALL, "--shape", "square", "-o", str(tmp_path / "q"))
    assert done.code == 0, done.err
    told = json.loads((tmp_path / "q" / "structure.json").read_text())
    area = told["columns"]["surface_area"]
    # Of squares it is given by the same formula.
    assert area["measured"] == pytest.approx(area["nominal"], rel=0.15)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sphear"], "Unknown model 'sphear'"),
        (["sphere", "-p", "radius_mean=2..3"], "one value"),
        (["sphere", "-p", "radius_mean=900"], "not a range within the prior's"),
        (["sphere", "-p", "size=9"], "no free parameter 'size'"),
        (["sphere", "--shape", "square"], "square for cellulose"),
        (["cellulose", "--pixels", "64"], "too small for mu"),
        (["cellulose", "-p", "mu=1", "--pixel", "0.3"], "too coarse"),
        (["cellulose", "--pixels", "63"], "even number"),
        (["sphere", "-p", "radius_mean=1", "-p", "radius_std=0.9"], "radius_std"),
        (["sphere", "--pixel", "0.01"], "more than memory holds"),
    ],
)
def test_what_cannot_be_drawn_is_said_in_a_sentence(
    run: Run, tmp_path: Path, arguments: list[str], says: str
) -> None:
    done = run("realise", *arguments, "-o", str(tmp_path / "x"))
    assert done.code == 2
    assert says in done.err
    assert done.err.count("\n") == 1
    assert not (tmp_path / "x").exists()


def test_an_output_that_cannot_be_written_is_said(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = run("realise", *SMALL, "-o", str(tmp_path / "file" / "x"))
    assert done.code == 2
    assert "file" in done.err
