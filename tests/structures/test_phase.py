"""Phases of every structure: shapes, fractions, and numbers worked out by hand."""

import math

import pytest
import torch
from torch import Generator

from saxinfer.structures import MODELS, Structure
from saxinfer.structures.phase import Phase

every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
NAN = math.nan

# A clipped field whose wavenumbers have mean 1 and spread 0.5, K² = 1.25⁵:
# S = 2/π K/√3 exp(-t²/2), Φ(t) the fraction; a mean chord is 4 φ / S.
HALF = 2 / math.pi * math.sqrt(1.25**5 / 3)
THIRTY = HALF * math.exp(-(0.5244005127080407**2) / 2)

# Log-normal radii with mean 20, spread 10 %: <R²> = 404, <R³> = 8242.408; the shell is
# 5 thick in all of them.
CORE = (8242.408 - 3 * 5 * 404 + 3 * 25 * 20 - 125) / 8242.408

# Parameters of each model; fraction, contrast and length of each of its phases.
KNOWN: dict[str, tuple[list[float], list[list[float]]]] = {
    "sphere": ([5.0, 0.5], [[NAN, NAN, 5.0]]),
    "core_shell_sphere": (
        [10.0, 1.0, 2.0, -math.pi / 3],
        [[0.512, -0.5, 8.0], [0.488, math.sqrt(0.75), 2.0]],
    ),
    "cellulose": (
        [1.5, 0.3, 2.5, 0.5, 0.7, 0.2, 0.5, 0.3],
        [[0.5, 1.0, 1.5], [0.3, 0.7, NAN], [0.2, 0.2, NAN]],
    ),
    "two_phase": (
        [1.0, 0.5, 0.3],
        [[0.3, 1.0, 1.2 / THIRTY], [0.7, 0.0, 2.8 / THIRTY]],
    ),
    "three_phase": (
        [1.0, 0.5, 0.2, 0.3, 0.4],
        [
            [0.3, 0.0, 1.2 / THIRTY],
            [0.2, 0.4, 0.8 / (THIRTY + HALF)],
            [0.5, 1.0, 2.0 / HALF],
        ],
    ),
    # Hexagonal packing: 2π/√3 (2/4)² (1 + 0.2²).
    "wood": (
        [4.0, 1.0, 0.2, 0.3, 1.0, 0.5, 1e-3, 4.0],
        [[2 * math.pi / math.sqrt(3) / 16 * 1.04, NAN, 2.0]],
    ),
    "lnp": (
        [20.0, 0.1, 5.0, 0.5, 1.2, 0.8, 0.08, 0.8, 0.08, 0.7],
        # The period is close to 2π/0.8; test_lnp.py holds it to its definition.
        [[CORE, 0.5, 2 * math.pi / 0.8], [1 - CORE, 0.8, 5.0]],
    ),
}


def test_a_phase_says_nothing_that_it_was_not_given() -> None:
    assert Phase("pores") == Phase("pores", fraction="", contrast="", length="")


def test_every_listed_model_has_numbers_to_be_held_against() -> None:
    assert set(KNOWN) == set(MODELS)


@every_model
def test_phases_have_their_known_values(model: Structure) -> None:
    values, expected = KNOWN[model.name]
    theta = torch.tensor([values], dtype=torch.float64)
    assert bool(model.space.admits(theta).all())
    (found,) = model.phase_values(theta)
    exact = torch.tensor(expected, dtype=torch.float64)
    # The period of an interior has no closed form: three per cent of its estimate.
    tolerance = torch.full_like(exact, 1e-6)
    if model.name == "lnp":
        tolerance[0, 2] = 0.03
    assert found.shape == exact.shape
    assert torch.equal(found.isnan(), exact.isnan())
    gap = ((found - exact).abs() <= tolerance * exact.abs() + 1e-12) | exact.isnan()
    assert bool(gap.all()), (found, exact)


@every_model
def test_fractions_are_shares_and_those_of_several_phases_sum_to_one(
    model: Structure,
) -> None:
    theta = model.space.sample(500, Generator().manual_seed(0))
    values = model.phase_values(theta)
    assert values.shape == (500, len(model.phases), 3)
    assert values.dtype == theta.dtype
    fractions = values[..., 0]
    stated = fractions[fractions.isfinite()]
    assert bool(((stated >= -1e-12) & (stated <= 1 + 1e-12)).all())
    if len(model.phases) > 1:
        ones = torch.ones(500, dtype=theta.dtype)
        assert torch.allclose(fractions.sum(-1), ones, atol=1e-9)


@every_model
def test_every_value_has_a_meaning_and_every_meaning_a_value(model: Structure) -> None:
    theta = model.space.sample(500, Generator().manual_seed(1))
    values = model.phase_values(theta)
    assert model.phases
    assert len({phase.name for phase in model.phases}) == len(model.phases)
    for place, phase in enumerate(model.phases):
        words = (phase.fraction, phase.contrast, phase.length)
        for kind, word in enumerate(words):
            known = values[:, place, kind].isfinite()
            assert bool(known.all() if word else not known.any()), (phase.name, word)
    lengths = values[..., 2]
    assert bool((lengths[lengths.isfinite()] > 0).all())


@every_model
def test_special_cases_are_other_listed_models(model: Structure) -> None:
    assert set(model.special_cases) <= set(MODELS) - {model.name}


def test_a_sign_that_both_contrasts_share_is_not_told() -> None:
    model = MODELS["core_shell_sphere"]
    # Both ends of the angle are one hollow sphere.
    rows = [[10.0, 1.0, 2.0, sign * math.pi / 2] for sign in (-1, 1)]
    ends = torch.tensor(rows, dtype=torch.float64)
    first, last = model.phase_values(ends)
    assert torch.allclose(first, last, atol=1e-12)


def test_a_structure_that_says_nothing_of_its_phases_has_no_values() -> None:
    class Silent(type(MODELS["sphere"])):  # type: ignore[misc]
        phases = ()
        phase_values = Structure.phase_values

    values = Silent().phase_values(torch.ones(4, 2, dtype=torch.float64))
    assert values.shape == (4, 0, 3)
