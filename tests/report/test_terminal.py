"""The tables on a terminal name every quantity, unit and reason."""

import io

import pytest
from rich.console import Console, RenderableType

from saxinfer.inference.base import Fit
from saxinfer.report.document import document, failure
from saxinfer.report.terminal import choice_table, fit_table, overview_table


def printed(table: RenderableType, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(table)
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def test_a_fit_is_told_in_full(wide_fit: Fit) -> None:
    text = printed(fit_table(wide_fit))
    for quantity in wide_fit.posterior:
        assert quantity.name.replace("_", " ") in text
    for reason in wide_fit.quality.reasons:
        assert reason in text
    assert wide_fit.curve.remarks[0].text in text
    assert "Poor" in text
    assert "2 solutions: 0.45" in text
    assert "m²/cm³" in text
    assert "reduced χ² 2.31" in text


@pytest.mark.parametrize("width", [60, 100, 200])
def test_many_fits_are_told_within_the_width(
    fit: Fit, wide_fit: Fit, width: int
) -> None:
    documents = [document(fit), failure("x.dat", "x.dat: bad."), document(wide_fit)]
    text = printed(overview_table(documents, width), width)
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= width
    assert "spheres" in text
    assert "wood, wet" in text
    assert "more parameters" in text or width == 200


def test_nothing_fitted_is_said() -> None:
    assert "No curve" in printed(overview_table([failure("a", "a: bad.")], 80))


def test_a_fit_by_trees_counts_no_samples(tree_fit: Fit) -> None:
    text = printed(fit_table(tree_fit))
    assert "quantiles of boosted trees" in text
    assert "effective samples" not in text
    assert "nan" not in text
    assert "curve at the predicted values" in text
    assert "instrument and error model" not in text


@pytest.mark.parametrize("width", [80, 200])
def test_a_choice_is_told_in_tables(chosen_fit: Fit, width: int) -> None:
    text = printed(choice_table(document(chosen_fit)), width)
    assert text.startswith("spheres  sphere, with a probability of 80.0 %")
    for rival in chosen_fit.rivals:
        assert rival.model in text
    assert "mean radius by number" in text
    assert "special case" in text
    assert "…" not in text
    assert max(len(line) for line in text.splitlines()) <= width


def test_none_is_told_without_phases(fit_of_none: Fit) -> None:
    text = printed(choice_table(document(fit_of_none)))
    assert "None of these: no model passes; the most probable is sphere" in text
    assert "phase" not in text


@pytest.mark.parametrize("width", [60, 100])
def test_an_overview_names_models_that_were_chosen(
    chosen_fit: Fit, fit_of_none: Fit, fit: Fit, width: int
) -> None:
    documents = [document(chosen_fit), document(fit_of_none)]
    text = printed(overview_table(documents, width), width)
    assert "sphere (80.0 %)" in text
    assert "none (closest: sphere)" in text
    assert max(len(line) for line in text.splitlines()) <= width
    assert "model" not in printed(overview_table([document(fit)], width), width)
