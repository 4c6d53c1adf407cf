"""Mirrors src/saxinfer/scattering/log_normal_field.py."""

import itertools
import math

import numpy as np
import pytest
import torch
from scipy.integrate import quad
from torch import Tensor

from saxinfer.scattering.log_normal_field import (
    DISTANCES,
    correlation_reach,
    deficit,
    root_mean_square,
    spectrum,
    spread,
)

RATIOS = (0.1, 0.3, 0.55, 1.0)


def row(*values: float) -> Tensor:
    return torch.tensor([values], dtype=torch.float64)


def one(value: float) -> Tensor:
    return row(value)[0]


def log_normal(k: float, mean: float, std: float) -> float:
    """The density as textbooks have it."""
    square = math.log(1 + (std / mean) ** 2)
    middle = math.log(mean) - square / 2
    gap = (math.log(k) - middle) ** 2 / (2 * square)
    return math.exp(-gap) / (k * math.sqrt(2 * math.pi * square))


def moment(mean: float, std: float, power: float) -> float:
    """Integral of k^power P by quadrature."""
    square = math.log(1 + (std / mean) ** 2)
    centre = math.log(mean) + (power - 0.5) * square
    wide = 9 * math.sqrt(square)

    def weighed(x: float) -> float:
        return log_normal(math.exp(x), mean, std) * math.exp((power + 1) * x)

    return float(quad(weighed, centre - wide, centre + wide, epsrel=1e-11)[0])


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_spectrum_has_the_mean_and_the_deviation_it_is_named_by(
    ratio: float,
) -> None:
    k = torch.tensor([[0.5, 2.0, 3.0]]).double()
    found = spectrum(k, one(2.0), one(2 * ratio))[0].tolist()
    exact = [log_normal(each, 2.0, 2 * ratio) for each in k[0].tolist()]
    assert found == pytest.approx(exact, rel=1e-12)
    assert moment(2.0, 2 * ratio, 1) == pytest.approx(2, rel=1e-9)
    second = moment(2.0, 2 * ratio, 2) - 4
    assert second == pytest.approx(4 * ratio**2, rel=1e-7)


def test_nothing_waves_at_zero() -> None:
    assert float(spectrum(row(0.0), one(1.0), one(1.0))) == 0


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_mean_square_wavenumber_is_its_integral(ratio: float) -> None:
    exact = moment(2.0, 2 * ratio, 4) / moment(2.0, 2 * ratio, 2)
    found = float(root_mean_square(one(2.0), one(2 * ratio))) ** 2
    assert found == pytest.approx(exact, rel=1e-9)


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_correlation_is_the_integral_of_its_spectrum(ratio: float) -> None:
    missing = deficit(spread(one(1.0), one(ratio)))[0]
    rough, norm = float(root_mean_square(one(1.0), one(ratio))), moment(1.0, ratio, 2)
    for index in (1, 20, 100, 180, 240):
        r = float(DISTANCES.values[index]) / rough

        def lost(x: float, r: float = r) -> float:
            k = math.exp(x)
            phase = k * r
            small = phase**2 / 6 - phase**4 / 120
            rest = small if phase < 1e-3 else 1 - math.sin(phase) / phase
            return log_normal(k, 1.0, ratio) * k**3 * rest

        sigma = float(spread(one(1.0), one(ratio)))
        edges = 1.5 * sigma**2 + sigma * np.linspace(-8, 12, 21)
        exact = sum(
            quad(lost, a, b, limit=800, epsabs=1e-11 * norm)[0]
            for a, b in itertools.pairwise(edges)
        )
        assert float(missing[index]) == pytest.approx(exact / norm, rel=1e-6)


@pytest.mark.parametrize("sigma", [0.0998, 0.31, 0.62, 0.8325])
def test_a_field_knows_itself_and_nothing_far_away(sigma: float) -> None:
    missing = deficit(one(sigma))[0]
    assert float(missing[0]) == 0
    assert bool((missing >= 0).all())
    assert float(missing.max()) < 1.22
    assert float(missing[-1]) == pytest.approx(1, abs=2e-6)


@pytest.mark.parametrize("ratio", RATIOS)
def test_the_correlation_fades_within_its_reach(ratio: float) -> None:
    rough = float(root_mean_square(one(2.0), one(2 * ratio)))
    reach = correlation_reach(2.0, 2 * ratio, 0.003) * rough
    x = np.linspace(0.8, 3, 200) * reach
    # The mean over all waves, fine enough for sin kr to be followed.
    sigma = float(spread(one(1.0), one(ratio)))
    z = np.arange(-7, 7, 0.002)
    phase = np.multiply.outer(x, np.exp(sigma * z - sigma**2))
    weight = np.exp(-0.5 * z**2) * 0.002 / math.sqrt(2 * math.pi)
    g = np.abs(np.sinc(phase / math.pi) @ weight)
    assert g[x > reach].max() <= 0.0032
    assert g.max() > 0.0029


@pytest.mark.parametrize("k_std", [0.05, 1.2])
def test_a_spread_that_is_not_tabulated_is_refused(k_std: float) -> None:
    with pytest.raises(ValueError, match=rf"0\.095 to 1\.012 .* is {k_std} of it"):
        deficit(spread(one(1.0), one(k_std)))
