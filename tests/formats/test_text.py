"""Mirrors src/saxinfer/formats/text.py."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from saxinfer.formats.text import blocks_of_numbers, tables_of_numbers

ROWS = np.array([[0.1, 5.0, 0.5], [0.2, 3.0, 0.25], [0.3, -2.5e-7, 1e12]])


@pytest.mark.parametrize(
    ("separator", "mark"),
    [
        *((separator, ".") for separator in (" ", ",", ";", "\t", " , ", "  ;  ")),
        *((separator, ",") for separator in (";", "\t", "   ")),
    ],
)
def test_every_dialect_gives_the_same_numbers(separator: str, mark: str) -> None:
    lines = [
        separator.join(repr(float(x)).replace(".", mark) for x in row) for row in ROWS
    ]
    (block,) = blocks_of_numbers(lines)
    assert np.array_equal(block.rows, ROWS)


finite = st.floats(-1e9, 1e9, allow_subnormal=False)


@given(
    rows=st.lists(st.tuples(finite, finite, finite), min_size=3, max_size=20),
    dialect=st.sampled_from([(" ", "."), (",", "."), (";", ","), ("\t", ",")]),
    blank=st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_columns_survive_a_round_trip_through_any_dialect(
    rows: list[tuple[float, float, float]], dialect: tuple[str, str], blank: bool
) -> None:
    separator, mark = dialect
    lines = [separator.join(repr(x).replace(".", mark) for x in row) for row in rows]
    if blank:
        lines = [line for row in lines for line in (row, "")]
    (block,) = blocks_of_numbers(["# heading", *lines])
    assert block.rows.tolist() == [list(row) for row in rows]
    assert block.heading == ("# heading",)


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("1.5E+003", 1500.0),
        ("6.07e-002", 0.0607),
        ("1.5D-03", 0.0015),
        (".5", 0.5),
        ("-1.#IND", math.nan),
        ("NaN", math.nan),
        ("inf", math.inf),
    ],
)
def test_numbers_of_old_programs_are_understood(cell: str, value: float) -> None:
    (block,) = blocks_of_numbers([f"0.1 {cell}"])
    assert block.rows[0, 1] == pytest.approx(value, nan_ok=True)


def test_python_digits_with_underscores_are_no_numbers() -> None:
    assert blocks_of_numbers(["1_0 2_0", "scan_1 scan_2"]) == []


def test_empty_trailing_columns_are_no_columns() -> None:
    (block,) = blocks_of_numbers(["A\tB\tC\t\t", "0.1\t2\t\t\t", "0.2\t3\t\t\t"])
    assert block.rows.shape == (2, 2)


def test_a_remark_between_rows_does_not_end_a_table() -> None:
    lines = [f"{i} {i} 1" for i in range(1, 8)]
    lines.insert(4, "beam lost, shutter opened again")
    (table,) = tables_of_numbers(lines)
    assert len(table.rows) == 7


def test_a_table_whose_first_column_falls_back_is_a_new_one() -> None:
    rows = [f"{i} {i}" for i in range(1, 12)]
    tables = tables_of_numbers(["first", *rows, "second", *rows])
    assert [table.heading[-1] for table in tables] == ["first", "second"]


def test_rows_that_lack_a_column_are_counted() -> None:
    rows = [f"{i} {i} 1" for i in range(1, 12)]
    rows.insert(5, "5.5 1")
    (table,) = tables_of_numbers(rows)
    assert (len(table.rows), table.lost) == (11, 1)


def test_numbers_in_a_heading_are_no_data() -> None:
    rows = [f"{i / 100} {i} 1 0.1" for i in range(1, 12)]
    (table,) = tables_of_numbers([" 11 0 0 0 1 11 0", " 0 0 0 0", "(F12.5)", *rows])
    assert table.rows[0, 0] == 0.01


def test_rows_with_overflown_cells_are_counted() -> None:
    rows = [f"{i} {i} 1" for i in range(1, 12)]
    (table,) = tables_of_numbers([*rows, "12 ****** 1", "13 4 1", "14 ****** 1"])
    assert (len(table.rows), table.lost) == (12, 2)
