"""Mirrors src/saxinfer/formats/nxdata.py."""

from pathlib import Path

import h5py
import numpy as np
import pytest
from jaxtyping import Float64

from saxinfer.formats import FormatError, load

Numbers = Float64[np.ndarray, "q"]


def build(path: Path, axis: str, q: Numbers, data: Float64[np.ndarray, "..."]) -> None:
    with h5py.File(path, "w") as file:
        result = file.create_group("processed/result")
        axes = [np.bytes_(".")] * (data.ndim - 1) + [np.bytes_(axis)]
        result.attrs.update(signal="data", axes=axes, data_uncertainty="errors")
        result[axis], result["data"], result["errors"] = q, data, data / 50
        result[axis].attrs["units"] = "1/nm"


def test_singleton_axes_do_not_matter(
    tmp_path: Path, q: Numbers, intensity: Numbers
) -> None:
    build(tmp_path / "a.nxs", "q", q, intensity.reshape(1, 1, -1))
    (curve,) = load(tmp_path / "a.nxs")
    assert curve.q.numpy() == pytest.approx(q)
    assert curve.sigma is not None


def test_frames_are_curves(tmp_path: Path, q: Numbers, intensity: Numbers) -> None:
    build(tmp_path / "a.nxs", "q", q, np.stack([intensity] * 3))
    assert [c.name for c in load(tmp_path / "a.nxs")] == [
        f"a frame {i}" for i in range(3)
    ]


def test_a_result_over_something_else_is_refused(
    tmp_path: Path, q: Numbers, intensity: Numbers
) -> None:
    build(tmp_path / "a.nxs", "energy", q, intensity)
    with pytest.raises(FormatError, match="last axis is 'energy'"):
        load(tmp_path / "a.nxs")


def test_a_map_is_refused(tmp_path: Path, q: Numbers) -> None:
    build(tmp_path / "a.nxs", "q", q, np.ones((3, 5, 40)))
    with pytest.raises(FormatError, match="a map, not curves"):
        load(tmp_path / "a.nxs")


def test_the_default_plot_of_a_nexus_file_is_read(
    tmp_path: Path, q: Numbers, intensity: Numbers
) -> None:
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.attrs["default"] = "entry_0000"
        entry = file.create_group("entry_0000")
        entry.attrs["default"] = "integrate/results"
        results = entry.create_group("integrate/results")
        results.attrs.update(signal="I", axes=["q"])
        results["q"], results["I"], results["errors"] = q, intensity, intensity / 50
        results["q"].attrs["units"] = "nm^-1"
    (curve,) = load(tmp_path / "a.h5")
    assert curve.q.numpy() == pytest.approx(q)
    assert curve.sigma is not None
