"""A worker makes fit and report, or says why there is none."""

import pickle
from dataclasses import replace
from typing import Any

import pytest

from saxinfer.inference import FitOptions
from saxinfer.inference.base import Fit
from saxinfer.report import series
from saxinfer.report.folder import FILES
from saxinfer.report.series import Request, Task

REQUEST = Request("sphere", FitOptions(), seed=4)


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch, fit: Fit) -> None:
    def run(curve: Any, model: str, *, options: Any, seed: int) -> Fit:
        assert (model, options, seed) == ("sphere", REQUEST.options, 4)
        if curve.name == "refused":
            raise ValueError("at least 10 points\nare needed, got 3.")
        if curve.name == "broken":
            raise RuntimeError("matrix is singular")
        return fit

    monkeypatch.setattr(series, "run", run)
    monkeypatch.setattr("saxinfer.report.page.report_page", lambda fit: "<p>page</p>")


@pytest.mark.usefixtures("fits")
def test_a_task_comes_back_with_its_report(fit: Fit) -> None:
    task = pickle.loads(pickle.dumps(Task(7, fit.curve, REQUEST, "wood")))
    done = pickle.loads(pickle.dumps(task.done()))
    assert done.number == 7
    assert done.report.name == "wood"
    assert set(done.report.files) == set(FILES.values())
    assert done.report.files["report.html"] == b"<p>page</p>"
    assert done.document["files"]["report"] == "wood/report.html"


def test_models_to_choose_from_are_weighed(
    chosen_fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    names, weights = ("sphere", "core_shell_sphere"), {"sphere": 2.0}
    request = Request("", REQUEST.options, seed=4, models=names, weights=weights)

    def identify(curve: Any, models: Any, **asked: Any) -> Fit:
        assert curve is chosen_fit.curve
        assert (models, asked["weights"], asked["seed"]) == (names, weights, 4)
        assert asked["options"] is REQUEST.options
        return chosen_fit

    monkeypatch.setattr(series, "identify", identify)
    found = Task(0, chosen_fit.curve, request, None).done().document
    assert found["best"] == "sphere"


@pytest.mark.usefixtures("fits")
def test_without_a_folder_there_is_a_document_only(fit: Fit) -> None:
    done = Task(0, fit.curve, REQUEST, None).done()
    assert done.report is None
    assert done.document["model"] == fit.model


@pytest.mark.usefixtures("fits")
def test_a_curve_that_cannot_be_fitted_has_a_sentence(fit: Fit) -> None:
    refused = replace(fit.curve, name="refused", file="data/wet.dat")
    done = Task(1, refused, REQUEST, "wet").done()
    assert done.report is None
    assert done.document["error"] == ("wet.dat: at least 10 points are needed, got 3.")


@pytest.mark.usefixtures("fits")
def test_what_is_not_the_fault_of_the_curve_is_raised_for_debugging(fit: Fit) -> None:
    broken = replace(fit.curve, name="broken")
    assert (
        "matrix is singular" in Task(1, broken, REQUEST, None).done().document["error"]
    )
    with pytest.raises(RuntimeError, match="singular"):
        Task(1, broken, replace(REQUEST, debug=True), None).done()
