"""Mirrors src/saxinfer/formats/nxcansas.py."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from jaxtyping import Float64

from saxinfer.formats import FormatError, load

Numbers = Float64[np.ndarray, "q"]


def sasdata(entry: Any, name: str = "sasdata", **arrays: Any) -> Any:
    group = entry.create_group(name)
    group.attrs.update(
        canSAS_class="SASdata", NX_class="NXdata", signal="I", I_axes="Q"
    )
    for key, values in arrays.items():
        group[key] = values
        group[key].attrs["units"] = "1/angstrom" if "Q" in key else "1/cm"
    return group


def sasentry(file: Any, name: str = "sasentry", title: str = "Lupolen") -> Any:
    entry = file.create_group(name)
    entry.attrs.update(canSAS_class="SASentry", NX_class="NXentry")
    entry["definition"] = "NXcanSAS"
    entry["title"] = title
    return entry


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.h5"


def test_a_standard_file_is_read_with_errors_and_widths(
    path: Path, q: Numbers, intensity: Numbers
) -> None:
    with h5py.File(path, "w") as file:
        entry = sasentry(file)
        group = sasdata(entry, Q=q, I=intensity, Idev=intensity / 50, Qdev=q / 20)
        group["Q"].attrs["resolutions"] = "Qdev"
        group["I"].attrs["uncertainties"] = "Idev"
    (curve,) = load(path)
    assert curve.q.numpy() == pytest.approx(10 * q)
    assert curve.sigma is not None
    assert curve.resolution is not None
    assert curve.resolution.numpy() == pytest.approx(q / 2)
    assert (curve.name, curve.intensity_unit, curve.remarks) == ("Lupolen", "1/cm", ())


def test_pyfai_output_is_read(path: Path, q: Numbers, intensity: Numbers) -> None:
    with h5py.File(path, "w") as file:
        entry = sasentry(file, "entry", "something descriptive yet short")
        group = sasdata(entry, Q=q, I=intensity, sum_signal=intensity, count=intensity)
        group.attrs["axes"] = ["Q"]
        group["Q"].attrs["units"] = "1/nm"
        group["I"].attrs.update(units="arbitrary", uncertainties="Idev")
        group["Idev"] = intensity / 50
        group["errors"] = group["Idev"]
        entry.create_group("pyFAI").attrs["canSAS_class"] = "SASprocess"
    (curve,) = load(path)
    assert curve.q.numpy() == pytest.approx(q)
    assert curve.sigma is not None
    assert curve.intensity_unit == "arbitrary"


@pytest.mark.parametrize(
    ("on", "attribute"),
    [("I", "uncertainty"), ("I", "uncertainties"), ("", "I_uncertainty")],
)
def test_old_names_of_the_error_attribute_are_understood(
    path: Path, q: Numbers, intensity: Numbers, on: str, attribute: str
) -> None:
    with h5py.File(path, "w") as file:
        group = sasdata(sasentry(file), Q=q, I=intensity, my_errors=intensity / 50)
        (group[on] if on else group).attrs[attribute] = np.bytes_("my_errors")
    (curve,) = load(path)
    assert curve.sigma is not None


@pytest.mark.parametrize("axes", ["Time, Q", "Time,Q", ["Time", "Q"], "Time:Q"])
def test_a_time_series_gives_one_curve_a_frame(
    path: Path, q: Numbers, intensity: Numbers, axes: Any
) -> None:
    with h5py.File(path, "w") as file:
        frames = np.stack([intensity, 2 * intensity, 3 * intensity])
        group = sasdata(sasentry(file), Q=q, I=frames, Idev=frames / 50)
        group.attrs["I_axes"] = axes
    curves = load(path)
    assert [curve.name for curve in curves] == ["Lupolen 1", "Lupolen 2", "Lupolen 3"]
    assert curves[2].intensity.numpy() == pytest.approx(3 * intensity)


def test_q_may_be_the_first_axis(path: Path, q: Numbers, intensity: Numbers) -> None:
    with h5py.File(path, "w") as file:
        frames = np.stack([intensity, 2 * intensity], axis=1)
        group = sasdata(sasentry(file), Q=q, I=frames, Idev=frames / 50)
        group.attrs["I_axes"] = "Q,Temperature"
    assert load(path)[1].intensity.numpy() == pytest.approx(2 * intensity)


def test_each_frame_may_have_its_own_q(
    path: Path, q: Numbers, intensity: Numbers
) -> None:
    with h5py.File(path, "w") as file:
        group = sasdata(
            sasentry(file), Q=np.stack([q, 2 * q]), I=np.stack([intensity] * 2)
        )
        group.attrs["I_axes"] = "Time,Q"
    assert load(path)[1].q.numpy() == pytest.approx(20 * q)


def test_singleton_axes_do_not_matter(
    path: Path, q: Numbers, intensity: Numbers
) -> None:
    with h5py.File(path, "w") as file:
        sasdata(sasentry(file), Q=q, I=intensity.reshape(1, 1, -1))
    (curve,) = load(path)
    assert curve.intensity.numpy() == pytest.approx(intensity)


def test_masked_points_are_left_out(path: Path, q: Numbers, intensity: Numbers) -> None:
    with h5py.File(path, "w") as file:
        group = sasdata(sasentry(file), Q=q, I=intensity)
        group.attrs["mask"] = "Imask"
        group["Imask"] = (np.arange(40) < 5).astype("i1")
    (curve,) = load(path)
    assert (len(curve), curve.dropped) == (35, 5)
    assert "5 masked in the file" in curve.remarks[-1].text


def test_all_entries_are_read_and_have_distinct_names(
    path: Path, q: Numbers, intensity: Numbers
) -> None:
    with h5py.File(path, "w") as file:
        for name in ("dry", "wet"):
            sasdata(sasentry(file, name, "Spruce"), Q=q, I=intensity)
    assert [curve.name for curve in load(path)] == ["Spruce dry", "Spruce wet"]


def test_a_slit_smeared_twin_is_called_so(
    path: Path, q: Numbers, intensity: Numbers
) -> None:
    with h5py.File(path, "w") as file:
        sasdata(sasentry(file, "ZIF"), Q=q, I=intensity)
        twin = sasdata(sasentry(file, "ZIF_SMR"), Q=q, I=intensity)
        twin["dQl"] = 0.026
        sasdata(sasentry(file, "Z_SMR"), Q=q, I=intensity)
        raw = file.create_group("Blank_data")
        raw["Q"], raw["Intensity"] = q, intensity
    clean, smeared, named = load(path)
    assert {r.kind for r in clean.remarks} == {"note", "sigma"}
    assert "Blank_data (a raw scan" in clean.remarks[0].text
    assert "slit length 0.026" in smeared.remarks[0].text
    assert named.remarks[0].kind == "slit"


def test_maps_are_refused_or_left_aside(
    path: Path, q: Numbers, intensity: Numbers
) -> None:
    with h5py.File(path, "w") as file:
        image = np.ones((30, 20))
        group = sasdata(sasentry(file, "map"), Q=np.ones((3, 30, 20)), I=image)
        group.attrs["I_axes"] = "Q,Q"
    with pytest.raises(FormatError, match="two-dimensional"):
        load(path)
    with h5py.File(path, "a") as file:
        sasdata(sasentry(file, "pixels"), Qx=image, Qy=image, I=image)
        sasdata(sasentry(file, "curve"), Q=q, I=intensity)
    (curve,) = load(path)
    assert "Left aside" in curve.remarks[0].text


def test_counts_that_are_no_whole_numbers_are_doubted(
    path: Path, q: Numbers, intensity: Numbers
) -> None:
    with h5py.File(path, "w") as file:
        group = sasdata(sasentry(file), Q=q, I=intensity)
        group["I"].attrs["units"] = "Counts"
    (curve,) = load(path)
    assert curve.intensity_unit == "Counts"
    assert "absolute scale is not known" in curve.remarks[0].text


@pytest.mark.parametrize("units", ["", "furlong", "degrees"])
def test_an_unknown_unit_is_not_guessed(
    path: Path, q: Numbers, intensity: Numbers, units: str
) -> None:
    with h5py.File(path, "w") as file:
        group = sasdata(sasentry(file), Q=q, I=intensity)
        group["Q"].attrs["units"] = units
    with pytest.raises(FormatError, match=r"^a\.h5: the unit of q"):
        load(path)


def test_q_and_i_of_different_length_are_refused(
    path: Path, q: Numbers, intensity: Numbers
) -> None:
    with h5py.File(path, "w") as file:
        sasdata(sasentry(file), Q=q[:-1], I=intensity)
    with pytest.raises(FormatError, match="as many points as Q"):
        load(path)


def test_a_compressed_file_is_read(path: Path, q: Numbers, intensity: Numbers) -> None:
    import hdf5plugin

    with h5py.File(path, "w") as file:
        group = sasdata(sasentry(file), Q=q)
        group.create_dataset("I", data=intensity, **hdf5plugin.Bitshuffle())
    (curve,) = load(path)
    assert curve.intensity.numpy() == pytest.approx(intensity)


def test_three_files_of_one_measurement_load_equal(
    measured: Callable[[str], Path],
) -> None:
    stem = "33837rear_1D_1.75_16.5_"
    nexus, xml, rkh = (
        load(measured(stem + rest))[0]
        for rest in ("NXcanSAS_v3.h5", "CanSAS1D.xml", "RKH.txt")
    )
    for other in (xml, rkh):
        assert other.intensity.numpy() == pytest.approx(nexus.intensity.numpy(), 1e-5)
        assert other.sigma is not None
        assert nexus.sigma is not None
        assert other.sigma.numpy() == pytest.approx(nexus.sigma.numpy(), 1e-5)
    assert xml.q.numpy() == pytest.approx(nexus.q.numpy(), rel=1e-5)
    # RKH text rounds q at the fifth decimal of 1/Å.
    assert rkh.q.numpy() == pytest.approx(nexus.q.numpy(), abs=0.6e-4)


def test_the_oldest_layout_of_mantid_is_the_same_curve(
    measured: Callable[[str], Path],
) -> None:
    (new,) = load(measured("33837rear_1D_1.75_16.5_NXcanSAS_v3.h5"))
    (old,) = load(measured("33837rear_1D_1.75_16.5_NXcanSAS.h5"))
    assert old.q.equal(new.q)
    assert old.intensity.numpy() == pytest.approx(new.intensity.numpy(), rel=1e-5)
