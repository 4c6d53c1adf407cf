"""What is typed behind an option is understood or refused with a sentence."""

from pathlib import Path

import pytest

from saxinfer.cli.arguments import (
    contrast,
    entry_name,
    file_and_entry,
    q_range,
    windows,
)
from saxinfer.cli.plain import WrongUseError


@pytest.mark.parametrize(
    ("text", "bounds"),
    [
        ("a=1", (1, 1)),
        ("a=-1.5..2e3", (-1.5, 2000)),
        (" a = .5 .. 1. ", (0.5, 1)),
        ("a=1...5", (1, 0.5)),
    ],
)
def test_windows_are_values_or_ranges(text: str, bounds: tuple[float, float]) -> None:
    assert windows([text]) == {"a": bounds}


@pytest.mark.parametrize("text", ["a", "=1", "a=", "a=..2", "a=1..", "a=x", "a=1..y"])
def test_half_a_window_is_refused(text: str) -> None:
    with pytest.raises(WrongUseError, match="-p needs"):
        windows([text])


def test_a_parameter_named_twice_is_refused() -> None:
    with pytest.raises(WrongUseError, match="twice"):
        windows(["a=1", "a=2"])


@pytest.mark.parametrize("text", ["1", "2..1", "1..1", "a..b"])
def test_a_range_of_q_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(WrongUseError, match="--q-range needs"):
        q_range(text)


@pytest.mark.parametrize(
    ("text", "density"),
    [
        # 10^10 / cm² is 1e-4 / nm².
        ("3", 3e-4),
        ("-0.56", -5.6e-5),
        ("334e/nm3", 9.412e-4),
        (" 1e2 e/nm3", 2.818e-4),
        ("", None),
    ],
)
def test_a_contrast_is_a_density_or_electrons(text: str, density: float | None) -> None:
    wanted = density if density is None else pytest.approx(density, rel=1e-4)
    assert contrast(text) == wanted


@pytest.mark.parametrize("text", ["x", "e/nm3", "3e", "334e/A3", "3 cm"])
def test_a_contrast_of_no_number_or_another_unit_is_refused(text: str) -> None:
    with pytest.raises(WrongUseError, match=r"10\^10/cm2, or electrons, 334e/nm3"):
        contrast(text)


def test_an_entry_is_an_index_or_a_name() -> None:
    assert entry_name("12") == 12
    assert entry_name("sasentry 1") == "sasentry 1"


def test_a_colon_parts_file_and_entry_unless_the_file_has_it(tmp_path: Path) -> None:
    odd = tmp_path / "a:b"
    odd.write_text("")
    assert file_and_entry(str(odd)) == (odd, "")
    assert file_and_entry(f"{odd}:2") == (odd, "2")
    assert file_and_entry("C:\\data\\a.dat") == (Path("C:\\data\\a.dat"), "")
