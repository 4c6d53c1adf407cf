"""The HDF5 file opens as the same curve here and in SasView's reader."""

import json
from pathlib import Path
from types import ModuleType

import h5py
import numpy as np
import pytest
import torch

from saxinfer.formats import load
from saxinfer.inference.base import Fit
from saxinfer.report.nxcansas import write_nxcansas


@pytest.mark.parametrize("errors", [True, False])
def test_our_reader_opens_the_same_curve(
    made: ModuleType, tmp_path: Path, errors: bool
) -> None:
    fit = made.made_fit(made.made_curve(errors=errors))
    write_nxcansas(fit, tmp_path / "fit.h5")
    (curve,) = load(tmp_path / "fit.h5")
    assert torch.equal(curve.q, fit.curve.q)
    assert torch.equal(curve.intensity, fit.curve.intensity)
    assert curve.resolution is not None
    assert torch.equal(curve.resolution, fit.curve.resolution)
    if errors:
        assert curve.sigma is not None
        assert torch.equal(curve.sigma, fit.curve.sigma)
    else:
        assert curve.sigma is None
    assert curve.name == fit.curve.name
    assert curve.q_unit == "1/nm"
    assert curve.intensity_unit == "1/cm"


@pytest.mark.filterwarnings("ignore")  # what another package warns of
def test_sasdata_opens_the_same_curve(wide_fit: Fit, tmp_path: Path) -> None:
    from sasdata.dataloader.loader import Loader

    write_nxcansas(wide_fit, tmp_path / "fit.h5")
    (data,) = Loader().load(str(tmp_path / "fit.h5"))
    assert not data.errors
    # It converts to 1/Å.
    assert np.allclose(10 * data.x, wide_fit.curve.q.numpy(), rtol=1e-12)
    assert np.allclose(data.y, wide_fit.curve.intensity.numpy(), rtol=1e-12)
    sigma, width = wide_fit.curve.sigma, wide_fit.curve.resolution
    assert sigma is not None
    assert width is not None
    assert np.allclose(data.dy, sigma.numpy(), rtol=1e-12)
    assert np.allclose(10 * data.dx, width.numpy(), rtol=1e-12)


def test_the_fit_lies_beside_the_data(fit: Fit, tmp_path: Path) -> None:
    write_nxcansas(fit, tmp_path / "fit.h5")
    with h5py.File(tmp_path / "fit.h5") as file:
        group = file["entry/fit"]
        assert group.attrs["NX_class"] == "NXcollection"
        curve, posterior = group["curve"], group["posterior"]
        assert np.array_equal(curve["median"][()], fit.band.median.numpy())
        assert curve["median"].attrs["units"] == "1/cm"
        assert curve["q"].attrs["units"] == "1/nm"
        assert np.array_equal(posterior["samples"][0], fit.posterior.samples.numpy())
        assert list(posterior.attrs["names"]) == [q.name for q in fit.posterior]
        assert list(posterior.attrs["units"]) == [q.unit for q in fit.posterior]
        (found,) = json.loads(group["document"][()])
        assert found["model"] == "sphere"


def test_the_file_says_what_it_is(fit: Fit, tmp_path: Path) -> None:
    write_nxcansas(fit, tmp_path / "fit.h5")
    with h5py.File(tmp_path / "fit.h5") as file:
        entry = file[file.attrs["default"]]
        assert entry.attrs["canSAS_class"] == "SASentry"
        assert entry["definition"][()] == b"NXcanSAS"
        data = entry[entry.attrs["default"]]
        assert data.attrs["canSAS_class"] == "SASdata"
        assert data["I"].attrs["uncertainties"] == "Idev"
        assert data["Q"].attrs["resolutions"] == "Qdev"
        assert data["Q"].attrs["units"] == "1/nm"


def test_the_columns_of_trees_are_marked_as_shuffled(
    fit: Fit, tree_fit: Fit, tmp_path: Path
) -> None:
    for name, each in (("fit", fit), ("trees", tree_fit)):
        write_nxcansas(each, tmp_path / f"{name}.h5")
        with h5py.File(tmp_path / f"{name}.h5") as file:
            marked = "joint" in file["entry/fit/posterior"].attrs
            assert marked == (name == "trees")
