"""Mirrors src/saxinfer/instrument/observation.py."""

import numpy as np
import numpy.typing as npt
import pytest
import torch
from scipy import stats
from scipy.integrate import quad
from torch import Tensor

from saxinfer.instrument.groups import Groups
from saxinfer.instrument.nuisance import ESTIMATED_SIGMA, MEASURED_SIGMA
from saxinfer.instrument.observation import (
    Observation,
    log_likelihood,
    smearing,
)

Array = npt.NDArray[np.float64]


def fringes(q: Array) -> Array:
    """A Guinier region, fringes of period 1 nm⁻¹ on a q^-4 tail, a background."""
    tail = (1 + np.cos(6 * q)) / (1 + (3 * q) ** 4)
    return np.asarray(np.exp(-((3 * q) ** 2) / 3) + tail + 1e-3)


def gaussian_mean(q: float, width: float) -> float:
    """Mean of ``fringes`` under a Gaussian about q, where q is positive."""

    def bell(x: float) -> float:
        return float(np.exp(-0.5 * ((x - q) / width) ** 2))

    low, high = max(q - 9 * width, 0), q + 9 * width
    options = {"points": [q], "epsabs": 0, "epsrel": 1e-9, "limit": 200}
    norm = quad(bell, low, high, **options)[0]
    total = quad(lambda x: bell(x) * float(fringes(x)), low, high, **options)[0]
    return float(total / norm)


def worst_error(q: Array, width: Array) -> float:
    grid, matrix = smearing(torch.from_numpy(q), torch.from_numpy(width))
    found = fringes(grid.numpy()) @ matrix.numpy()
    exact = [gaussian_mean(a, b) for a, b in zip(q, width, strict=True)]
    return float(np.abs(found / np.array(exact) - 1).max())


# Beyond 3.5 sigma of the outermost points the grid ends: a share of 2e-4 is lost.
SMEARED = 1e-3


@pytest.mark.parametrize("relative", [0.1, 0.05, 0.01, 0.003])
def test_smearing_is_the_mean_over_a_gaussian(relative: float) -> None:
    q = np.geomspace(0.02, 5, 60)
    assert worst_error(q, relative * q) < SMEARED


def test_smearing_by_one_width_in_q_is_the_mean_over_a_gaussian() -> None:
    q = np.linspace(0.02, 5, 60)
    assert worst_error(q, np.full_like(q, 0.01)) < SMEARED


def test_a_resolution_finer_than_the_grid_hardly_smears() -> None:
    q = np.geomspace(0.02, 5, 200)
    assert worst_error(q, 1e-3 * q) < SMEARED


@pytest.mark.parametrize("width", [1e-9, 1e-3, 0.1, 1.0])
def test_a_flat_curve_stays_flat_whatever_the_resolution(width: float) -> None:
    q = torch.linspace(0.05, 3, 40, dtype=torch.float64)
    grid, matrix = smearing(q, torch.full_like(q, width))
    assert torch.allclose(matrix.sum(0), torch.ones_like(q), rtol=1e-12)
    assert bool((grid > 0).all())
    assert bool((torch.diff(grid) > 0).all())


def observation(resolution: Tensor | None = None) -> Observation:
    q = torch.logspace(-1, 0.5, 30, dtype=torch.float64)
    intensity = torch.from_numpy(fringes(q.numpy())) * 7
    return Observation.of(q, intensity, 0.05 * intensity, resolution, "measured")


def test_the_measured_mean_over_ln_q_becomes_one() -> None:
    data = observation()
    assert float((data.weights * data.intensity).sum()) == pytest.approx(1)
    assert torch.allclose(data.sigma, 0.05 * data.intensity)
    q = data.q.numpy()
    assert np.allclose(data.level * data.intensity.numpy(), 7 * fringes(q))


def test_without_a_resolution_nothing_is_smeared() -> None:
    data = observation()
    assert data.smear is None
    assert data.grid is data.q
    curve = torch.rand(2, 30, dtype=torch.float64)
    assert data.smeared(curve) is curve


def test_with_a_resolution_the_curve_is_taken_from_the_grid_to_the_points() -> None:
    data = observation(torch.full((30,), 0.01, dtype=torch.float64))
    assert data.smear is not None
    assert data.smeared(torch.ones(2, len(data.grid)).double()).shape == (2, 30)


def parabola(q: Tensor) -> Tensor:
    return 3 - q + 0.5 * q.square()


def grouped(q: Tensor, blur: float | None = None, members: float = 4.0) -> Groups:
    """Fours of neighbours, the last of which counts twice."""
    index = torch.arange(len(q)) // 4
    share = torch.tensor([0.2, 0.2, 0.2, 0.4], dtype=q.dtype).repeat(len(q) // 4)
    resolution = None if blur is None else torch.full_like(q, blur)
    return Groups(q, share, index, resolution, q.new_full((len(q) // 4,), members))


# Widths on a grid of their own, and too narrow for one.
@pytest.mark.parametrize("resolution", [None, 0.05, 0.001])
def test_an_averaged_point_is_compared_with_the_mean_over_its_group(
    resolution: float | None,
) -> None:
    q = torch.linspace(0.5, 2, 80, dtype=torch.float64)
    groups = grouped(q, resolution)
    means = q @ groups.matrix()
    ones = torch.ones_like(means)
    blur = None if resolution is None else resolution * ones
    data = Observation.of(means, ones, ones, blur, "measured", groups)
    found = data.smeared(parabola(data.grid)[None])[0]
    # The mean of a parabola is its value plus its half second derivative by variance.
    exact = (parabola(q) + 0.5 * (resolution or 0) ** 2) @ groups.matrix()
    assert torch.allclose(found, exact, rtol=1e-4)


def test_smeared_means_are_means_of_smeared_points() -> None:
    """Though they are worked out in parts."""
    q = torch.linspace(0.1, 3, 1200, dtype=torch.float64)
    groups = grouped(q, 0.02)
    grid, single = smearing(q, torch.full_like(q, 0.02))
    same, together = smearing(q, torch.full_like(q, 0.02), groups.matrix())
    assert torch.equal(grid, same)
    assert torch.allclose(single @ groups.matrix(), together, atol=1e-14)


def test_the_source_of_the_errors_chooses_their_prior() -> None:
    data = observation()
    assert data.nuisances is MEASURED_SIGMA
    parts = (data.q, data.intensity, data.sigma)
    assert Observation.of(*parts, None, "estimated").nuisances is ESTIMATED_SIGMA


def test_refuses_a_curve_whose_mean_is_not_positive_and_says_why() -> None:
    q = torch.linspace(0.1, 1, 12, dtype=torch.float64)
    with pytest.raises(ValueError, match=r"got -1\. The background was over-subtr"):
        Observation.of(q, -torch.ones_like(q), torch.ones_like(q), None, "measured")


def test_the_likelihood_is_a_sum_of_normal_densities() -> None:
    data = observation()
    generator = torch.Generator().manual_seed(0)
    total = data.intensity * (
        1 + 0.1 * torch.randn(3, 30, generator=generator, dtype=torch.float64)
    )
    factor = torch.tensor([0.5, 1.0, 3.0], dtype=torch.float64)
    error = torch.tensor([0.0, 0.05, 0.3], dtype=torch.float64)
    found = log_likelihood(total, data, factor, error)
    for row in range(3):
        spread = np.hypot(
            float(factor[row]) * data.sigma.numpy(),
            float(error[row]) * total[row].numpy(),
        )
        exact = stats.norm(total[row].numpy(), spread).logpdf(data.intensity.numpy())
        assert float(found[row]) == pytest.approx(exact.sum(), rel=1e-12)


def test_a_mean_of_points_has_the_models_error_of_one_over_their_root() -> None:
    groups = grouped(torch.linspace(0.1, 1, 48, dtype=torch.float64))
    ones = torch.ones(12, dtype=torch.float64)
    q = groups.q @ groups.matrix()
    data = Observation.of(q, ones, 0.3 * ones, None, "measured", groups)
    total = torch.full((1, 12), 2.0, dtype=torch.float64)
    one = torch.ones(1, 1, dtype=torch.float64)
    found = data.variance(total, 2 * one, 0.5 * one)
    assert torch.allclose(found, torch.tensor(0.6**2 + 0.5**2).double().expand(1, 12))
    assert bool((observation().members == 1).all())
