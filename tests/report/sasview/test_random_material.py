"""Mirrors src/saxinfer/report/sasview/random_material.py."""

import math

import numpy as np
import pytest

from saxinfer.report.sasview.random_material import spectrum


def test_its_invariant_is_the_variance_of_two_phases() -> None:
    share, level = 0.3, -0.524400512708041
    q = np.geomspace(1e-4, 3.0, 6000)
    found = spectrum(q, 0.05, 0.02, np.array([level]), np.array([1.0]))
    tail = found[-1] * q[-1] ** 3
    total = np.trapezoid(q**2 * found, q) + tail
    assert total == pytest.approx(2 * math.pi**2 * share * (1 - share), rel=1e-4)
