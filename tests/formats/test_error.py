"""Mirrors src/saxinfer/formats/error.py."""

from saxinfer.formats import FormatError


def test_a_format_error_is_a_value_error() -> None:
    assert issubclass(FormatError, ValueError)
