"""Mirrors src/saxinfer/scattering/random_field.py."""

import itertools
import math

import pytest
import torch
from scipy.integrate import quad
from scipy.special import j0
from torch import Tensor

from saxinfer.scattering.correlation import Nodes
from saxinfer.scattering.random_field import FieldTransform, power_law_spectrum

LIMIT = math.pi / 0.25
FIELD = FieldTransform(
    Nodes(last=LIMIT, scale=0.02, count=180), Nodes(last=400.0, scale=1.0, count=320)
)
CASES = pytest.mark.parametrize(
    ("exponent", "mu"), [(1.25, 0.05), (1.25, 1.0), (2.0, 0.2), (3.0, 0.05), (3.0, 1.0)]
)


def one(value: float) -> Tensor:
    return torch.tensor([value], dtype=torch.float64)


def spectrum(exponent: float, mu: float) -> Tensor:
    return power_law_spectrum(FIELD.k.values, one(exponent), one(mu))


def closed_norm(exponent: float, mu: float) -> float:
    """Integral of (1 + (k/mu)²)^-p k dk up to the band limit."""
    whole = mu**2 / (2 * (exponent - 1))
    return float(whole * (1 - (1 + (LIMIT / mu) ** 2) ** (1 - exponent)))


def test_the_spectrum_is_the_filter_squared_over_its_value_at_zero() -> None:
    k = torch.tensor([0.0, 0.3, 2.0], dtype=torch.float64)
    found = power_law_spectrum(k, one(1.7), one(0.3))
    filtered = (k**2 + 0.09) ** (-1.7 / 2) / 0.09 ** (-1.7 / 2)
    assert torch.allclose(found[0], filtered**2, rtol=1e-12)


@CASES
def test_the_norm_is_its_closed_form(exponent: float, mu: float) -> None:
    found = float(FIELD.norm(spectrum(exponent, mu)))
    assert found == pytest.approx(closed_norm(exponent, mu), rel=1e-4)


@CASES
def test_the_second_moment_is_its_closed_form(exponent: float, mu: float) -> None:
    edge = 1 + (LIMIT / mu) ** 2
    # With v = 1 + (k/mu)² the integral of k² P k dk is that of (v - 1) v^-p.
    first = (
        math.log(edge)
        if exponent == 2
        else (edge ** (2 - exponent) - 1) / (2 - exponent)
    )
    second = (edge ** (1 - exponent) - 1) / (1 - exponent)
    exact = mu**4 / 2 * (first - second) / closed_norm(exponent, mu)
    found = float(FIELD.second_moment(spectrum(exponent, mu)))
    assert found == pytest.approx(exact, rel=1e-4)


@CASES
def test_the_correlation_is_the_integral_of_its_spectrum(
    exponent: float, mu: float
) -> None:
    deficit = FIELD.deficit(spectrum(exponent, mu))[0]
    norm = closed_norm(exponent, mu)
    for index in (1, 8, 40, 100, 150):
        r = float(FIELD.r.values[index])

        def lost(k: float, r: float = r) -> float:
            weight = (1 + (k / mu) ** 2) ** -exponent * k
            return float(weight * (1 - j0(k * r)))

        edges = [0, mu, *(mu * 3**n for n in range(1, 6)), LIMIT]
        parts = [e for e in edges if e <= LIMIT]
        exact = sum(
            quad(lost, a, b, limit=400, epsabs=1e-9 * norm)[0]
            for a, b in itertools.pairwise(parts)
        )
        assert float(deficit[index]) == pytest.approx(exact / norm, rel=3e-4, abs=1e-6)


@CASES
def test_a_field_is_fully_correlated_with_itself_and_not_far_away(
    exponent: float, mu: float
) -> None:
    deficit = FIELD.deficit(spectrum(exponent, mu))[0]
    assert float(deficit[0]) == 0
    assert bool((deficit >= 0).all())
    assert float(deficit[-1]) == pytest.approx(1, abs=1e-3)
