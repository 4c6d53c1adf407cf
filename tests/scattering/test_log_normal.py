"""Mirrors src/saxinfer/scattering/log_normal.py."""

import math

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor

from saxinfer.scattering.log_normal import LARGEST_SIGMA, LogNormal

Array = npt.NDArray[np.float64]
SIGMAS = [1e-5, 0.001, 0.01, 0.03, 0.1, 0.2, 0.3, 0.4, 0.4724]
RATIOS = [1.0, 0.97, 0.4, 0.01, -0.01, -0.6, -0.97, -0.999]

# Of 1 + x²: where the oscillation has all but died out, and for x < 3.
ACCURACY, EARLY = 1e-7, 5e-9


def column(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def wave(x: Array, y: Array) -> Array:
    return np.asarray(x * y * np.cos(x + y) - (x + y) * np.sin(x + y) - np.cos(x + y))


def mean_wave(x: float, ratio: float, sigma: float) -> float:
    """By a trapezoid that resolves the phase to four sigma above the median."""
    turn = x * (1 + ratio) * sigma * math.exp(4 * sigma)
    z = np.linspace(-9, 9, 2001 + 2 * int(40 * turn))
    weight = np.exp(-(z**2) / 2)
    radius = np.exp(sigma * z)
    return float(weight @ wave(x * radius, ratio * x * radius) / weight.sum())


def phases(ratio: float, sigma: float) -> Array:
    """From far too small to turn to where hardly a tenth of the wave is left."""
    fastest = 1 + abs(ratio)
    return np.append(np.geomspace(1e-3, 3 / (sigma * fastest), 12), [0.7, 30, 300])


@pytest.mark.parametrize("sigma", SIGMAS)
@pytest.mark.parametrize("ratio", RATIOS)
def test_the_mean_of_a_wave_is_that_of_a_sum_over_radii(
    ratio: float, sigma: float
) -> None:
    x = phases(ratio, sigma)
    radii = LogNormal(column(sigma))
    found = radii.waves(column(ratio)[None])(torch.from_numpy(x)[None, None])[0, 0]
    exact = np.array([mean_wave(value, ratio, sigma) for value in x])
    error = np.abs(found.numpy() - exact) / (1 + x**2)
    assert error.max() < ACCURACY
    assert error[x < 3].max() < EARLY


@pytest.mark.parametrize("sigma", SIGMAS)
def test_of_phases_that_never_part_the_second_moment_is_left(sigma: float) -> None:
    x = torch.logspace(-3, 3, 20, dtype=torch.float64)
    radii = LogNormal(column(sigma))
    found = radii.waves(column(-1.0)[None])(x[None, None])[0, 0]
    exact = -1 - math.exp(2 * sigma**2) * x.square()
    assert torch.allclose(found, exact, rtol=1e-12)


@pytest.mark.parametrize("sigma", [0.03, 0.3, 0.4724])
def test_a_wave_dies_out_and_stays_dead(sigma: float) -> None:
    x = torch.logspace(math.log10(80 / sigma), 8, 50, dtype=torch.float64)
    found = LogNormal(column(sigma)).waves(column(1.0)[None])(x[None, None])[0, 0]
    assert float((found / x.square()).abs().max()) < ACCURACY


def test_a_wave_is_smooth_in_its_phase_and_in_the_spread() -> None:
    steps = torch.linspace(0, 1, 2001, dtype=torch.float64)
    sigma = 0.25 + 1e-2 * steps
    x = torch.full((2001, 1, 1), 7.0, dtype=torch.float64)
    ones = torch.ones(2001, 1, dtype=torch.float64)
    over_sigma = LogNormal(sigma).waves(ones)(x)[:, 0, 0]
    waves = LogNormal(column(0.25)).waves(ones[:1])
    over_x = waves((5 + 0.1 * steps)[None, None])[0, 0]
    for values in (over_sigma, over_x):
        # Rounding is left over: a kink or a step would stand out.
        third = values.diff(n=3).abs().max() / values.abs().max()
        assert float(third) < 1e-11


def test_the_moments_of_a_log_normal_are_exponentials() -> None:
    found = LogNormal(column(0.1, 0.4)).moment(6)
    assert found[:, 0].tolist() == pytest.approx([math.exp(0.18), math.exp(2.88)])


def test_rows_of_unlike_spread_do_not_disturb_one_another() -> None:
    sigma = column(0.3, 0.01, 0.47)
    x = torch.linspace(0.1, 20, 40, dtype=torch.float64).expand(3, 1, 40)
    ones = torch.ones(3, 1, dtype=torch.float64)
    together = LogNormal(sigma).waves(ones)
    for row in range(3):
        rows = slice(row, row + 1)
        alone = LogNormal(sigma[rows]).waves(ones[rows])(x[rows])
        assert torch.allclose(together[rows](x[rows]), alone, rtol=0, atol=1e-6)


def test_gradients_are_those_of_finite_differences() -> None:
    x = torch.linspace(0.1, 9, 12, dtype=torch.float64).expand(2, 2, 12)
    ratio = torch.tensor([[1.0, -0.4], [0.9, -0.95]], dtype=torch.float64)

    def mean(sigma: Tensor, ratio: Tensor, x: Tensor) -> Tensor:
        found: Tensor = LogNormal(sigma).waves(ratio)(x)
        return found

    inputs = [column(0.02, 0.3), ratio, x.contiguous()]
    inputs = [value.requires_grad_() for value in inputs]
    assert torch.autograd.gradcheck(mean, inputs, eps=1e-6, atol=1e-5, rtol=1e-5)


def test_the_widest_spread_has_a_gradient() -> None:
    sigma = column(LARGEST_SIGMA).requires_grad_()
    found = LogNormal(sigma).waves(torch.ones(1, 1, dtype=torch.float64))
    found(torch.ones(1, 1, 1, dtype=torch.float64)).sum().backward()  # type: ignore[no-untyped-call]
    assert sigma.grad is not None
    assert bool(sigma.grad.isfinite().all())


def test_a_spread_wider_than_half_of_the_mean_is_refused() -> None:
    with pytest.raises(ValueError, match=r"at most 0\.48, got 0\.6"):
        LogNormal(column(0.1, 0.6))


def test_a_derivative_moves_no_bit_of_a_mean() -> None:
    x = torch.linspace(0.1, 40, 50, dtype=torch.float64).expand(1, 1, -1).contiguous()
    waves = LogNormal(column(0.2)).waves(column(0.7)[None])
    followed = waves(x.clone().requires_grad_())
    assert followed.requires_grad
    assert torch.equal(waves(x), followed.detach())
