"""Drawn curves scatter about the closed form as their standard errors say."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch

from saxinfer.library import Box, LibraryError, Recipe
from saxinfer.library.drawn_curves import drawn_curves, expected, rings_of, told
from saxinfer.library.draws import drawn_parameters


def test_a_power_law_is_expected_of_its_neighbours() -> None:
    q = np.linspace(0.1, 3, 40)
    curve = 7 * q**-3.3
    assert np.allclose(expected(curve, q, np.arange(1.0, 41)), curve, rtol=1e-12)


def test_what_is_expected_of_a_point_does_not_depend_on_it() -> None:
    q = np.linspace(0.1, 3, 12)
    curve = q**-2
    for point in range(12):
        raised = curve.copy()
        raised[point] *= 2
        found = expected(raised, q, np.ones(12))[point] / curve[point]
        if point in (0, 11):
            # At the ends it counts among others.
            assert 1 < found < 2
        else:
            assert found == pytest.approx(1, rel=1e-12)


def test_weights_favour_full_rings() -> None:
    q = np.linspace(1, 2, 11)
    curve = np.ones(11)
    curve[3] = math.e
    light, heavy = np.ones(11), np.ones(11)
    light[3] = 1e-3
    heavy[3] = 1e3
    assert expected(curve, q, light)[5] < 1.01
    assert expected(curve, q, heavy)[5] > 1.5


def test_rings_are_about_the_q_that_are_asked_for(drawn: Recipe) -> None:
    wanted = tuple(np.linspace(0.6, 1.2, 10).tolist())
    assert drawn.box is not None
    rings = rings_of(replace(drawn, q=wanted))
    assert np.abs(rings.q - np.array(wanted)).max() < drawn.box.grid.step
    with pytest.raises(ValueError, match=r"can be trusted up to 1\.636 1/nm, but q"):
        rings_of(replace(drawn, q=tuple(np.linspace(0.6, 1.7, 10).tolist())))


def test_averaging_draws_other_structures(drawn: Recipe) -> None:
    assert drawn.box is not None
    twice = replace(drawn, box=replace(drawn.box, average=2))
    theta = drawn_parameters(drawn.space, drawn.seed, range(3))
    one, sigma = drawn_curves(drawn, theta, range(3))
    two, smaller = drawn_curves(twice, theta, range(3))
    assert one.shape == two.shape == (3, 10)
    assert (one != two).all()
    relative = (smaller / sigma) * (one / two)
    assert np.median(relative) == pytest.approx(1 / math.sqrt(2), rel=0.2)


def test_a_failing_curve_is_named(drawn: Recipe) -> None:
    theta = torch.tensor([[3.5, 0.5], [9.0, 0.5]]).double()
    sentence = r"curve 8 \(radius_mean=9, radius_std=0.5\) cannot be drawn: a box of"
    with pytest.raises(LibraryError, match=sentence):
        drawn_curves(drawn, theta, [7, 8])
    assert told(drawn, theta[0]) == "radius_mean=3.5, radius_std=0.5"


def test_speckle_is_the_scatter_of_cross_sections() -> None:
    pytest.importorskip("numba")
    # Many small crystals, and a box much larger than what the field is correlated over.
    values = {
        "alpha_mean": 1.5,
        "alpha_std": 0.3,
        "mu": 1.0,
        "phi_crystal": 0.2,
        "sld_grf1": 0.8,
        "sld_grf2": 0.1,
    }
    windows = tuple((name, value, value) for name, value in values.items())
    box = Box(640, 0.125, 2, rings=40)
    recipe = Recipe(
        "cellulose", 12, seed=1, engine="structure", windows=windows, box=box
    )
    theta = drawn_parameters(recipe.space, recipe.seed, range(12))
    curves, sigmas = drawn_curves(recipe, theta, range(12))
    aligned = type(recipe.structure)("aligned")  # type: ignore[call-arg]
    rings = rings_of(recipe)
    found = []
    for row, curve, sigma in zip(theta, curves, sigmas, strict=True):
        parameters = row[None]

        def closed(k: np.ndarray, parameters: torch.Tensor = parameters) -> np.ndarray:
            values = aligned.intensity(torch.from_numpy(k), parameters)
            return np.asarray(values[0].numpy())

        # A powder's factor of pi / q stands outside of the mean over a ring.
        truth = rings.mean_of(closed) * math.pi / rings.q
        found.append(((curve - truth) / sigma) ** 2)
    # 480 squares of about normal deviates: their mean scatters by 0.065 and, as the
    # sigmas themselves do by a tenth, lies up to 0.05 above one; four sigma.
    assert np.mean(found) == pytest.approx(1.02, abs=0.3)
