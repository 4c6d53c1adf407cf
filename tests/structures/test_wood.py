"""Mirrors src/saxinfer/structures/wood.py."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from saxinfer.structures.wood import Wood

MODEL = Wood()


def row(**known: float) -> Tensor:
    default = {
        "spacing": 4.0,
        "radius": 1.3,
        "radius_rel_std": 0.2,
        "spacing_rel_std": 0.35,
        "gauss_amplitude": 1e-3,
        "gauss_width": 0.4,
        "power_amplitude": 1e-7,
        "power_exponent": 4.0,
    }
    values = default | known
    return torch.tensor([[values[name] for name in MODEL.space.names]]).double()


def test_the_published_value_is_met() -> None:
    # The authors' own check: q = 0.08 1/Å, sigma 0.04 1/Å, B 0.1, C 1e-8 Å^-4,
    # background 0.05, in units in which single fibrils start at pi / 4.
    theta = row(gauss_amplitude=0.1, power_amplitude=1e-4)
    found = MODEL.intensity(torch.tensor([0.8]).double(), theta)
    assert float(found) + 0.05 == pytest.approx(0.341487, rel=2e-6)


def test_the_authors_curve_is_met(measured: Callable[[str], Path]) -> None:
    q, exact = torch.from_numpy(np.loadtxt(measured("woodsas_ref_B.dat"))).T
    theta = row(
        spacing=4.15,
        radius=1.13,
        radius_rel_std=0.22,
        spacing_rel_std=0.38,
        gauss_amplitude=0.12,
        gauss_width=0.25,
        power_amplitude=1e-4,
    )
    found = MODEL.intensity(10 * q, theta)[0] + 0.01
    assert float((found / exact - 1).abs().max()) < 1e-6


def test_the_published_chart_is_met_where_it_is_right(
    measured: Callable[[str], Path],
) -> None:
    chart = np.loadtxt(measured("woodsas_marketplace_chart.csv"), delimiter=",")
    q, exact = torch.from_numpy(chart[chart[:, 0] > 0.12]).T
    # The chart has no Gaussian; what is left of ours is beyond its digits there.
    theta = row(power_amplitude=1e-4, gauss_width=0.05)
    found = MODEL.intensity(10 * q, theta)[0] + 0.001
    assert float((found / exact - 1).abs().max()) < 1e-4


def test_disorder_moves_the_peak_far_below_its_place() -> None:
    # Published: R = 1.1 nm, spread 0.2, a = 4 nm peak at 1.65 and at 1.33 1/nm, where
    # rows of fibrils are 2 pi / (0.866 a) = 1.81 1/nm apart.
    q = torch.linspace(0.8, 3, 2201, dtype=torch.float64)
    for spread, exact in ((0.2, 1.65), (0.35, 1.33)):
        theta = row(radius=1.1, spacing_rel_std=spread)
        peak = float(q[MODEL.intensity(q, theta)[0].argmax()])
        assert peak == pytest.approx(exact, abs=0.01)


def test_diameter_and_packing_follow() -> None:
    theta = row(radius=2.0, spacing=4.0, radius_rel_std=0.1)
    diameter, packing = MODEL.derived_values(theta)[0].tolist()
    assert diameter == pytest.approx(4.0)
    # Touching disks cover pi / (2 sqrt 3) of the plane.
    assert packing == pytest.approx(1.01 * 0.9069, rel=1e-4)


def test_fibrils_do_not_overlap_in_the_mean() -> None:
    theta = MODEL.space.sample(1000, torch.Generator().manual_seed(1))
    assert bool((2 * theta[:, 1] <= theta[:, 0]).all())


def test_a_curve_is_one_smooth_side_below_its_kink_and_the_other_above() -> None:
    theta = MODEL.space.sample(50, torch.Generator().manual_seed(2))
    q = torch.logspace(-2, 1, 300, dtype=torch.float64)
    below, above = MODEL.sides(q, theta)
    lower = q < MODEL.kink(theta)[:, None]
    whole = MODEL.intensity(q, theta)
    assert torch.allclose(torch.where(lower, below, above), whole, rtol=1e-13)
    assert not torch.allclose(below[~lower], whole[~lower], rtol=0.01)


def test_disorder_shortens_the_reach() -> None:
    theta = row().repeat(3, 1)
    theta[:, 3] = torch.tensor([0.1, 0.2, 0.5])
    reach = MODEL.reach(theta) / theta[:, 0]
    assert reach.tolist() == pytest.approx([12, 3, 2])
