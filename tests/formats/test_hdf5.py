"""Mirrors src/saxinfer/formats/hdf5.py."""

from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest

from saxinfer.formats import FormatError, load
from saxinfer.formats.hdf5 import groups, numbers, opened, text_of, wavelength_of
from saxinfer.formats.source import Source

Write = Callable[[str, str | bytes], Path]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file.attrs["bytes"] = np.bytes_("Q")
        file.attrs["list"] = ["Time", "Q"]
        file["text"] = "Lupolen"
        file["number"] = np.arange(3)
        group = file.create_group("entry/instrument/monochromator")
        group["energy"] = 12.398419843320026
        group["energy"].attrs["units"] = "keV"
        file["again"] = h5py.SoftLink("/entry/instrument")
        file["broken"] = h5py.SoftLink("/nowhere")
    return path


def test_text_is_read_however_it_was_written(path: Path) -> None:
    with opened(Source(path)) as file:
        found = [text_of(file, key) for key in ("bytes", "list", "text", "missing")]
    assert found == ["Q", "Time, Q", "Lupolen", ""]


def test_every_group_is_visited_once_and_soft_links_are_passed_by(path: Path) -> None:
    with opened(Source(path)) as file:
        assert len(list(groups(file))) == 4


def test_only_numbers_are_numbers(path: Path) -> None:
    with opened(Source(path)) as file:
        assert numbers(file, "text") is numbers(file, "missing") is None
        values = numbers(file, "number")
    assert values is not None
    assert values.dtype == np.float64


def test_the_wavelength_comes_from_the_energy_where_only_that_is_stated(
    path: Path,
) -> None:
    with opened(Source(path)) as file:
        assert wavelength_of(file) == pytest.approx(0.1)


@pytest.mark.parametrize("keep", [8, 100, 1000])
def test_hdf5_cut_short_is_refused(path: Path, keep: int) -> None:
    path.write_bytes(path.read_bytes()[:keep])
    with pytest.raises(
        FormatError, match=r"^a\.h5: begins as HDF5 but cannot be opened"
    ):
        load(path)


def test_hdf5_without_a_curve_is_refused(path: Path) -> None:
    with pytest.raises(
        FormatError, match=r"^a\.h5: is HDF5 without a scattering curve"
    ):
        load(path)
