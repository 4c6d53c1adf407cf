"""Mirrors src/saxinfer/structures/three_phase.py."""

import math

import pytest
import torch
from numpy.random import default_rng
from torch import Generator, Tensor

from saxinfer.structures.three_phase import ThreePhase, levels
from saxinfer.structures.two_phase import TwoPhase

MODEL = ThreePhase()
Q = torch.logspace(math.log10(0.003), math.log10(13), 80, dtype=torch.float64)

# k_mean, k_std, phi_interface, porosity, sld_interface
TYPICAL = (0.5, 0.2, 0.2, 0.3, 0.4)


def thetas(count: int, seed: int = 0) -> Tensor:
    return MODEL.space.sample(count, Generator().manual_seed(seed))


def one(**changes: float) -> Tensor:
    values = dict(zip(MODEL.space.names, TYPICAL, strict=True)) | changes
    return torch.tensor([list(values.values())], dtype=torch.float64)


def columns(theta: Tensor) -> dict[str, float]:
    names = [each.name for each in (*MODEL.dependent, *MODEL.derived)]
    parts = [MODEL.dependent_values(theta), MODEL.derived_values(theta)]
    return dict(zip(names, torch.cat(parts, -1)[0].tolist(), strict=True))


@pytest.mark.parametrize(("sld", "rarer"), [(0.0, 0.5), (1.0, 0.3)])
def test_an_interface_phase_like_pores_or_solid_leaves_two_phases(
    sld: float, rarer: float
) -> None:
    two = TwoPhase().intensity(Q, torch.tensor([[0.5, 0.2, rarer]]).double())
    found = MODEL.intensity(Q, one(sld_interface=sld))
    assert torch.allclose(found, two, rtol=1e-6)


def test_pores_and_solid_exchanged_scatter_the_same() -> None:
    theta = thetas(60)
    (mirrored,) = MODEL.mirrors(theta)
    assert bool(MODEL.space.admits(mirrored).all())
    found = MODEL.intensity(Q, mirrored)
    assert torch.allclose(found, MODEL.intensity(Q, theta), rtol=1e-6)
    assert torch.allclose(MODEL.mirrors(mirrored)[0], theta, atol=1e-12)


def test_fractions_add_up_to_one_and_levels_rise() -> None:
    theta = thetas(200)
    solid = MODEL.dependent_values(theta)[:, 0]
    assert torch.allclose(theta[:, 2] + theta[:, 3] + solid, torch.ones(200).double())
    first, second = levels(theta).unbind(-1)
    assert bool((first < second).all())
    assert torch.allclose(torch.special.ndtr(first), theta[:, 3], rtol=1e-9)
    assert torch.allclose(torch.special.ndtr(-second), solid, rtol=1e-9)


@pytest.mark.parametrize("sld", [-1.0, 0.4, 2.0])
def test_it_falls_at_high_q_with_both_surfaces_and_their_steps(sld: float) -> None:
    theta = one(k_mean=0.03, k_std=0.01, sld_interface=sld)
    found = columns(theta)
    steps = sld**2 * found["pore_surface"] + (1 - sld) ** 2 * found["solid_surface"]
    porod = float(MODEL.intensity(torch.tensor([12.0]).double(), theta)) * 12.0**4
    assert porod == pytest.approx(2 * math.pi * steps, rel=1e-3)


@pytest.mark.parametrize("sld", [-1.0, 0.4, 2.0])
def test_its_invariant_is_the_variance_of_the_density(sld: float) -> None:
    theta = one(sld_interface=sld)
    q = torch.logspace(-4, 2, 20001, dtype=torch.float64)
    section = MODEL.intensity(q, theta)[0]
    inner = float(torch.trapezoid(q**3 * section, q.log())) / (2 * math.pi**2)
    found = columns(theta)
    steps = sld**2 * found["pore_surface"] + (1 - sld) ** 2 * found["solid_surface"]
    tail = steps / (math.pi * 100)
    mean = 0.2 * sld + 0.5
    variance = 0.2 * sld**2 + 0.5 - mean**2
    assert inner + tail == pytest.approx(variance, rel=1e-4)


def test_chords_are_four_times_the_fraction_over_the_surface() -> None:
    found = columns(one())
    both = found["pore_surface"] + found["solid_surface"]
    assert found["specific_surface"] == pytest.approx(both)
    assert found["pore_chord"] * found["pore_surface"] == pytest.approx(4 * 0.3)
    assert found["interface_chord"] * both == pytest.approx(4 * 0.2)
    assert found["solid_chord"] * found["solid_surface"] == pytest.approx(4 * 0.5)


def test_what_is_measured_on_a_map_is_what_was_asked_for() -> None:
    theta = one(k_mean=1.0, k_std=0.3)[0]
    grid = MODEL.suggested_grid(theta)
    MODEL.refuse_unfit(theta, grid)
    drawn = MODEL.realise(theta, grid, default_rng(2))
    assert drawn.names == ("pore", "interface", "solid")
    assert float(drawn.density[drawn.phases == 1].max()) == pytest.approx(0.4)
    known = columns(theta[None]) | {"porosity": 0.3, "phi_interface": 0.2}
    found = MODEL.measured(drawn)
    assert set(found) == set(known)
    # One box of five waves: a tenth is three standard deviations of its fractions.
    for name, value in known.items():
        assert found[name] == pytest.approx(value, rel=0.1), name
