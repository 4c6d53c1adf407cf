"""Mirrors src/saxinfer/formats/nxazint.py; files are built as MAX IV writes them."""

import math
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from jaxtyping import Float64

from saxinfer.formats import FormatError, load

Numbers = Float64[np.ndarray, "q"]


def data_group(parent: Any, axis: Numbers, frames: Any, unit: str = "q") -> Any:
    data = parent.create_group("data")
    data.attrs.update(NX_class="NXdata", signal="I", interpretation="spectrum")
    data.attrs["axes"] = [".", "radial_axis"]
    data["radial_axis"] = axis
    data["radial_axis"].attrs["long_name"] = "q" if unit == "q" else "2theta"
    data["radial_axis"].attrs["units"] = "1/angstrom" if unit == "q" else "degrees"
    data["radial_axis_edges"] = np.append(axis, axis[-1])
    data["I"] = frames
    data["I"].attrs["units"] = "arbitrary units"
    return data


def one_dimensional(file: Any, axis: Numbers, frames: Any, unit: str = "q") -> Any:
    entry = file.create_group("entry")
    entry.attrs.update(NX_class="NXentry", default="data")
    entry["definition"] = "NXazint1d"
    mono = entry.create_group("instrument/monochromator")
    mono["wavelength"] = 1.0
    mono["wavelength"].attrs["units"] = "angstrom"
    return data_group(entry, axis, frames, unit)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "scan-0001.h5"


def test_every_frame_is_a_curve(path: Path, q: Numbers, intensity: Numbers) -> None:
    with h5py.File(path, "w") as file:
        frames = np.stack([intensity, 2 * intensity, 3 * intensity])
        data = one_dimensional(file, q, frames)
        data["I_errors"] = frames / 100
    curves = load(path)
    assert [curve.name for curve in curves] == [
        f"scan-0001 frame {i}" for i in range(3)
    ]
    assert curves[0].q.numpy() == pytest.approx(10 * q)
    assert curves[2].intensity.numpy() == pytest.approx(3 * intensity)
    assert curves[2].sigma is not None
    assert curves[0].intensity_unit == "arbitrary units"


@pytest.mark.parametrize("of_frames", [False, True])
def test_bins_without_pixels_are_left_out(
    path: Path, q: Numbers, intensity: Numbers, of_frames: bool
) -> None:
    pixels = np.full(40, 12.0)
    pixels[:6] = 0
    with h5py.File(path, "w") as file:
        data = one_dimensional(file, q, intensity[None])
        data["norm"] = pixels[None] if of_frames else pixels
    (curve,) = load(path)
    assert (len(curve), curve.dropped) == (34, 6)
    assert "6 without any pixel" in curve.remarks[-1].text


@pytest.mark.parametrize("stated", ["wavelength", "energy"])
def test_an_angle_becomes_q_with_the_wavelength_of_the_file(
    path: Path, q: Numbers, intensity: Numbers, stated: str
) -> None:
    two_theta = np.degrees(2 * np.arcsin(q * 1.0 / (4 * math.pi)))
    with h5py.File(path, "w") as file:
        one_dimensional(file, two_theta, intensity[None], "2theta")
        if stated == "energy":
            mono = file["entry/instrument/monochromator"]
            del mono["wavelength"]
            mono["energy"] = 12.398419843320026
            mono["energy"].attrs["units"] = "keV"
    (curve,) = load(path)
    assert curve.q.numpy() == pytest.approx(10 * q)
    assert "scattering angle" in curve.remarks[0].text
    (again,) = load(path, q_unit="1/nm")
    assert again.q.numpy() == pytest.approx(10 * q)
    assert "was not needed" in again.remarks[0].text


def test_an_angle_without_a_wavelength_is_refused(
    path: Path, q: Numbers, intensity: Numbers
) -> None:
    with h5py.File(path, "w") as file:
        one_dimensional(file, q, intensity[None], "2theta")
        del file["entry/instrument"]
    with pytest.raises(FormatError, match="states no wavelength"):
        load(path)


def test_the_curves_of_a_file_with_cakes_are_read_once(
    path: Path, q: Numbers, intensity: Numbers
) -> None:
    with h5py.File(path, "w") as file:
        entry = file.create_group("entry")
        for name in ("azint1d", "azint2d"):
            entry.create_group(name)["definition"] = f"NX{name}"
        data_group(entry["azint1d"], q, np.stack([intensity] * 2))
        cake = data_group(entry["azint2d"], q, np.ones((2, 36, 40)))
        cake["azimuthal_axis"] = np.arange(36) * 10.0
        entry["data"] = h5py.SoftLink("/entry/azint1d/data")
    curves = load(path)
    assert len(curves) == 2
    assert "cake in /entry/azint2d/data is left aside" in curves[0].remarks[0].text


def test_a_cake_alone_is_refused(path: Path, q: Numbers) -> None:
    with h5py.File(path, "w") as file:
        data = one_dimensional(file, q, np.ones((1, 36, 40)))
        data["azimuthal_axis"] = np.arange(36) * 10.0
        del file["entry/definition"]
        file["entry/definition"] = "NXazint2d"
    with pytest.raises(FormatError, match="cake"):
        load(path)
