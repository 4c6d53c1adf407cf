"""Mirrors src/saxinfer/preprocess/noise.py."""

import pytest
import torch

from saxinfer.preprocess.noise import SMALLEST, estimated_sigma


def smooth(points: int) -> tuple[torch.Tensor, torch.Tensor]:
    q = torch.linspace(0.05, 3, points, dtype=torch.float64)
    return q, 1 / (1 + q**4) + 0.05


@pytest.mark.parametrize("relative", [0.01, 0.05, 0.2])
@pytest.mark.parametrize("points", [300, 1000])
def test_known_noise_is_found_within_thirty_percent(
    relative: float, points: int
) -> None:
    _, clean = smooth(points)
    generator = torch.Generator().manual_seed(0)
    sigma = relative * clean
    noise = torch.randn(points, generator=generator, dtype=torch.float64)
    gap = (estimated_sigma(clean + sigma * noise) / sigma).log()
    # Over many curves of 300 points the mean scatters by 0.085: this is three of it.
    assert float(gap.mean()) == pytest.approx(0, abs=0.26)
    # The median of 21 correlated residuals scatters by 0.35, point for point.
    assert float(gap.square().mean().sqrt()) < 0.5


def test_errors_follow_where_the_noise_grows() -> None:
    points = 600
    _, clean = smooth(points)
    sigma = torch.linspace(0.002, 0.05, points, dtype=torch.float64)
    generator = torch.Generator().manual_seed(0)
    noise = torch.randn(points, generator=generator, dtype=torch.float64)
    found = estimated_sigma(clean + sigma * noise)
    for part in torch.arange(points).view(3, 200):
        ratio = (found[part] / sigma[part]).log().mean().exp()
        assert float(ratio) == pytest.approx(1, abs=0.3)


def test_a_smooth_curve_has_errors_of_a_thousandth() -> None:
    _, clean = smooth(2000)
    assert torch.allclose(estimated_sigma(clean), SMALLEST * clean)


def test_a_single_outlier_does_not_widen_its_neighbourhood() -> None:
    points = 200
    _, clean = smooth(points)
    generator = torch.Generator().manual_seed(1)
    noisy = clean * (
        1 + 0.02 * torch.randn(points, generator=generator, dtype=torch.float64)
    )
    spoiled = noisy.clone()
    spoiled[100] *= 10
    ratio = estimated_sigma(spoiled) / estimated_sigma(noisy)
    neighbours = torch.cat([ratio[:100], ratio[101:]])
    # Five of a window's 21 residuals are spoiled: the median moves to the 66th percent.
    assert float(neighbours.max()) < 2


@pytest.mark.parametrize("points", [10, 11, 21])
def test_ten_points_are_enough(points: int) -> None:
    _, clean = smooth(points)
    found = estimated_sigma(clean)
    assert found.shape == (points,)
    assert bool((found > 0).all())


def test_zeros_and_negative_values_get_a_positive_error() -> None:
    values = torch.zeros(40, dtype=torch.float64)
    values[:10] = -1.0
    assert bool((estimated_sigma(values) > 0).all())
