"""Mirrors src/saxinfer/formats/bsl.py."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from saxinfer.formats import FormatError, load

Write = Callable[[str, str | bytes], Path]
Q = np.arange(1, 21) / 100


def header(*names: str, frames: int = 1) -> str:
    last = len(names) - 1
    parts = [
        f"      20{frames:8d}       1       1       0       0       0       0       0"
        f"{int(i < last):8d}\n{name}\n"
        for i, name in enumerate(names)
    ]
    return "Lupolen".ljust(80) + "\n" + " " * 80 + "\n" + "".join(parts)


@pytest.fixture
def bsl(write: Write) -> Path:
    write("X10000.QAX", header("X10001.QAX"))
    write("X10001.QAX", Q.astype("<f4").tobytes())
    write("X10001.I1D", np.stack([1 / Q, 2 / Q]).astype("<f4").tobytes())
    write("X10002.I1D", np.stack([0.1 / Q, 0.2 / Q]).astype("<f4").tobytes())
    return write("X10000.I1D", header("X10001.I1D", "X10002.I1D", frames=2))


def test_a_set_is_read_from_its_header(bsl: Path) -> None:
    first, second = load(bsl, q_unit="1/A")
    assert first.q.numpy() == pytest.approx(10 * Q)
    assert second.intensity.numpy() == pytest.approx(2 / Q)
    assert second.sigma is not None
    assert second.sigma.numpy() == pytest.approx(0.2 / Q)
    assert second.name == "Lupolen 2"


def test_the_unit_of_a_set_is_not_guessed(bsl: Path) -> None:
    with pytest.raises(FormatError, match="unit of q"):
        load(bsl)


def test_a_binary_part_names_its_header(bsl: Path) -> None:
    with pytest.raises(FormatError, match=r"^X10001\.I1D: .* X10000\.I1D"):
        load(bsl.with_name("X10001.I1D"))


@pytest.mark.parametrize("missing", ["X10000.QAX", "X10001.QAX", "X10001.I1D"])
def test_a_missing_part_is_named(bsl: Path, missing: str) -> None:
    bsl.with_name(missing).unlink()
    with pytest.raises(FormatError, match=missing):
        load(bsl, q_unit="1/A")


def test_a_part_cut_short_is_refused(bsl: Path) -> None:
    part = bsl.with_name("X10001.I1D")
    part.write_bytes(part.read_bytes()[:50])
    with pytest.raises(FormatError, match="promises 20 x 2 numbers"):
        load(bsl, q_unit="1/A")


def test_a_measured_set_equals_its_conversion_to_xml(
    measured: Callable[[str], Path],
) -> None:
    (binary,) = load(measured("Z83000.I1D"), q_unit="1/A")
    (xml,) = load(measured("Z83000.xml"))
    assert binary.q.numpy() == pytest.approx(xml.q.numpy(), rel=1e-5)
    assert binary.intensity.numpy() == pytest.approx(xml.intensity.numpy(), rel=1e-5)
