"""Mirrors src/saxinfer/report/sasview/three_phase.py."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sasmodels.core import load_model
from sasmodels.direct_model import call_kernel
from torch import Generator

from saxinfer.report.sasview import plugin
from saxinfer.structures.three_phase import ThreePhase

Q = np.geomspace(0.0005, 0.6, 80)


def test_sasmodels_draws_the_curves_that_we_do(tmp_path: Path) -> None:
    place = tmp_path / "saxinfer_three_phase.py"
    place.write_text(plugin("three_phase"), "utf-8")
    kernel = load_model(str(place), dtype="double").make_kernel([Q])
    ours = ThreePhase()
    for theta in ours.space.sample(12, Generator().manual_seed(3)):
        values = dict(zip(ours.space.names, theta.tolist(), strict=True))
        for wavenumber in ("k_mean", "k_std"):
            values[wavenumber] /= 10
        found = call_kernel(kernel, {"scale": 1, "background": 0, **values})
        exact = ours.intensity(10 * torch.from_numpy(Q), theta[None])[0].numpy()
        # nm³ there, Å³ here.
        assert found / 1000 == pytest.approx(exact, rel=1e-4)


def test_fractions_beyond_one_have_no_curve(tmp_path: Path) -> None:
    place = tmp_path / "too_much.py"
    place.write_text(plugin("three_phase"), "utf-8")
    kernel = load_model(str(place), dtype="double").make_kernel([Q])
    found = call_kernel(kernel, {"phi_interface": 0.5, "porosity": 0.6})
    assert bool(np.isnan(found).all())
