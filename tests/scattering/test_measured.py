"""Mirrors src/saxinfer/scattering/measured.py."""

import numpy as np
import pytest
import torch
from numpy.random import default_rng

from saxinfer.scattering.grid import Grid
from saxinfer.scattering.measured import Measured
from saxinfer.structures import get_structure

pytest.importorskip("numba")


def test_of_drawn_cellulose_agrees_with_what_it_was_drawn_from() -> None:
    values = [2.0, 0.4, 2.0, 0.9, 0.8, 0.2, 0.35, 0.25]
    theta, model = torch.tensor(values, dtype=torch.float64), get_structure("cellulose")
    drawn = model.realise(theta, Grid(1200, 0.06), default_rng(5))
    found = Measured.of(drawn)
    fractions = found.two_point.probability[:, 0]
    assert np.allclose(fractions, drawn.fractions, atol=1e-4)
    total = sum(edge.density for edge in found.boundaries)
    nominal = float(model.dependent_values(theta[None])[0, 1])
    # One box of 72 nm: the length scatters by 2 %.
    assert total == pytest.approx(nominal, rel=0.08)
    assert found.boundaries[0].phases == ("crystal", "amorphous 1")
    assert 4.0 < found.trusted < 20.0
    assert (np.diff(found.rings.q) > 0).all()
    assert found.spectrum.shape == found.folded.shape == found.rings.q.shape
    # Most of what is found at half of Nyquist is right, but not all.
    assert 0.03 < found.folded[-1] / found.spectrum[-5:].mean() < 0.4
