"""Mirrors src/saxinfer/formats/table.py."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from jaxtyping import Float64

from saxinfer.curve import Curve
from saxinfer.formats import FormatError
from saxinfer.formats.entry import Convention, Entry
from saxinfer.formats.table import curve_from_entry
from saxinfer.formats.units import PER_ANGSTROM, PER_NM

FILE = Path("beam.dat")
Numbers = Float64[np.ndarray, "q"]


@pytest.fixture
def entry(q: Numbers, intensity: Numbers) -> Entry:
    return Entry(q, intensity, 0.02 * intensity, unit_text="1/nm")


def kinds(curve: Curve) -> list[str]:
    return [remark.kind for remark in curve.remarks]


def said(curve: Curve) -> str:
    return " ".join(remark.text for remark in curve.remarks)


def test_a_clean_curve_has_no_remarks(entry: Entry) -> None:
    curve = curve_from_entry(entry, FILE)
    assert curve.q.numpy() == pytest.approx(entry.q)
    assert (curve.remarks, curve.dropped, curve.name) == ((), 0, "beam")


def test_one_per_angstrom_becomes_ten_per_nanometre(entry: Entry) -> None:
    curve = curve_from_entry(
        replace(entry, unit_text="1/A", resolution=entry.q / 9), FILE
    )
    assert curve.q.numpy() == pytest.approx(10 * entry.q)
    assert curve.resolution is not None
    assert curve.resolution.numpy() == pytest.approx(10 * entry.q / 9)
    assert curve.q_unit == "1/Å"


def test_a_file_without_unit_is_refused_and_told_what_to_do(entry: Entry) -> None:
    with pytest.raises(FormatError, match=r"^beam\.dat: .*--q-unit 1/nm or"):
        curve_from_entry(replace(entry, unit_text=None), FILE)


def test_the_caller_fills_in_a_unit_and_the_curve_says_so(entry: Entry) -> None:
    curve = curve_from_entry(replace(entry, unit_text=None), FILE, asked=PER_NM)
    assert "does not state the unit" in said(curve)


def test_the_caller_overrides_the_file_and_the_curve_says_so(entry: Entry) -> None:
    curve = curve_from_entry(entry, FILE, asked=PER_ANGSTROM)
    assert curve.q.numpy() == pytest.approx(10 * entry.q)
    assert "overrides 1/nm" in said(curve)


def test_a_convention_is_named(entry: Entry) -> None:
    convention = Convention(PER_ANGSTROM, "BioXTAS RAW")
    curve = curve_from_entry(
        replace(entry, unit_text=None, convention=convention), FILE
    )
    assert "by the convention of BioXTAS RAW" in said(curve)


def test_a_stated_unit_goes_before_a_convention(entry: Entry) -> None:
    convention = Convention(PER_ANGSTROM, "somebody")
    curve = curve_from_entry(replace(entry, convention=convention), FILE)
    assert curve.q_unit == "1/nm"


def test_points_that_are_no_numbers_or_have_no_q_are_counted(entry: Entry) -> None:
    entry.q[0], entry.q[1], entry.intensity[5] = 0.0, -0.1, np.nan
    curve = curve_from_entry(entry, FILE)
    assert (len(curve), curve.dropped) == (37, 3)
    assert "2 at q <= 0" in said(curve)
    assert "1 that are no numbers" in said(curve)


def test_empty_bins_at_the_beam_stop_are_left_out(entry: Entry) -> None:
    assert entry.sigma is not None
    entry.intensity[:12], entry.sigma[:12] = 0.0, 0.0
    entry.sigma[3] = 1e-10
    curve = curve_from_entry(entry, FILE)
    assert (len(curve), curve.dropped) == (28, 12)


def test_zero_intensity_with_an_error_is_a_measurement(entry: Entry) -> None:
    entry.intensity[7] = 0.0
    assert len(curve_from_entry(entry, FILE)) == 40


def test_negative_intensity_is_kept(entry: Entry) -> None:
    entry.intensity[30:] -= 2
    assert len(curve_from_entry(entry, FILE)) == 40


@pytest.mark.parametrize("value", [0.0, -1.0, np.nan])
def test_an_error_column_without_errors_is_none(entry: Entry, value: float) -> None:
    curve = curve_from_entry(replace(entry, sigma=np.full(40, value)), FILE)
    assert curve.sigma is None
    assert len(curve) == 40
    assert kinds(curve) == ["sigma"]


def test_a_few_missing_errors_cost_only_those_points(entry: Entry) -> None:
    assert entry.sigma is not None
    entry.sigma[[4, 9]] = 0.0
    curve = curve_from_entry(entry, FILE)
    assert (len(curve), curve.dropped) == (38, 2)
    assert curve.sigma is not None


def test_mostly_missing_errors_are_not_used(entry: Entry) -> None:
    assert entry.sigma is not None
    entry.sigma[:25] = 0.0
    curve = curve_from_entry(entry, FILE)
    assert curve.sigma is None
    assert len(curve) == 40


def test_a_third_column_far_too_small_is_no_error(entry: Entry) -> None:
    curve = curve_from_entry(replace(entry, sigma=1e-7 * entry.intensity), FILE)
    assert curve.sigma is None
    assert "too small" in said(curve)


def test_a_fourth_column_larger_than_q_is_no_resolution(entry: Entry) -> None:
    curve = curve_from_entry(replace(entry, resolution=100 * entry.q), FILE)
    assert curve.resolution is None
    assert "not the resolution" in said(curve)


def test_descending_q_is_turned_round(entry: Entry) -> None:
    down = Entry(entry.q[::-1], entry.intensity[::-1], unit_text="1/nm")
    curve = curve_from_entry(down, FILE)
    assert curve.intensity.numpy() == pytest.approx(entry.intensity)
    assert "descending" in said(curve)


def test_shuffled_q_is_sorted_with_its_columns(entry: Entry) -> None:
    order = np.random.default_rng(0).permutation(40)
    assert entry.sigma is not None
    shuffled = Entry(
        entry.q[order], entry.intensity[order], entry.sigma[order], unit_text="1/nm"
    )
    curve = curve_from_entry(shuffled, FILE)
    assert curve.sigma is not None
    assert curve.sigma.numpy() == pytest.approx(entry.sigma)


def test_points_at_one_q_are_averaged_with_their_errors(entry: Entry) -> None:
    assert entry.sigma is not None
    entry.q[1] = entry.q[0]
    entry.intensity[:2], entry.sigma[:2] = (4.0, 6.0), (0.3, 0.4)
    curve = curve_from_entry(entry, FILE)
    assert len(curve) == 39
    assert curve.intensity[0].item() == pytest.approx(5.0)
    assert curve.sigma is not None
    assert curve.sigma[0].item() == pytest.approx(0.25)


def test_fewer_than_ten_points_are_refused_with_the_reason(entry: Entry) -> None:
    entry.intensity[5:] = np.nan
    with pytest.raises(FormatError, match=r"5 of 40 .*\(35 that are no numbers\)"):
        curve_from_entry(entry, FILE)


def test_an_axis_beyond_any_instrument_is_doubted(entry: Entry) -> None:
    curve = curve_from_entry(replace(entry, q=entry.q * 1e4), FILE)
    assert kinds(curve) == ["axis"]


def test_a_map_written_by_rows_is_refused() -> None:
    qx = np.tile(np.linspace(0.01, 0.1, 10), 10)
    with pytest.raises(FormatError, match="2D map"):
        curve_from_entry(Entry(qx, qx, unit_text="1/nm"), FILE)
