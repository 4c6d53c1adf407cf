"""Mirrors src/saxinfer/formats/bift.py."""

from collections.abc import Callable
from pathlib import Path

import pytest

from saxinfer.formats import FormatError, load

Write = Callable[[str, str | bytes], Path]
P_OF_R = "# BIFT\n#      R             P(R)           Error\n" + "\n".join(
    f"{i:.8E} {i * (30 - i):.8E} 1.0E-03" for i in range(30)
)
CURVE = "#      Q             I(Q)           Error            Fit\n" + "\n".join(
    f"{0.01 * i:.8E} {1 / i:.8E} 1.0E-03 {1 / i:.8E}" for i in range(1, 21)
)


def test_the_measured_curve_is_read_not_the_distance_distribution(write: Write) -> None:
    (curve,) = load(write("a.ift", f"{P_OF_R}\n\n\n{CURVE}\n"))
    assert curve.intensity.tolist() == pytest.approx([1 / i for i in range(1, 21)])
    assert "not P(r)" in curve.remarks[1].text


def test_a_distance_distribution_alone_is_refused(write: Write) -> None:
    with pytest.raises(FormatError, match=r"^a\.ift: .*P\(r\)"):
        load(write("a.ift", P_OF_R))
