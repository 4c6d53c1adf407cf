"""Mirrors src/saxinfer/scattering/drawn_field.py."""

import math

import numpy as np
import pytest
import torch
from scipy.special import ndtr

from saxinfer.scattering.correlation import Nodes, level_covariance
from saxinfer.scattering.drawn_field import WAVES, FieldOnGrid
from saxinfer.scattering.fourier import Rings, spectrum
from saxinfer.scattering.grid import Grid
from saxinfer.scattering.random_field import FieldTransform, power_law_spectrum

MU, EXPONENT, LIMIT = 0.8, 1.8, 4.0
GRID = Grid(pixels=256, pixel=0.3)


def power(grid: Grid) -> np.ndarray:
    k = grid.wavenumbers()
    return np.where(k <= LIMIT, spectral(k), 0.0)


def spectral(k: np.ndarray) -> np.ndarray:
    return (k**2 + MU**2) ** -EXPONENT


FIELD = FieldOnGrid(GRID, spectral, LIMIT)


def test_the_box_of_these_tests_is_large_enough() -> None:
    assert GRID.edge * MU > WAVES


def test_the_variance_is_one_in_the_mean_over_draws() -> None:
    rng = np.random.default_rng(1)
    squares = [float(np.square(FIELD.draw(rng)).mean()) for _ in range(40)]
    error = float(np.std(squares)) / math.sqrt(len(squares))
    # Four standard errors: a right field fails once in 15,000.
    assert abs(np.mean(squares) - 1) < 4 * error
    assert error < 0.02


def test_the_spectrum_is_the_one_given() -> None:
    rng, rings = np.random.default_rng(2), Rings.even(GRID, reach=0.35)
    found = np.mean([spectrum(FIELD.draw(rng), rings) for _ in range(20)], axis=0)
    weight = power(GRID) * GRID.multiplicity()
    expected = rings.mean(power(GRID)) * GRID.volume / weight.sum()
    z = (found / expected - 1) / rings.speckle * math.sqrt(20)
    assert abs(z.mean()) < 4 / math.sqrt(len(z))
    assert 0.7 < z.std() < 1.3


@pytest.mark.parametrize("level", [0.0, 0.7])
def test_clipped_it_has_the_covariance_of_the_closed_form(level: float) -> None:
    rng = np.random.default_rng(3)
    nodes = Nodes(LIMIT, 0.05, 160)
    transform = FieldTransform(nodes, Nodes(40.0, 1.0, 160))
    exponent, mu = (torch.tensor([x]).double() for x in (EXPONENT, MU))
    spectral = power_law_spectrum(nodes.values, exponent, mu)
    correlation = 1 - transform.deficit(spectral)
    lags = transform.r.values
    share = float(ndtr(-level))
    found = []
    for _ in range(30):
        phase = (FIELD.draw(rng) > level) - share
        found.append([float((phase * np.roll(phase, n, 0)).mean()) for n in (1, 3, 8)])
    at = np.interp([0.3, 0.9, 2.4], lags.numpy(), correlation[0].numpy())
    t = torch.tensor([level]).double()
    expected = level_covariance(t, t, torch.from_numpy(at)[None])[0].numpy()
    error = np.std(found, axis=0) / math.sqrt(len(found))
    assert (np.abs(np.mean(found, axis=0) - expected) < 4 * error).all()
    assert (error < 0.02 * share).all()


def test_the_second_moment_is_that_of_the_spectrum() -> None:
    nodes = Nodes(LIMIT, 0.05, 160)
    transform = FieldTransform(nodes, Nodes(40.0, 1.0, 160))
    exponent, mu = (torch.tensor([x]).double() for x in (EXPONENT, MU))
    exact = transform.second_moment(power_law_spectrum(nodes.values, exponent, mu))
    assert FIELD.second_moment == pytest.approx(float(exact), rel=0.01)


def test_refuses_what_is_no_spectrum() -> None:
    with pytest.raises(ValueError, match="zero everywhere"):
        FieldOnGrid(GRID, lambda k: 0 * k, LIMIT)
    with pytest.raises(ValueError, match="not be negative"):
        FieldOnGrid(GRID, lambda k: spectral(k) - 1e-2, LIMIT)
