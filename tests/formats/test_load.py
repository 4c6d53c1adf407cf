"""The door to all formats: whatever is passed, a curve or one sentence comes back."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from saxinfer.curve import Curve
from saxinfer.formats import FormatError, load

Write = Callable[[str, str | bytes], Path]
Measured = Callable[[str], Path]

fuzz = settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
ROWS = "\n".join(f"{i / 100} {100 / i} {2 / i}" for i in range(1, 40))
BEGINNINGS = (
    b"\x89HDF\r\n\x1a\n",
    b'<?xml version="1.0"?><SASroot>',
    b"<dataset",
    b"### DATA:\n",
    b"# BIFT\n",
    b"II*\0",
    b"\x1f\x8b\x08",
    b"LOQ\n \n     121       1       1       1       0       0       0       0       0"
    b"       1\nZ83001.I1D\n",
)
# One of each kind, small enough to be damaged many times.
SEEDS = (
    "ISIS_83404.TXT",
    "Z83000.xml",
    "Anton-Paar.pdh",
    "jan08002.ABS",
    "S_A_02700_F2-T1_lys_8_000.dat",
    "Z83000.I1D",
)
# Cut short only: bytes changed inside can keep the HDF5 library busy for ever.
HDF5_SEEDS = ("simpleexamplefile.h5", "33837rear_1D_1.75_16.5_NXcanSAS_v3.h5")


def load_or_refuse(path: Path) -> list[Curve]:
    """Loads a file; a refusal must be one sentence that begins with its name."""
    try:
        return load(path, q_unit="1/nm")
    except FormatError as refusal:
        sentence = str(refusal)
    assert sentence.startswith(f"{path.name}: ")
    assert "\n" not in sentence
    return []


@given(st.binary(max_size=3000))
@fuzz
def test_random_bytes_give_a_curve_or_one_sentence(write: Write, data: bytes) -> None:
    load_or_refuse(write("a.bin", data))


@given(st.sampled_from(BEGINNINGS), st.binary(max_size=500))
@fuzz
def test_a_promising_beginning_gives_a_curve_or_one_sentence(
    write: Write, beginning: bytes, data: bytes
) -> None:
    load_or_refuse(write("X10000.I1D", beginning + data))


@given(st.text(max_size=2000))
@fuzz
def test_random_text_gives_a_curve_or_one_sentence(write: Write, text: str) -> None:
    load_or_refuse(write("a.dat", text.encode("utf-8", "ignore")))


@given(
    name=st.sampled_from(SEEDS),
    where=st.floats(0, 1),
    length=st.integers(0, 200),
    patch=st.one_of(
        st.binary(max_size=8), st.sampled_from([b"nan", b"-", b"<", b"\n"])
    ),
)
@fuzz
def test_a_damaged_file_gives_a_curve_or_one_sentence(
    write: Write,
    measured: Measured,
    name: str,
    where: float,
    length: int,
    patch: bytes,
) -> None:
    data = measured(name).read_bytes()
    start = int(where * len(data))
    load_or_refuse(write(name, data[:start] + patch + data[start + length :]))


@given(st.sampled_from((*SEEDS, *HDF5_SEEDS)), st.floats(0, 1))
@fuzz
def test_a_file_cut_short_gives_a_curve_or_one_sentence(
    write: Write, measured: Measured, name: str, where: float
) -> None:
    data = measured(name).read_bytes()
    load_or_refuse(write(name, data[: int(where * len(data))]))


def test_a_folder_and_an_empty_file_are_refused(write: Write, tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="is a folder"):
        load(tmp_path)
    with pytest.raises(FormatError, match=r"^a\.dat: is empty"):
        load(write("a.dat", ""))


def test_a_missing_file_is_an_error_of_the_system(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing.dat")


def test_the_content_decides_not_the_name(write: Write) -> None:
    (curve,) = load(write("a.tif", "# q[1/nm]\n" + ROWS))
    assert len(curve) == 39


@pytest.mark.parametrize("unit", ["1/A", "1/Å", "Å⁻¹", "A^-1"])
def test_the_caller_may_spell_the_unit_as_files_do(write: Write, unit: str) -> None:
    (curve,) = load(write("a.dat", ROWS), q_unit=unit)
    assert curve.q_unit == "1/Å"


def test_an_unknown_unit_is_answered_with_the_known_ones(write: Write) -> None:
    with pytest.raises(FormatError, match=r"1/nm, 1/A or 1/m, but is 'furlong'"):
        load(write("a.dat", ROWS), q_unit="furlong")


def test_reading_text_loads_no_hdf5(write: Write) -> None:
    path = write("a.dat", "# q[1/nm]\n" + ROWS)
    code = (
        "import sys; from saxinfer.formats import load; "
        f"load({str(path)!r}); "
        "print(sorted({'h5py', 'hdf5plugin', 'sasdata', 'pandas'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
