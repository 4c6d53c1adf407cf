"""Mirrors src/saxinfer/structures/core_shell_sphere.py."""

import math

import pytest
import torch
from torch import Tensor

from saxinfer.structures.core_shell_sphere import MATCHED, CoreShellSphere
from saxinfer.structures.sphere import Sphere

MODEL = CoreShellSphere()
Q = torch.logspace(-2, 1, 80, dtype=torch.float64)


def row(*values: float) -> Tensor:
    return torch.tensor([values], dtype=torch.float64)


def test_at_45_degrees_it_is_a_homogeneous_sphere() -> None:
    found = MODEL.intensity(Q, row(6.0, 0.6, 2.0, math.pi / 4))
    # Both contrasts are the root of a half there.
    exact = 0.5 * Sphere().intensity(Q, row(6.0, 0.6))
    assert torch.allclose(found, exact, rtol=1e-9)


def test_at_zero_the_shell_is_matched_and_the_core_alone_scatters() -> None:
    found = MODEL.intensity(Q, row(6.0, 0.6, 2.0, 0.0))
    # Per volume of the whole particle.
    exact = (4 / 6) ** 3 * Sphere().intensity(Q, row(4.0, 0.4))
    assert torch.allclose(found, exact, rtol=2e-3)


def test_both_ends_of_the_angle_are_the_same_hollow_sphere() -> None:
    ends = [row(6.0, 0.6, 1.5, sign * math.pi / 2) for sign in (-1, 1)]
    low, high = (MODEL.intensity(Q, end) for end in ends)
    assert torch.allclose(low, high, rtol=1e-6)
    assert torch.allclose(MODEL.mirrors(ends[0])[0], ends[1])


def test_a_thin_hollow_sphere_has_its_zeros_at_multiples_of_pi() -> None:
    q = torch.linspace(0.4, 0.7, 3001, dtype=torch.float64)
    curve = MODEL.intensity(q, row(6.0, 0.006, 0.06, math.pi / 2))[0]
    # A shell scatters as (sin qR / qR)² at its middle radius.
    assert float(q[curve.argmin()]) * 5.97 == pytest.approx(math.pi, abs=5e-3)


@pytest.mark.parametrize("angle", [-1.2, -0.5, 0.3, 1.4])
def test_its_invariant_is_the_mean_square_of_the_contrast(angle: float) -> None:
    mean, spread, ratio = 6.0, 0.3, 0.7
    q = torch.linspace(1e-4, 20, 20_001, dtype=torch.float64)
    theta = row(mean, spread * mean, (1 - ratio) * mean, angle)
    curve = MODEL.intensity(q, theta)[0]
    core, shell = math.cos(angle), math.sin(angle)
    surface = 3 / (mean * (1 + spread**2) ** 2)
    porod = 2 * math.pi * surface * (shell**2 + (core - shell) ** 2 * ratio**2)
    found = float(torch.trapezoid(q**2 * curve, q)) + porod / float(q[-1])
    mean_square = core**2 * ratio**3 + shell**2 * (1 - ratio**3)
    assert found == pytest.approx(2 * math.pi**2 * mean_square, rel=2e-3)


def test_inner_radius_and_contrast_follow_from_thickness_and_angle() -> None:
    found = MODEL.derived_values(row(6.0, 0.6, 1.5, math.atan2(1, -2) - math.pi))
    assert found[0].tolist() == pytest.approx([4.5, -2.0])
    matched = MODEL.derived_values(row(6.0, 0.6, 1.5, 0.0))
    assert float(matched[0, 1]) == MATCHED
    hollow = MODEL.derived_values(row(6.0, 0.6, 1.5, math.pi / 2))
    assert float(hollow[0, 1]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("angle", [0.02, -0.16, 0.3, 0.86])
def test_steps_in_the_other_order_scatter_the_same_where_surfaces_are_flat(
    angle: float,
) -> None:
    """The curves differ by a factor, and by less the smaller the shell's share is."""
    q = torch.linspace(1, 4, 400, dtype=torch.float64)
    differ = []
    for radius in (30.0, 120.0):
        theta = row(radius, 0.1 * radius, 2.0, angle)
        (turned,) = MODEL.lookalikes(theta)
        outer, inner = abs(math.sin(angle)), abs(math.cos(angle) - math.sin(angle))
        # The larger step stays where it was.
        moved = radius + 2 if outer > inner else radius - 2
        assert float(turned[0, 0]) == pytest.approx(moved)
        assert torch.allclose(MODEL.lookalikes(turned)[0], theta)
        ratio = (MODEL.intensity(q, turned) / MODEL.intensity(q, theta))[0]
        differ.append(float((ratio / ratio.median()).log().abs().max()))
    assert differ[1] < 0.35 * differ[0]
    assert differ[1] < 0.1


def test_a_shell_that_fills_the_particle_is_not_turned_out_of_it() -> None:
    (turned,) = MODEL.lookalikes(row(6.0, 0.6, 5.9, 0.01))
    assert float(turned[0, 0]) > 0
