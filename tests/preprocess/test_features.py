"""Mirrors src/saxinfer/preprocess/features.py."""

import math

import pytest
import torch
from torch import Tensor

from saxinfer.instrument.tiers import Q_MAX, Q_MIN
from saxinfer.preprocess.features import BINS, CHANNELS, FINEST, features

# Features are kept in single precision and are of order one.
SINGLE = 1e-5


def curve(points: int = 120) -> tuple[Tensor, Tensor, Tensor]:
    q = torch.logspace(-1.5, 0.7, points, dtype=torch.float64)[None]
    generator = torch.Generator().manual_seed(0)
    intensity = 1 / (1 + (3 * q) ** 4) + 1e-3
    sigma = 0.05 * intensity
    noise = torch.randn(q.shape, generator=generator, dtype=torch.float64)
    return q, intensity + sigma * noise, sigma


def test_every_grid_gives_a_row_of_the_same_shape() -> None:
    for points in (10, 120, 3000):
        seen = features(*curve(points))
        assert seen.shape == (1, CHANNELS, BINS)
        assert seen.dtype == torch.float32
        assert bool(seen.isfinite().all())


@pytest.mark.parametrize("scale", [1e-9, 1e-3, 1e6])
def test_the_unit_of_the_intensity_does_not_matter(scale: float) -> None:
    q, intensity, sigma = curve()
    one, other = (
        features(q, intensity, sigma),
        features(q, scale * intensity, scale * sigma),
    )
    assert torch.allclose(one, other, atol=SINGLE)


def test_the_order_of_the_points_does_not_matter_but_their_place_does() -> None:
    q, intensity, sigma = curve()
    order = torch.randperm(q.shape[1], generator=torch.Generator().manual_seed(0))
    seen = features(q, intensity, sigma)
    shuffled = features(q[:, order], intensity[:, order], sigma[:, order])
    assert torch.allclose(seen, shuffled, atol=SINGLE)
    assert not torch.allclose(
        seen, features(q, intensity[:, order], sigma[:, order]), atol=0.1
    )


def test_points_that_no_instrument_reaches_are_left_out() -> None:
    q, intensity, sigma = curve()
    outside = torch.tensor([[Q_MIN / 2, Q_MAX * 1.01]], dtype=torch.float64)
    longer = torch.cat([outside[:, :1], q, outside[:, 1:]], 1)
    ends = torch.full((1, 1), 0.5, dtype=torch.float64)
    padded = [torch.cat([ends, values, ends], 1) for values in (intensity, sigma)]
    assert torch.allclose(
        features(longer, *padded), features(q, intensity, sigma), atol=SINGLE
    )


def test_a_bin_is_occupied_where_a_point_lies_and_zero_elsewhere() -> None:
    q, intensity, sigma = curve(30)
    seen = features(q, intensity, sigma)[0]
    place = (q[0] / Q_MIN).log() / math.log(Q_MAX / Q_MIN) * BINS
    expected = torch.zeros(BINS)
    expected[place.long()] = 1
    assert torch.equal(seen[2], expected)
    assert bool((seen[:2, expected == 0] == 0).all())


def test_two_equal_points_count_as_one_with_an_error_smaller_by_root_two() -> None:
    q, intensity, _ = curve(40)
    twice = intensity.repeat(1, 2)
    double = features(q.repeat(1, 2), twice, 0.1 * twice)
    single = features(q, intensity, 0.1 * intensity / math.sqrt(2))
    # The floor of a ten-thousandth on a point's error shifts the average a little.
    assert torch.allclose(double, single, atol=10 * FINEST)


def test_a_shift_in_ln_q_by_whole_bins_shifts_the_row() -> None:
    q, intensity, sigma = curve(40)
    step = math.log(Q_MAX / Q_MIN) / BINS
    moved = features(q * math.exp(7 * step), intensity, sigma)
    seen = features(q, intensity, sigma)
    assert torch.allclose(moved, seen.roll(7, -1), atol=SINGLE)


def test_a_negative_intensity_is_no_error() -> None:
    q, intensity, sigma = curve()
    seen = features(q, -intensity, sigma)
    assert bool(seen.isfinite().all())
