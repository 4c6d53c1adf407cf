"""The table of many fits has one row a curve and units in its headings."""

import csv
import io

import pytest

from saxinfer.inference.base import Fit
from saxinfer.report.document import document, failure
from saxinfer.report.summary import summary_csv


def test_every_curve_and_every_failure_has_a_row(fit: Fit) -> None:
    text = summary_csv([failure("b.dat", "b.dat: is empty."), document(fit)])
    bad, good = csv.DictReader(io.StringIO(text))
    assert bad["error"] == "b.dat: is empty."
    assert bad["model"] == ""
    assert good["error"] == ""
    assert good["verdict"] == "good"
    median = fit.posterior.summary("radius_mean").median
    assert float(good["radius_mean median [nm]"]) == pytest.approx(median, rel=1e-5)
    assert good["radius_mean constrained"] == "True"


def test_models_with_other_parameters_share_a_table(fit: Fit, wide_fit: Fit) -> None:
    first, second = csv.DictReader(
        io.StringIO(summary_csv([document(fit), document(wide_fit)]))
    )
    assert first["fibril_diameter_mean median [nm]"] == ""
    assert float(second["fibril_diameter_mean median [nm]"]) > 0


def test_a_choice_has_its_columns(chosen_fit: Fit, fit_of_none: Fit, fit: Fit) -> None:
    rows = csv.DictReader(
        io.StringIO(summary_csv([document(f) for f in (chosen_fit, fit_of_none, fit)]))
    )
    found = [(row["model"], row["best"], row["probability [1]"]) for row in rows]
    assert found == [
        ("sphere", "sphere", "0.8"),
        ("sphere", "none", "0.8"),
        ("sphere", "", ""),
    ]
