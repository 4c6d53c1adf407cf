"""Mirrors src/saxinfer/scattering/aliasing.py."""

import math

import numpy as np
import pytest
import torch
from numpy.random import default_rng

from saxinfer.scattering.aliasing import PERCENT, folded, trusted
from saxinfer.scattering.boundary import slope
from saxinfer.scattering.fourier import TRUSTED, Rings
from saxinfer.scattering.grid import Grid
from saxinfer.structures.cellulose import Cellulose

COPIES = 24


def test_what_drawn_cellulose_has_too_much_is_what_was_folded_back() -> None:
    pytest.importorskip("numba")
    grid, model = Grid(640, 0.12), Cellulose("aligned")
    values = [2.0, 0.4, 2.0, 0.8, 0.8, 0.2, 0.35, 0.25]
    theta = torch.tensor(values, dtype=torch.float64)
    bands = Rings(grid, grid.nyquist * np.array([0.15, 0.22, 0.3, 0.38, 0.46]))
    found, slopes = [], []
    for seed in range(COPIES):
        drawn = model.realise(theta, grid, default_rng(seed))
        found.append(drawn.spectrum(bands))
        slopes.append(slope(drawn.density, grid))
    exact = bands.mean_of(
        lambda k: model.intensity(torch.from_numpy(k), theta[None])[0].numpy()
    )
    excess = np.mean(found, 0) / exact - 1
    estimate = folded(float(np.mean(slopes)), grid, bands.q) / exact
    error = np.std(found, 0, ddof=1) / math.sqrt(COPIES) / exact
    # Four standard errors, and a tenth of the estimate, which is one.
    assert (np.abs(excess - estimate) < 4 * error + 0.1 * estimate).all()
    assert excess[-1] > 0.06 > 8 * error[-1]


@pytest.mark.parametrize(("dimension", "exact"), [(2, 9.0336), (3, 16.5323)])
def test_at_the_origin_it_is_a_sum_over_the_lattice(
    dimension: int, exact: float
) -> None:
    # Sums of |n|^-3 over the square and of |n|^-4 over the cubic lattice.
    grid = Grid(64, 0.5, dimension)
    porod = 2 * math.pi if dimension == 2 else 8 * math.pi
    total = folded(1.0, grid, np.array([1e-9]))[0]
    found = total * (2 * grid.nyquist) ** (dimension + 1) / porod
    assert found == pytest.approx(exact, rel=0.01)


def test_a_sharp_edge_can_be_trusted_to_about_a_sixth_of_nyquist() -> None:
    grid = Grid(512, 0.1)
    q = np.linspace(0.05, 0.9, 200) * grid.nyquist
    porod = 2 * math.pi / q**3
    last = trusted(porod, folded(1.0, grid, q), q)
    assert last / grid.nyquist == pytest.approx(TRUSTED, rel=0.3)
    assert trusted(porod, 0 * q, q) == q[-1]
    assert PERCENT == 0.01
