"""The simulation in real space and the closed form prove one another.

They share nothing: grids, Monte Carlo disks and Fourier transforms of numpy on one
side, correlation functions and the packing table on the other.
"""

import importlib.util
import json
import sys
from dataclasses import astuple, replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch

import saxinfer as sx

PATH = Path(__file__).parents[2] / "examples/simulate_cellulose.py"


@pytest.fixture(scope="module")
def example() -> ModuleType:
    spec = importlib.util.spec_from_file_location("simulate_cellulose", PATH)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up by name.
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


def test_the_closed_form_is_the_mean_of_simulated_boxes(example: ModuleType) -> None:
    truth, box = example.Truth(), replace(example.Box(), copies=8, sweeps=120)
    found = example.simulate(truth, box, np.random.default_rng(5))
    theta = torch.tensor([astuple(truth)], dtype=torch.float64)
    model = sx.get_structure("cellulose")
    powder = model.intensity(torch.from_numpy(found.q), theta)[0].numpy()
    # No free scale: both are absolute.
    ratio = found.section * np.pi / found.q / powder
    pulls = (ratio - 1) / found.error
    # Seven rings at a time. Random numbers exceed 3.5 sigma in 12 bands once in 180
    # times; 1 % is left for the grid and for the packing table.
    for band in np.array_split(np.arange(len(ratio)), 12):
        weight = found.error[band] ** -2
        mean = float(np.average(ratio[band], weights=weight))
        error = float(weight.sum() ** -0.5)
        assert abs(mean - 1) < 3.5 * error + 0.01, f"at {found.q[band[0]]:.2f} 1/nm"
    assert 0.6 < float(np.square(pulls).mean()) < 1.6

    columns = example.all_parameters(truth, found.k_square)
    interface = float(model.dependent_values(theta)[0, 1])
    assert columns["surface_area"] == pytest.approx(interface, rel=1e-3)


def test_a_written_curve_is_read_with_its_unit_and_its_truth(
    example: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = replace(example.Box(), sweeps=2)
    monkeypatch.setattr(example, "Box", lambda: quick)
    monkeypatch.setattr(sys, "argv", ["simulate", "-o", str(tmp_path), "--copies", "1"])
    example.main()
    (curve,) = sx.load(tmp_path / "cellulose.dat")
    known = json.loads((tmp_path / "cellulose.json").read_text())
    assert curve.q_unit == "1/nm"
    assert curve.sigma is not None
    assert not curve.remarks
    # From 4 pi over the edge to a sixth of the grid's largest wavevector.
    edge = known["settings"]["edge_nm"]
    assert float(curve.q[0]) == pytest.approx(4 * np.pi / edge, rel=0.1)
    assert float(curve.q[-1]) == pytest.approx(1024 * np.pi / edge / 6, rel=0.02)
    parameters = known["parameters"]
    assert sum(parameters[f"phi_{p}"] for p in ("crystal", "grf1", "grf2")) == 1
    space = sx.get_structure("cellulose").space
    theta = torch.tensor([[parameters[name] for name in space.names]]).double()
    assert bool(space.admits(theta).all())


def test_a_box_too_small_for_the_field_is_refused(example: ModuleType) -> None:
    truth = replace(example.Truth(), mu=0.1)
    with pytest.raises(ValueError, match=r"needs mu >= 0\.49"):
        example.simulate(truth, example.Box(), np.random.default_rng(0))
