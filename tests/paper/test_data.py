"""The data set of the paper's experiment: its box, its split, what is shown of it."""

from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

from saxinfer.instrument.nuisance import log_q_weights
from saxinfer.library import LibraryError, Recipe
from saxinfer.library.block import q_of
from saxinfer.library.drawn_curves import rings_of
from saxinfer.library.store import Store
from saxinfer.paper.data import (
    Experiment,
    Split,
    paper_recipe,
    read_curves,
    stored_recipe,
)
from saxinfer.scattering.fourier import TRUSTED

Loaded = Callable[[Path], ModuleType]


@pytest.fixture(scope="module")
def made(loaded: Loaded) -> ModuleType:
    return loaded(Path(__file__).parents[1] / "report" / "made_paper.py")


@pytest.fixture
def small() -> Experiment:
    return Experiment(paper_recipe(40, pixels=768, points=30), 5)


def test_the_box_holds_the_waves_of_every_mu_and_q_ends_where_it_is_trusted() -> None:
    recipe = paper_recipe()
    assert recipe.box is not None
    edge = recipe.box.grid.edge
    assert recipe.windows == (("mu", 60 / edge, 1.0),)
    q = q_of(recipe)
    assert len(q) == 500
    # The last ring lies within the trusted part, and ends next to its end.
    assert 0.99 < q[-1] / (TRUSTED * recipe.box.grid.nyquist) <= 1


def test_all_but_mu_is_the_prior_of_the_model() -> None:
    recipe = paper_recipe(100)
    for parameter in recipe.structure.space:
        if parameter.name != "mu":
            bounds = recipe.structure.space.bounds(parameter.name)
            assert recipe.space.bounds(parameter.name) == bounds


@pytest.mark.parametrize("pixels", [512, 766])
def test_a_box_that_cannot_hold_the_model_is_refused(pixels: int) -> None:
    with pytest.raises(ValueError, match=f"768 pixels of 0.125 nm.* got {pixels}"):
        paper_recipe(100, pixels=pixels)


@pytest.mark.parametrize(("curves", "tests"), [(10, 3), (100, 21), (100, 2)])
def test_too_few_curves_for_the_tests_are_refused(curves: int, tests: int) -> None:
    with pytest.raises(ValueError, match=f"{tests} were asked for"):
        Experiment(paper_recipe(curves, pixels=768, points=12), tests)


def test_no_curve_is_both_learnt_from_and_tested_on(small: Experiment) -> None:
    split = Split.of(small)
    every = np.concatenate([split.train, split.test])
    assert sorted(every.tolist()) == list(range(40))
    assert len(split.test) == 8
    assert split.fitted.tolist() == split.test[:5].tolist()
    # Rows in their order would be no random choice: a chance of 1 in 40!.
    assert every.tolist() != list(range(40))


def test_the_split_follows_from_the_seed(small: Experiment) -> None:
    again = Experiment(small.recipe, 5)
    other = Experiment(small.recipe, 5, seed=43)
    assert Split.of(small).test.tolist() == Split.of(again).test.tolist()
    assert Split.of(small).test.tolist() != Split.of(other).test.tolist()


def test_a_library_is_read_as_it_was_written(
    made: ModuleType, small: Experiment, tmp_path: Path
) -> None:
    written = made.write_library(tmp_path / "x.zarr", small)
    found = read_curves(tmp_path / "x.zarr")
    assert stored_recipe(tmp_path / "x.zarr") == small.recipe
    assert found.columns == written.columns
    for name in ("q", "intensity", "sigma", "truth"):
        np.testing.assert_array_equal(getattr(found, name), getattr(written, name))


def test_truths_lie_within_the_bounds_of_their_columns(
    made: ModuleType, small: Experiment
) -> None:
    curves = made.made_curves(small)
    low, high = curves.bounds.T
    assert ((curves.truth >= low) & (curves.truth <= high)).all()
    assert [c.name for c in curves.columns][2:4] == ["pow_exp", "mu"]


def test_without_a_scale_curves_that_differ_by_a_factor_are_shown_alike(
    made: ModuleType, small: Experiment
) -> None:
    curves = made.made_curves(small)
    shown = curves.inputs("unknown")
    weights = log_q_weights(torch.from_numpy(curves.q)).numpy()
    # Sums of thirty numbers of order one, in double precision.
    np.testing.assert_allclose(shown @ weights, 1, rtol=1e-12)
    np.testing.assert_array_equal(curves.inputs("absolute"), curves.intensity)
    curves.intensity[:] *= 7
    np.testing.assert_allclose(curves.inputs("unknown"), shown, rtol=1e-12)


def test_drawn_curves_scatter_about_their_closed_form(
    made: ModuleType, small: Experiment
) -> None:
    curves = made.made_curves(small)
    rows = np.array([3, 1])
    pulls = (curves.intensity[rows] - curves.closed_form(rows)) / curves.sigma[rows]
    # 60 of variance one: 4 standard errors, a false alarm in 16,000.
    assert abs(pulls.mean()) < 4 / np.sqrt(pulls.size)
    assert pulls.std() == pytest.approx(1, abs=4 / np.sqrt(2 * pulls.size))


@pytest.mark.parametrize("error", [0.0, 0.05])
def test_the_error_of_whole_curves_is_found_below_the_speckle(
    made: ModuleType, small: Experiment, error: float
) -> None:
    curves = made.made_curves(small)
    factors = 1 + error * np.random.default_rng(3).standard_normal(40)
    curves.intensity[:] *= factors[:, None]
    speckle = rings_of(small.recipe).speckle
    found = curves.scale_error(np.arange(40), speckle)
    # 30 rings of about 1/16 to 1/100 tell a curve to 0.5 %, an rms of 40 to a ninth.
    smallest = 1 / np.sqrt((speckle**-2).sum())
    assert found == pytest.approx(error, abs=max(0.45 * error, 0.8 * smallest))


def test_a_library_of_another_kind_is_refused(tmp_path: Path) -> None:
    recipe = Recipe("cellulose", 10, q=tuple(0.1 * n for n in range(1, 20)))
    with Store.opened(tmp_path / "x.zarr", recipe, resume=False, command="") as store:
        store.finish()
    with pytest.raises(ValueError, match="by the closed-form engine"):
        stored_recipe(tmp_path / "x.zarr")


def test_a_library_that_is_not_complete_is_refused(
    small: Experiment, tmp_path: Path
) -> None:
    folder = tmp_path / "x.zarr"
    with Store.opened(folder, small.recipe, resume=False, command="made"):
        pass
    with pytest.raises(LibraryError, match="not complete"):
        read_curves(folder)
