"""Mirrors src/saxinfer/formats/nxmonopd.py; files are built as pyFAI writes them."""

import math
from pathlib import Path

import h5py
import numpy as np
import pytest
from jaxtyping import Float64

from saxinfer.formats import FormatError, load

Numbers = Float64[np.ndarray, "q"]


def build(path: Path, axis: Numbers, intensity: Numbers, units: str) -> None:
    with h5py.File(path, "w") as file:
        results = file.create_group("entry/results")
        results.attrs.update(NX_class="NXdata", signal="data", axes=["polar_angle"])
        results["polar_angle"] = axis
        results["polar_angle"].attrs["units"] = units
        results["data"] = intensity
        results["errors"] = intensity / 50
        source = file.create_group("entry/instrument/beam")
        source["incident_wavelength"] = 1.0
        source["incident_wavelength"].attrs["units"] = "angstrom"


def test_an_angle_becomes_q(tmp_path: Path, q: Numbers, intensity: Numbers) -> None:
    two_theta = np.degrees(2 * np.arcsin(q / (4 * math.pi)))
    build(tmp_path / "a.h5", two_theta, intensity, "2th_deg")
    (curve,) = load(tmp_path / "a.h5")
    assert curve.q.numpy() == pytest.approx(10 * q)
    assert curve.sigma is not None


def test_an_axis_in_q_is_taken_as_it_is(
    tmp_path: Path, q: Numbers, intensity: Numbers
) -> None:
    build(tmp_path / "a.h5", q, intensity, "q_nm^-1")
    (curve,) = load(tmp_path / "a.h5")
    assert curve.q.numpy() == pytest.approx(q)


def test_an_angle_without_a_wavelength_is_refused(
    tmp_path: Path, q: Numbers, intensity: Numbers
) -> None:
    build(tmp_path / "a.h5", q, intensity, "2th_deg")
    with h5py.File(tmp_path / "a.h5", "a") as file:
        del file["entry/instrument"]
    with pytest.raises(FormatError, match="states no wavelength"):
        load(tmp_path / "a.h5")
