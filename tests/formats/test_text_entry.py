"""Mirrors src/saxinfer/formats/text_entry.py."""

import numpy as np
import pytest

from saxinfer.formats import FormatError
from saxinfer.formats.headings import Roles
from saxinfer.formats.text import Block
from saxinfer.formats.text_entry import entry_from_table

TABLE = np.column_stack(
    [np.arange(1.0, 13) / 100, *(np.full(12, value) for value in (0.5, 0.05, 0.001))]
)


def test_columns_follow_their_names_not_their_places() -> None:
    table = Block(TABLE.copy(), ("index  q  I  sigma",))
    table.rows[:, 1] = np.arange(12) / 10 + 0.1
    entry = entry_from_table(table, "a.dat")
    assert entry.q[0] == pytest.approx(0.1)
    assert entry.sigma is not None


def test_a_column_that_is_not_used_is_named() -> None:
    entry = entry_from_table(Block(TABLE, ("Q  I  err  Bin_Factor",)), "a.dat")
    assert [r.text for r in entry.remarks] == ["Columns that are not used: Bin_Factor."]


def test_roles_that_a_format_fixes_go_before_names() -> None:
    entry = entry_from_table(Block(TABLE), "a.int", roles=Roles(0, 1, None, None))
    assert entry.sigma is entry.resolution is None


def test_lost_rows_are_counted_and_said() -> None:
    entry = entry_from_table(Block(TABLE, (), 3), "a.dat")
    assert entry.dropped == 3
    assert "3 rows with missing" in entry.remarks[0].text


def test_form_factors_are_refused() -> None:
    table = Block(TABLE[:, :3], ("q           |F(q)|      deltaF",))
    with pytest.raises(FormatError, match=r"^a\.xff: holds form-factor amplitudes"):
        entry_from_table(table, "a.xff")


def test_a_column_that_numbers_the_rows_is_not_q() -> None:
    rows = np.column_stack([np.arange(12.0), TABLE[:, :3]])
    with pytest.raises(FormatError, match="only numbers the rows"):
        entry_from_table(Block(rows), "a.dat")
    named = entry_from_table(Block(rows, (",q,I,sigma",)), "a.csv")
    assert named.q[0] == pytest.approx(0.01)


def test_the_letter_s_is_taken_for_q_and_the_curve_says_so() -> None:
    entry = entry_from_table(Block(TABLE[:, :3], ("s  I  err",)), "a.dat")
    assert "4π sin(θ)/λ" in entry.remarks[0].text


def test_an_unnamed_fit_is_neither_error_nor_resolution() -> None:
    q = np.arange(1.0, 31) / 100
    intensity = 1e-3 * np.exp(-q)
    third = Block(np.column_stack([q, intensity, 1.01 * intensity]))
    fourth = Block(np.column_stack([q, intensity, intensity / 50, 1.01 * intensity]))
    assert entry_from_table(third, "a.fit").sigma is None
    assert entry_from_table(fourth, "a.fir").resolution is None
    assert entry_from_table(fourth, "a.fir").sigma is not None
    named = Block(third.rows, ("q  I  error",))
    assert entry_from_table(named, "a.dat").sigma is not None
