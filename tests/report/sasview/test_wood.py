"""Mirrors src/saxinfer/report/sasview/wood.py: the plug-in as sasmodels loads it."""

from pathlib import Path

import numpy as np
import pytest
import torch
from sasmodels.core import load_model
from sasmodels.direct_model import call_kernel
from torch import Generator

from saxinfer.report.sasview import plugin
from saxinfer.structures.wood import Wood

Q = np.geomspace(0.003, 0.6, 80)


def test_sasmodels_draws_the_curves_that_we_do(tmp_path: Path) -> None:
    place = tmp_path / "saxinfer_wood.py"
    place.write_text(plugin("wood"), "utf-8")
    model = load_model(str(place), dtype="double")
    kernel = model.make_kernel([Q])
    ours = Wood()
    for theta in ours.space.sample(12, Generator().manual_seed(3)):
        values = dict(zip(ours.space.names, theta.tolist(), strict=True))
        for length in ("spacing", "radius"):
            values[length] *= 10
        values["gauss_width"] /= 10
        found = call_kernel(kernel, {"scale": 1, "background": 0, **values})
        exact = ours.intensity(10 * torch.from_numpy(Q), theta[None])[0].numpy()
        assert found == pytest.approx(exact, rel=1e-4)


def test_the_published_value_is_met(tmp_path: Path) -> None:
    place = tmp_path / "wood_as_published.py"
    place.write_text(plugin("wood"), "utf-8")
    kernel = load_model(str(place), dtype="double").make_kernel([np.array([0.08])])
    known = {"spacing": 40, "radius": 13, "radius_rel_std": 0.2}
    known |= {"spacing_rel_std": 0.35, "gauss_amplitude": 0.1, "gauss_width": 0.04}
    known |= {"power_amplitude": 1e-4, "power_exponent": 4}
    found = call_kernel(kernel, {"scale": 1, "background": 0.05, **known})
    assert float(found[0]) == pytest.approx(0.341487, rel=2e-6)
