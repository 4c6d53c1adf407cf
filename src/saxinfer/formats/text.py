"""Columns of numbers in text: which character parts them, where they begin and end.

The dialect (separator and decimal mark) is the one in which most lines are rows of
numbers. Rows that follow one another form a block; text between rows parts blocks.
"""

import math
import re
from collections import Counter
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Float64

__all__ = ["Block", "blocks_of_numbers", "tables_of_numbers"]

_DIALECTS: Final = (
    (None, "."),
    (",", "."),
    (";", "."),
    ("\t", "."),
    (";", ","),
    ("\t", ","),
    (None, ","),
)
# What float() does not read: Fortran's D exponents and 1.#IND of Microsoft's C library.
_FORTRAN: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)[dD][+-]?\d+")
_MICROSOFT_NAN: Final = re.compile(r"[+-]?1\.#\w+")
_LOOKED_AT: Final = 200  # lines on which the dialect is decided


@dataclass(frozen=True)
class Block:
    """Rows of numbers that stand together.

    Attributes:
        rows: The numbers; an empty cell is NaN.
        heading: The lines of text above; nearest last.
        lost: Rows that do not fit in, or hold text besides numbers, and are not here.
    """

    rows: Float64[np.ndarray, "row column"]
    heading: tuple[str, ...] = ()
    lost: int = 0


def _cells(line: str, separator: str | None) -> list[str]:
    cells = [cell.strip() for cell in line.split(separator)]
    while cells and not cells[-1]:
        cells.pop()
    return cells


def _row(line: str, dialect: tuple[str | None, str]) -> list[float] | None:
    """Returns the numbers of a line, or None if it is not a row of at least two."""
    separator, mark = dialect
    line = line.replace('"', " ")
    if mark == ",":
        if "." in line:
            return None
        line = line.replace(",", ".")
    cells = _cells(line, separator)
    if len(cells) < 2:
        return None
    row = []
    for cell in cells:
        number = _number(cell)
        if number is None:
            return None
        row.append(number)
    return row


def _number(cell: str) -> float | None:
    """Returns the number in a cell, NaN for an empty one, None where it is text."""
    if not cell:
        return math.nan
    try:
        # Python reads 1_000 and digits of all scripts; scattering files do not.
        return float(cell) if cell.isascii() and "_" not in cell else None
    except ValueError:
        pass
    if _FORTRAN.fullmatch(cell):
        return float(cell.replace("d", "e").replace("D", "e"))
    return math.nan if _MICROSOFT_NAN.fullmatch(cell) else None


def _dialect(lines: list[str]) -> tuple[str | None, str]:
    filled = [line for line in lines if line.strip()]
    step = max(1, len(filled) // _LOOKED_AT)
    looked_at = filled[::step]

    def rows(dialect: tuple[str | None, str]) -> int:
        return sum(_row(line, dialect) is not None for line in looked_at)

    return max(_DIALECTS, key=rows)


def blocks_of_numbers(lines: list[str]) -> list[Block]:
    """Finds the blocks of rows of numbers in lines of text.

    Empty lines part nothing. A block ends where text stands between rows, or where
    the number of columns changes.

    Args:
        lines: The lines, without line ends.

    Returns:
        The blocks in the order of the file, none if no line is a row of numbers.

    Example:
        >>> blocks = blocks_of_numbers(["# q  I", "0,1;5,0", "0,2;3,0"])
        >>> blocks[0].rows.tolist(), blocks[0].heading
        ([[0.1, 5.0], [0.2, 3.0]], ('# q  I',))
    """
    dialect = _dialect(lines)
    blocks: list[Block] = []
    heading: list[str] = []
    rows: list[list[float]] = []
    broken = 0

    def close() -> None:
        nonlocal rows, heading, broken
        if rows:
            numbers = np.array(rows, dtype=np.float64)
            blocks.append(Block(numbers, tuple(heading), broken))
            rows, heading, broken = [], [], 0

    for line in lines:
        if not line.strip():
            continue
        row = _row(line, dialect)
        if row is None:
            close()
            heading.append(line.rstrip())
            # After one or two rows of numbers the heading may still go on.
            in_table = any(len(block.rows) > 2 for block in blocks)
            broken += in_table and _begins_as_a_row(line, dialect)
            continue
        if rows and len(row) != len(rows[0]):
            close()
        rows.append(row)
    close()
    if blocks and broken:
        last = blocks[-1]
        blocks[-1] = Block(last.rows, last.heading, last.lost + broken)
    return blocks


def _begins_as_a_row(line: str, dialect: tuple[str | None, str]) -> bool:
    """Whether a line of text was meant to be a row: its first cells are numbers."""
    cells = _cells(line.replace(",", ".") if dialect[1] == "," else line, dialect[0])
    return len(cells) > 1 and bool(cells[0]) and _number(cells[0]) is not None


def tables_of_numbers(lines: list[str], fewest: int = 10) -> list[Block]:
    """Finds the tables of a text: blocks, joined where only a remark parts them.

    Blocks of as many columns as most rows have are joined while the first column
    goes on rising; where it falls back, a new table begins. Tables of fewer than
    ``fewest`` rows are left out, unless there is no larger one: then all their rows
    make one table. Rows above the first block of three rows or more belong to the
    heading.

    Args:
        lines: The lines, without line ends.
        fewest: Rows that make a table of its own.

    Returns:
        The tables, each with all lines of text above it.
    """
    blocks = blocks_of_numbers(lines)
    rows = Counter[int]()
    for block in blocks:
        rows[block.rows.shape[1]] += len(block.rows)
    if not rows:
        return []
    columns = max(rows, key=lambda count: rows[count])
    joined, lost = _joined(blocks, columns)
    large = [table for table in joined if len(table.rows) >= fewest]
    if not large:
        everything = np.concatenate([table.rows for table in joined])
        return [Block(everything, joined[0].heading, lost)]
    lost += sum(len(table.rows) for table in joined) - sum(len(t.rows) for t in large)
    return [Block(t.rows, t.heading, lost if t is large[0] else 0) for t in large]


def _joined(blocks: list[Block], columns: int) -> tuple[list[Block], int]:
    heading: list[str] = []
    tables: list[Block] = []
    lost = 0
    longest = max(len(b.rows) for b in blocks if b.rows.shape[1] == columns)
    for block in blocks:
        heading.extend(block.heading)
        fits = block.rows.shape[1] == columns
        lost += block.lost
        if not tables and (not fits or len(block.rows) < min(3, longest)):
            heading.extend(" ".join(f"{x:g}" for x in row) for row in block.rows)
        elif not fits:
            lost += len(block.rows)
        elif tables and block.rows[0, 0] > tables[-1].rows[-1, 0]:
            rows = np.concatenate([tables[-1].rows, block.rows])
            tables[-1] = Block(rows, tables[-1].heading)
        else:
            tables.append(Block(block.rows, tuple(heading)))
    return tables, lost
