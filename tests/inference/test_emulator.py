"""Mirrors src/saxinfer/inference/emulator.py."""

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.inference.emulator import CURVES, FARTHEST, Emulator


def cloud(count: int, size: int, seed: int = 0) -> Tensor:
    """Places in a slanted, thin cloud far from the origin."""
    z = torch.randn(
        count, size, generator=Generator().manual_seed(seed), dtype=torch.float64
    )
    mixed = z.clone()
    mixed[:, 0] = 5 + 1e-3 * z[:, 0] + 0.01 * z[:, 1]
    return mixed


def cubic(points: Tensor) -> Tensor:
    """Three outputs, cubics in all columns."""
    x, y, z = (points - points.new_tensor([5.0, 0.0, 0.0])).unbind(1)
    x = 100 * x
    return torch.stack([1 + x * y * z, x**3 - 2 * y + 0.1, y**2 * z - x], 1)


def even(points: Tensor) -> Tensor:
    """All curves fit alike."""
    return points.new_zeros(len(points))


def test_a_polynomial_is_found_exactly() -> None:
    known, new = cloud(400, 3), cloud(200, 3, seed=1)
    emulator = Emulator.fitted(known, cubic(known), even(known))
    assert emulator.degree >= 3
    found, distrust = emulator(new)
    error = (found - cubic(new)).abs().amax(1)
    # The ridge shows beyond all that was known.
    assert float(error.quantile(0.9)) < 1e-4
    assert float(error.max()) < 0.05
    assert float(distrust.max()) == 0


@pytest.mark.parametrize(("count", "degree"), [(8, 1), (30, 2), (60, 3), (105, 4)])
def test_more_curves_make_a_higher_degree(count: int, degree: int) -> None:
    known = cloud(count, 3)
    emulator = Emulator.fitted(known, cubic(known), even(known))
    assert emulator.degree == degree
    terms = emulator.coefficients.shape[0]
    assert degree == 1 or CURVES * terms <= count


def test_bad_curves_do_not_spoil_good_ones() -> None:
    known = cloud(1500, 3)
    outputs, misfit = cubic(known), even(known)
    outputs[1000:] += 50.0
    misfit[1000:] = 200.0
    found, _ = Emulator.fitted(known, outputs, misfit)(known[:1000])
    assert torch.allclose(found, outputs[:1000], atol=1e-4)


def test_it_is_not_trusted_far_from_good_curves_but_stays_finite() -> None:
    known = cloud(400, 3)
    misfit = even(known)
    # Bad curves beside good ones do not widen what is trusted.
    misfit[known[:, 2] > 1] = 40.0
    emulator = Emulator.fitted(known, cubic(known), misfit)
    steps = torch.tensor([0.0, 2.0, 6.0, 20.0, 60.0], dtype=torch.float64)
    away = known.mean(0).repeat(len(steps), 1)
    away[:, 2] += steps
    found, distrust = emulator(away)
    assert float(distrust[0]) == 0
    assert bool((distrust[2:].diff() > 0).all())
    assert float(distrust[2]) > 10
    assert bool(found.isfinite().all())
    # Terms stop growing.
    far = away[-1:] + away.new_tensor([[0.0, 0.0, 1e6]])
    assert torch.allclose(emulator(far)[0], found[-1:], rtol=1e-6)
    assert float(emulator.far) + 10 > FARTHEST


def test_a_coordinate_that_a_user_fixed_does_no_harm() -> None:
    known, new = cloud(400, 3), cloud(50, 3, seed=1)
    known[:, 1], new[:, 1] = 0.7, 0.7
    emulator = Emulator.fitted(known, cubic(known), even(known))
    assert torch.allclose(emulator(new)[0], cubic(new), atol=1e-3)
