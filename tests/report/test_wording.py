"""Numbers, units and names are written as a reader expects."""

import math
from dataclasses import replace

import pytest

from saxinfer.inference.base import Fit, VerdictName
from saxinfer.posterior import Summary
from saxinfer.report import wording
from saxinfer.report.wording import from_trees, verdict_sentence, verdict_title


@pytest.mark.parametrize(
    ("value", "spread", "text"),
    [
        (5.03217, 0.0123, "5.032"),
        (-5.03217, 0.0123, "-5.032"),
        (0.98, 0.4, "0.98"),
        (12345.0, 900.0, "12340"),
        (1.5, 0.0, "1.5"),
        (3.2e-9, 1e-10, "3.20e-09"),
        (4.56e9, 1e7, "4.560e+09"),
        (math.nan, 1.0, "–"),
        (1.0, math.inf, "–"),
    ],
)
def test_a_number_is_as_exact_as_its_spread(
    value: float, spread: float, text: str
) -> None:
    found = wording.rounded(value, spread)
    if text == "–":
        assert found == text
    else:
        assert float(found) == pytest.approx(float(text), rel=1e-12)
        assert len(found) <= len(text) + 1


def test_an_interval_is_rounded_alike() -> None:
    summary = Summary(5.0, 0.1, 5.0123, 4.8432, 5.1871, 0.9, 1, True)
    assert wording.interval(summary) == ("5.01", "4.84", "5.19")


@pytest.mark.parametrize(
    ("unit", "text"),
    [("1/nm", "nm⁻¹"), ("1/Å", "Å⁻¹"), ("nm-1", "nm⁻¹"), ("nm3", "nm³"), ("1", "1")],
)
def test_units_have_raised_powers(unit: str, text: str) -> None:
    assert wording.unit_in_print(unit) == text


def test_every_label_has_a_unit() -> None:
    assert wording.axis_label("radius_mean", "nm") == "radius mean [nm]"
    assert wording.axis_label("porosity", "1") == "porosity [1]"
    assert wording.unit_in_table("1") == "–"


@pytest.mark.parametrize(
    ("modes", "constrained", "text"),
    [(1, True, "yes"), (1, False, "no"), (3, False, "3 solutions")],
)
def test_several_solutions_are_said(modes: int, constrained: bool, text: str) -> None:
    summary = Summary(1, 1, 1, 0, 2, 0.9, modes, constrained)
    assert wording.teaching(summary, "poor") == text
    assert wording.teaching(summary, "out_of_domain") == "out of domain"


@pytest.mark.parametrize("verdict", ["good", "poor", "out_of_domain"])
def test_a_verdict_says_whether_trees_or_a_likelihood_spoke(
    fit: Fit, tree_fit: Fit, verdict: VerdictName
) -> None:
    ours, theirs = (
        replace(each, quality=replace(each.quality, verdict=verdict))
        for each in (fit, tree_fit)
    )
    assert not from_trees(ours.posterior)
    assert from_trees(theirs.posterior)
    assert verdict_sentence(ours) != verdict_sentence(theirs)
    assert verdict_title(theirs).lower().startswith(verdict.replace("_", " "))
