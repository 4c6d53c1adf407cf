"""What is said of a choice: the schema, the words, and what is left unsaid."""

import json
from dataclasses import replace
from typing import Any

import pytest

from saxinfer.inference.base import Evidence, Fit
from saxinfer.report.choice import (
    SCHEMA,
    choice_words,
    chosen,
    headline,
    identification,
    identified,
    model_lines,
    phase_lines,
)
from saxinfer.report.document import document, failure


def only(fit: Fit, *names: str) -> Fit:
    return replace(fit, rivals=tuple(r for r in fit.rivals if r.model in names))


def test_the_document_holds_every_model_and_every_phase(chosen_fit: Fit) -> None:
    (found,) = json.loads(identification([document(chosen_fit)]))
    assert found["schema"] == SCHEMA == "saxinfer/identify/1"
    assert found["file"] == chosen_fit.curve.file
    assert found["best"] == "sphere"
    assert list(found["models"]) == ["sphere", "core_shell_sphere", "cellulose"]
    assert found["models"]["core_shell_sphere"] == {
        "prior": pytest.approx(1 / 3),
        "probability": 0.1999,
        "log_evidence": -124.787,
        "log_evidence_sd": 0.02,
        "verdict": "poor",
        "passes": False,
    }
    (spheres,) = found["phases"]
    assert spheres["name"] == "spheres"
    assert spheres["length"]["unit"] == "nm"
    assert spheres["length"]["q05"] < spheres["length"]["median"]
    assert spheres["length"]["median"] < spheres["length"]["q95"]


def test_what_is_null_has_its_reason(chosen_fit: Fit) -> None:
    found = identified(document(chosen_fit))
    assert found["phases"][0]["fraction"] is None
    assert found["absent"] == {
        "phases[0].fraction": "the model does not know it",
        "phases[0].contrast": "the model does not know it",
    }


def test_a_fit_whose_model_was_chosen_is_a_fit_with_the_choice_besides(
    chosen_fit: Fit, fit: Fit
) -> None:
    plain, found = document(fit), document(chosen_fit)
    assert set(found) - set(plain) == {"best", "models", "nested", "phases", "notes"}
    assert found["schema"] == plain["schema"]
    assert found["parameters"] == plain["parameters"]


def test_none_has_no_phases(fit_of_none: Fit) -> None:
    found = document(fit_of_none)
    assert found["best"] == "none"
    assert found["phases"] == []
    assert phase_lines(found) == []
    assert found["models"]["sphere"]["probability"] == 0.8


def test_a_failure_keeps_its_sentence(chosen_fit: Fit) -> None:
    documents = [failure("x/b.dat", "b.dat: is empty."), document(chosen_fit)]
    failed, found = json.loads(identification(documents))
    assert failed == {"schema": SCHEMA, "file": "x/b.dat", "error": "b.dat: is empty."}
    assert found["best"] == "sphere"


def test_nested_pairs_are_named_and_explained_if_both_are_left(
    chosen_fit: Fit,
) -> None:
    found = chosen(chosen_fit)
    pair = {"special_case": "sphere", "of": "core_shell_sphere", "undecided": True}
    assert found["nested"] == [pair]
    (note,) = found["notes"]
    assert note.startswith("sphere is a special case of core_shell_sphere")

    first, second, third = chosen_fit.rivals
    rare = replace(second, probability=0.001)
    found = chosen(replace(chosen_fit, rivals=(first, rare, third)))
    assert found["nested"] == [pair | {"undecided": False}]
    assert found["notes"] == []


def test_that_only_a_less_probable_model_passes_is_said(chosen_fit: Fit) -> None:
    first, second, third = chosen_fit.rivals
    swapped = (
        replace(first, passes=False),
        replace(second, probability=0.001),
        replace(third, passes=True),
    )
    (note,) = chosen(replace(chosen_fit, rivals=swapped))["notes"]
    assert note == (
        "sphere is the most probable, but does not pass its check; what passes: "
        "cellulose."
    )


def test_evidences_within_their_errors_are_called_as_good_as_equal(
    chosen_fit: Fit,
) -> None:
    rough = tuple(
        replace(rival, evidence=Evidence(rival.evidence.log, 2.0))
        for rival in chosen_fit.rivals
    )
    assert len(chosen(chosen_fit)["notes"]) == 1
    first, _ = chosen(replace(chosen_fit, rivals=rough))["notes"]
    assert "sphere and core_shell_sphere are as good as equal" in first


@pytest.mark.parametrize(
    ("names", "passing", "says"),
    [
        ((), True, "sphere, with a probability of 80.0 %"),
        (("sphere",), True, "sphere passes; no other model was tried"),
        ((), False, "None of these: no model passes; the most probable is sphere"),
        (("sphere",), False, "None of these: sphere does not pass"),
    ],
)
def test_the_answer_is_one_line(
    chosen_fit: Fit, fit_of_none: Fit, names: Any, passing: bool, says: str
) -> None:
    fit = chosen_fit if passing else fit_of_none
    assert headline(chosen(only(fit, *names) if names else fit)) == says


def test_an_answer_claims_no_certainty(chosen_fit: Fit) -> None:
    first, *others = chosen_fit.rivals
    sure = (replace(first, probability=1 - 1e-9), *others)
    said = headline(chosen(replace(chosen_fit, rivals=sure)))
    assert said == "sphere, with a probability of more than 99.9 %"


def test_an_answer_is_short_enough_for_a_cell(
    chosen_fit: Fit, fit_of_none: Fit
) -> None:
    assert choice_words(chosen(chosen_fit)) == ("sphere", "80.0 %")
    assert choice_words(chosen(fit_of_none)) == ("none", "closest: sphere")


def test_models_are_printed_with_their_evidence_less_the_first(
    chosen_fit: Fit,
) -> None:
    first, second, third = model_lines(document(chosen_fit))
    assert (first.model, first.prior) == ("sphere", "33.3 %")
    assert first.probability == "80.0 %"
    assert (first.evidence, first.passes) == ("0 ± 0.02", "yes")
    assert second.evidence == "−1.39 ± 0.02"
    assert (third.probability, third.verdict) == ("< 0.1 %", "out of domain")
    assert third.passes == "no"


def test_an_evidence_without_an_error_is_printed_with_a_dash(chosen_fit: Fit) -> None:
    first, *others = chosen_fit.rivals
    odd = replace(first, evidence=Evidence(-123.4, float("nan")))
    found = document(replace(chosen_fit, rivals=(odd, *others)))
    assert model_lines(found)[0].evidence == "0 ± –"


def test_a_phase_is_printed_with_its_interval_unit_and_meaning(
    chosen_fit: Fit,
) -> None:
    (line,) = phase_lines(document(chosen_fit))
    value, meaning = line.length
    assert value == "4.997 (4.913 to 5.083) nm"
    assert meaning == "mean radius by number"
    assert line.fraction == line.contrast == ("–", "")


def test_several_solutions_are_printed_with_their_shares(chosen_fit: Fit) -> None:
    found = document(chosen_fit)
    length = found["phases"][0]["length"]
    length["solutions"] = [
        {"median": 4.0, "share": 0.7},
        {"median": 8.0, "share": 0.3},
    ]
    assert phase_lines(found)[0].length[0] == "4.00 (70 %) or 8.00 (30 %) nm"


def test_what_is_exact_has_no_interval(chosen_fit: Fit) -> None:
    found = document(chosen_fit)
    exact = {"median": 1.0, "q05": 1.0, "q95": 1.0, "unit": "1", "meaning": "set"}
    found["phases"][0]["contrast"] = {**exact, "fixed": True, "solutions": []}
    assert phase_lines(found)[0].contrast == ("1", "set")


def test_what_the_curve_does_not_say_stands_in_brackets(chosen_fit: Fit) -> None:
    found = document(chosen_fit)
    assert found["phases"][0]["length"]["constrained"]
    found["phases"][0]["length"]["constrained"] = False
    assert phase_lines(found)[0].length[0] == "[4.997 (4.913 to 5.083) nm]"
