"""The JSON of a fit is complete, without NaN, and says why a number is missing."""

import json
import math
from dataclasses import replace
from types import ModuleType

import pytest

from saxinfer.inference.base import Fit
from saxinfer.report.document import SCHEMA, document, dumped, failure, trusted

BLOCKS = {
    "schema",
    "file",
    "entry",
    "model",
    "method",
    "parameters",
    "derived",
    "nuisance",
    "correlation",
    "model_free",
    "quality",
    "evidence",
    "data",
    "files",
    "provenance",
}
SUMMARY = {
    "unit",
    "mean",
    "sd",
    "median",
    "q05",
    "q95",
    "prior_low",
    "prior_high",
    "shrinkage",
    "constrained",
}


def test_a_document_has_every_block_of_the_schema(fit: Fit) -> None:
    found = document(fit)
    assert found["schema"] == SCHEMA
    assert set(found) >= BLOCKS
    assert set(found["parameters"]) == {"radius_mean", "radius_std"}
    assert set(found["derived"]) == {"diameter"}
    assert set(found["nuisance"]) >= {
        "scale",
        "background",
        "sigma_factor",
        "model_error",
    }
    for block in ("parameters", "derived", "nuisance"):
        for values in found[block].values():
            assert set(values) >= SUMMARY
    assert set(found["quality"]) == {
        "verdict",
        "reasons",
        "chi2_reduced",
        "p_value",
        "effective_samples",
        "sampling_efficiency",
        "misfit_p",
        "domain_p",
    }
    assert found["data"]["q_unit_in_file"] == "1/Å"
    assert found["data"]["warnings"] == [fit.curve.remarks[0].text]
    assert found["provenance"]["seed"] == 7


def test_a_document_survives_json(fit: Fit, wide_fit: Fit) -> None:
    documents = [
        document(fit),
        document(wide_fit),
        failure("a.dat", "a.dat: is empty."),
    ]
    assert json.loads(dumped(documents)) == documents


def test_what_is_missing_is_null_with_a_reason(made: ModuleType) -> None:
    found = document(made.made_fit(made.made_curve(errors=False)))
    assert found["quality"]["chi2_reduced"] is None
    assert "no error bars" in found["absent"]["quality.chi2_reduced"]
    assert found["model_free"]["peak_q"] is None
    assert "peak" in found["absent"]["model_free.peak_q"]
    assert found["data"]["sigma"] == "estimated"


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_nan_never_appears(fit: Fit, value: float) -> None:
    broken = replace(fit, evidence=replace(fit.evidence, log=value))
    text = dumped([document(broken)])
    assert "NaN" not in text
    assert "Infinity" not in text
    assert "evidence.log" in document(broken)["absent"]


def test_several_solutions_are_listed(wide_fit: Fit) -> None:
    found = document(wide_fit)["parameters"]["pore_volume_fraction"]
    assert found["modes"] == 2
    assert not found["constrained"]
    assert sum(each["share"] for each in found["solutions"]) == pytest.approx(1)


def test_only_a_constrained_value_of_a_curve_in_the_domain_is_trusted(
    fit: Fit, wide_fit: Fit
) -> None:
    foreign = replace(fit, quality=replace(fit.quality, verdict="out_of_domain"))
    assert trusted(document(fit), "radius_mean")
    assert not trusted(document(foreign), "radius_mean")
    assert not trusted(document(wide_fit), "crystalline_fraction")


def test_a_failure_has_a_file_and_a_sentence() -> None:
    assert failure("x/a.dat", "a.dat: is empty.") == {
        "schema": SCHEMA,
        "file": "x/a.dat",
        "error": "a.dat: is empty.",
    }


def test_what_boosted_trees_do_not_know_is_null_with_a_reason(tree_fit: Fit) -> None:
    found = document(tree_fit)
    assert found["method"] == "xgboost"
    assert found["evidence"] == {"log": None, "sd": None}
    assert found["correlation"] == {
        "names": ["radius_mean", "radius_std"],
        "matrix": None,
    }
    assert found["quality"]["p_value"] is None
    for path in (
        "correlation.matrix",
        "evidence.log",
        "evidence.sd",
        "nuisance",
        "quality.effective_samples",
        "quality.p_value",
        "quality.sampling_efficiency",
    ):
        assert "boosted trees" in found["absent"][path]
    assert json.loads(dumped([found])) == [found]
