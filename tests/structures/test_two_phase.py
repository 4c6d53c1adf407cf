"""Mirrors src/saxinfer/structures/two_phase.py."""

import math

import pytest
import torch
from numpy.random import default_rng
from torch import Generator, Tensor

from saxinfer.structures.two_phase import TwoPhase

MODEL = TwoPhase()
Q = torch.logspace(math.log10(0.003), math.log10(13), 80, dtype=torch.float64)


def thetas(count: int, seed: int = 0) -> Tensor:
    return MODEL.space.sample(count, Generator().manual_seed(seed))


def derived(theta: Tensor) -> dict[str, float]:
    names = [each.name for each in MODEL.derived]
    return dict(zip(names, MODEL.derived_values(theta)[0].tolist(), strict=True))


def test_pores_and_solid_exchanged_scatter_the_same() -> None:
    theta = thetas(30)
    exchanged = theta.clone()
    exchanged[:, 2] = 1 - theta[:, 2]
    found = MODEL.intensity(Q, exchanged)
    assert torch.allclose(found, MODEL.intensity(Q, theta), rtol=1e-9)


def test_the_prior_holds_one_of_the_two_only() -> None:
    assert MODEL.space.bounds("porosity") == (0.05, 0.5)
    assert MODEL.mirrors(thetas(3)).shape[0] == 0


def test_waves_twice_as_long_scatter_eight_times_at_half_the_angle() -> None:
    theta = torch.tensor([[0.4, 0.2, 0.3], [0.2, 0.1, 0.3]]).double()
    grids = torch.stack([2 * Q[:60], Q[:60]])
    short, long = MODEL.intensity(grids, theta)
    assert torch.allclose(long, 8 * short, rtol=1e-9)


def test_the_curve_peaks_at_the_wavenumber_of_a_narrow_spectrum() -> None:
    q = torch.linspace(0.2, 2, 1801, dtype=torch.float64)
    theta = torch.tensor([[1.0, 0.1, 0.5]]).double()
    peak = float(q[MODEL.intensity(q, theta)[0].argmax()])
    # The mode of a log-normal is its mean over (1 + 0.1²)^1.5.
    assert peak == pytest.approx(1.01**-1.5, abs=0.003)


def test_it_falls_at_high_q_with_its_surface() -> None:
    theta = torch.tensor([[0.05, 0.02, 0.2]]).double()
    area = derived(theta)["specific_surface"]
    q = torch.tensor([10.0]).double()
    # The next term is of the order (K / q)².
    porod = float(MODEL.intensity(q, theta)) * 1e4
    assert porod == pytest.approx(2 * math.pi * area, rel=1e-3)


def test_the_surface_of_an_even_material_is_its_closed_form() -> None:
    # S_V = 2 K / (pi sqrt 3) at half pores, here with K² = 2^5.
    theta = torch.tensor([[1.0, 1.0, 0.5]]).double()
    exact = 2 * math.sqrt(32 / 3) / math.pi
    assert derived(theta)["specific_surface"] == pytest.approx(exact, rel=1e-9)


def test_chords_share_the_volume_and_meet_at_the_surface() -> None:
    found = derived(torch.tensor([[0.5, 0.2, 0.2]]).double())
    both = found["pore_chord"] + found["solid_chord"]
    assert found["pore_chord"] / both == pytest.approx(0.2)
    assert both * found["specific_surface"] == pytest.approx(4)


def test_what_is_measured_on_a_map_is_what_was_asked_for() -> None:
    theta = torch.tensor([1.0, 0.3, 0.3]).double()
    grid = MODEL.suggested_grid(theta)
    MODEL.refuse_unfit(theta, grid)
    drawn = MODEL.realise(theta, grid, default_rng(2))
    found, nominal = MODEL.measured(drawn), derived(theta[None])
    assert drawn.names == ("pore", "solid")
    assert float(drawn.density[drawn.phases == 0].max()) == 0
    # One box of five waves: a tenth is three standard deviations of its porosity.
    for name, value in {**nominal, "porosity": 0.3}.items():
        assert found[name] == pytest.approx(value, rel=0.1), name
