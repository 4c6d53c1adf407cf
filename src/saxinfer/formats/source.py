"""A file that is to be read: its first bytes, and its text when that is asked for."""

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Final

from saxinfer.formats.error import FormatError
from saxinfer.formats.text import Block, tables_of_numbers

__all__ = ["Source"]

_HDF5: Final = b"\x89HDF\r\n\x1a\n"
_LARGEST_TEXT: Final = 300_000_000  # [bytes]
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0e-\x1f\x7f-\x9f\ufffd]")
_BYTE_ORDER_MARKS: Final = (
    (b"\xef\xbb\xbf", "utf-8-sig"),
    (b"\xff\xfe", "utf-16"),
    (b"\xfe\xff", "utf-16"),
)


@dataclass(frozen=True)
class Source:
    """A file on its way to being read.

    Attributes:
        path: Where it lies.
    """

    path: Path

    @property
    def name(self) -> str:
        """The file's name, with which every refusal begins."""
        return self.path.name

    @cached_property
    def head(self) -> bytes:
        """The first bytes."""
        with self.path.open("rb") as file:
            return file.read(4096)

    @property
    def is_hdf5(self) -> bool:
        """Whether the file begins as HDF5 does."""
        return self.head.startswith(_HDF5)

    @property
    def is_xml(self) -> bool:
        """Whether the file begins as XML does; ``<X> <Y>`` of SasView does not."""
        head = self.head.removeprefix(b"\xef\xbb\xbf").lstrip()
        return head.startswith((b"<?xml", b"<!--", b"<SASroot", b"<dataset"))

    @cached_property
    def content(self) -> bytes:
        """The whole file.

        Raises:
            FormatError: If it is too large to be a curve.
        """
        size = self.path.stat().st_size
        if size > _LARGEST_TEXT:
            raise FormatError(
                f"{self.name}: is {size / 1e6:.0f} MB of neither HDF5 nor a known "
                "binary format, too large for a curve in text."
            )
        return self.path.read_bytes()

    @cached_property
    def text(self) -> str:
        """The whole file as text, whatever its encoding, one line end for all.

        Raises:
            FormatError: If the file is not text.
        """
        data = self.content
        encodings = [code for mark, code in _BYTE_ORDER_MARKS if data.startswith(mark)]
        for encoding in (*encodings, "utf-8", "latin-1"):
            try:
                text = data.decode(encoding)
                break
            except UnicodeDecodeError:
                continue
        if "\0" in text or len(_CONTROL.findall(text)) > 0.03 * len(text):
            raise FormatError(
                f"{self.name}: is binary data of an unknown kind, not text."
            )
        # Some writers end a line with \r\r\n, old Macintosh ones with \r alone.
        for end in ("\r\r\n", "\r\n", "\r"):
            text = text.replace(end, "\n")
        return text.replace("\x1a", "")

    @cached_property
    def lines(self) -> list[str]:
        """The lines of the text."""
        return self.text.split("\n")

    @cached_property
    def tables(self) -> list[Block]:
        """The tables of numbers in the text."""
        return tables_of_numbers(self.lines)
