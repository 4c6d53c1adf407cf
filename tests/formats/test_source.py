"""Mirrors src/saxinfer/formats/source.py."""

from collections.abc import Callable
from pathlib import Path

import pytest

from saxinfer.formats import FormatError
from saxinfer.formats.source import Source

Write = Callable[[str, str | bytes], Path]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r", "\r\r\n"])
def test_line_ends_of_all_systems_part_lines(write: Write, end: str) -> None:
    assert Source(write("a.dat", end.join("abc"))).lines == ["a", "b", "c"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "utf-16"])
def test_the_ångström_survives_all_encodings(write: Write, encoding: str) -> None:
    assert Source(write("a.dat", "q Å-1".encode(encoding))).text == "q Å-1"


def test_binary_data_are_no_text(write: Write) -> None:
    with pytest.raises(FormatError, match=r"^a\.dat: is binary data"):
        _ = Source(write("a.dat", bytes(range(256)))).text


def test_columns_that_sasview_names_are_no_xml(write: Write) -> None:
    assert not Source(write("a.txt", "<X>   <Y>\n1 2")).is_xml
    assert Source(write("a.txt", '\ufeff<?xml version="1.0"?>')).is_xml
