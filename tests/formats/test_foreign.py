"""Mirrors src/saxinfer/formats/foreign.py."""

import gzip
from collections.abc import Callable
from pathlib import Path

import pytest

from saxinfer.formats import FormatError, load

Write = Callable[[str, str | bytes], Path]
EDF = b"{\nEDF_DataBlockID = 1.Image.Psd ;\nDim_1 = 981 ;\n}" + bytes(500)


@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"II*\0" + bytes(100), "detector image .TIFF"),
        (b"MM\0*" + bytes(100), "detector image .TIFF"),
        (EDF, "detector image .EDF"),
        (gzip.compress(EDF, mtime=0), "gzip.*detector image .EDF"),
        (gzip.compress(b"0.1 2\n" * 20, mtime=0), "gzip.*Unpack it"),
        (b"\x1f\x8b" + bytes(90), "damaged"),
        (b"###CBF: VERSION 1.5", "detector image .CBF"),
        (b"\x89PNG\r\n", "picture"),
        (b"PK\x03\x04" + bytes(50), "spreadsheet"),
        (b"\x93NUMPY", "numpy array"),
        (b"# Nota\nponi_version: 2.1\nDistance: 1", "calibration of pyFAI"),
        (b"# Nota\nPixelSize1: 0.1\nPoni1: 0.02", "calibration of pyFAI"),
        (b"\n   ####      G N O M             Version 5.0", "result of GNOM"),
        (b"FILE: A\nThe detector image is a standard X-Y coordinate", "NIST .ASC"),
        (b"Data columns Qx - Qy - I(Qx,Qy) - err(I)\n", "2D map"),
        (b"FileFormatVersion 1.0\nSpinEchoLength_unit A\n", "spin-echo"),
        (b"# # ORSO reflectivity data file | 1.0\n", "reflectivity"),
        (b"<html><body>404</body></html>", "web page"),
    ],
)
def test_what_is_no_curve_is_refused_by_what_it_is(
    write: Write, content: bytes, what: str
) -> None:
    with pytest.raises(FormatError, match=rf"^a\.dat: is .*{what}|holds .*{what}"):
        load(write("a.dat", content), q_unit="1/nm")
