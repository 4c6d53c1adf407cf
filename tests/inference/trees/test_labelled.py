"""Mirrors src/saxinfer/inference/trees/labelled.py."""

from pathlib import Path

import numpy as np
import pytest
import torch

from saxinfer.curve import Curve
from saxinfer.inference.trees.labelled import (
    Labelled,
    from_library,
    quantities_of,
    seen_of,
    simulated,
)
from saxinfer.library import LibraryError, Recipe
from saxinfer.library.block import computed
from saxinfer.library.recipe import Noise
from saxinfer.library.store import Store, open_library
from saxinfer.preprocess.features import BINS, CHANNELS
from saxinfer.preprocess.prepare import prepare
from saxinfer.structures import MODELS, get_structure

SPHERE = get_structure("sphere")


def library(folder: Path, noise: Noise = "standard", model: str = "sphere") -> Path:
    """A library of thirty curves, made within this process."""
    recipe = Recipe(
        model,
        30,
        q=tuple(np.geomspace(0.05, 3, 40).tolist()),
        noise=noise,
        windows=(("radius_mean", 2.0, 20.0),) if model == "sphere" else (),
    )
    threads = torch.get_num_threads()
    with Store.opened(folder, recipe, resume=False, command="saxinfer simulate") as it:
        for number in it.missing:
            it.write(computed(recipe, number))
        it.finish()
    torch.set_num_threads(threads)
    return folder


@pytest.mark.parametrize("model", MODELS)
def test_every_column_of_a_model_has_its_label(model: str) -> None:
    structure = get_structure(model)
    found = quantities_of(structure)
    assert [q.name for q in found if q.kind == "parameter"] == [
        *structure.space.names,
        *(p.name for p in structure.dependent),
    ]
    derived = [p.name for p in structure.derived]
    assert [q.name for q in found if q.kind == "derived"] == derived
    assert all(q.prior_low < q.prior_high for q in found)


def test_the_papers_ten_columns_are_those_of_cellulose() -> None:
    found = quantities_of(get_structure("cellulose"))
    assert sum(q.kind == "parameter" for q in found) == 10


def test_a_curve_depends_on_the_seed_and_its_index_only() -> None:
    told: list[tuple[int, int, str]] = []
    five = simulated(SPHERE, 5, 1, lambda *now: told.append(now))
    eight, other = simulated(SPHERE, 8, 1), simulated(SPHERE, 5, 2)
    assert (eight.x[:5] == five.x).all()
    assert (eight.y[:5] == five.y).all()
    assert (other.y != five.y).all()
    assert five.x.shape == (5, CHANNELS * BINS)
    assert told == [(5, 5, "curves")]


def test_values_are_those_of_the_prior_and_agree_with_one_another() -> None:
    found = simulated(SPHERE, 60, 3)
    radius, std, diameter = found.y.T
    assert (diameter == 2 * radius).all()
    assert ((std / radius >= 0.001) & (std / radius <= 0.5)).all()
    # The logarithm is uniform: its mean has the error (range / root of 12) / root of n.
    share = np.log(radius / 0.5) / np.log(300)
    assert abs(share.mean() - 0.5) < 4 / np.sqrt(12 * 60)


def test_simulating_leaves_the_number_of_threads_alone() -> None:
    before = torch.get_num_threads()
    simulated(SPHERE, 1, 0)
    assert torch.get_num_threads() == before


def test_curves_of_a_library_are_seen_as_if_they_were_measured(tmp_path: Path) -> None:
    path = library(tmp_path / "x.zarr")
    found = from_library(path, SPHERE)
    data = open_library(path)
    q, intensity, sigma = (
        torch.from_numpy(np.array(data[name])) for name in ("q", "intensity", "sigma")
    )
    seen = seen_of(prepare(Curve(q, intensity[7], sigma[7])))
    assert (found.x[7] == seen).all()
    assert (found.y[:, 0] == np.array(data["radius_mean"])).all()
    assert (found.y[:, 2] == np.array(data["diameter"])).all()
    assert found.errors == "of the library"
    assert "x.zarr" in found.source
    # The library was drawn from a narrowed prior.
    ranges = {q.name: (q.prior_low, q.prior_high) for q in found.quantities}
    assert ranges["radius_mean"] == (2.0, 20.0)


def test_a_library_without_errors_gets_those_of_a_file_without(tmp_path: Path) -> None:
    path = library(tmp_path / "x.zarr", noise="none")
    found = from_library(path, SPHERE, 12)
    assert len(found.x) == len(found.y) == 12
    data = open_library(path)
    q, row = (torch.from_numpy(np.array(data[name])) for name in ("q", "intensity"))
    assert (found.x[3] == seen_of(prepare(Curve(q, row[3])))).all()
    assert found.errors == "estimated from the scatter of points"


def test_a_library_of_another_model_is_refused(tmp_path: Path) -> None:
    path = library(tmp_path / "x.zarr", model="core_shell_sphere")
    with pytest.raises(ValueError, match=r"a library of 'core_shell_sphere', but"):
        from_library(path, SPHERE)


def test_what_is_no_library_is_refused(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"there is no such folder"):
        from_library(tmp_path / "none.zarr", SPHERE)


def test_curves_and_values_belong_together() -> None:
    quantities = quantities_of(SPHERE)
    with pytest.raises(ValueError, match=r"2 curves with 3 quantities .* got 2 and 1"):
        Labelled(quantities, np.zeros((2, 4)), np.zeros((2, 1)), "", "")
