"""The report is whole without a network and says everything in words."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from types import ModuleType

import pytest

from saxinfer.curve import Remark
from saxinfer.inference.base import Fit
from saxinfer.report import figures
from saxinfer.report.document import document, failure
from saxinfer.report.page import index_page, report_page


@pytest.fixture
def page(wide_fit: Fit, _no_figures: None) -> str:
    return report_page(wide_fit)


@pytest.fixture
def _no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("curve", "prior", "corner", "correlation", "rivals"):
        monkeypatch.setattr(figures, f"{name}_figure", lambda *_: None)
    monkeypatch.setattr(figures, "image_source", lambda _: "data:image/svg+xml,")


class _Balance(HTMLParser):
    """Remembers which elements are open."""

    VOID = ("meta", "img", "br", "link", "input", "hr")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.sources: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.sources += [v or "" for k, v in attrs if k in ("src", "href")]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_well_formed_and_asks_nothing_of_a_network(fit: Fit) -> None:
    parser, page = _Balance(), report_page(fit)
    parser.feed(page)
    assert parser.open == []
    assert parser.sources
    assert all(source.startswith("data:image/svg+xml") for source in parser.sources)
    assert "@import" not in page
    assert "<script" not in page


def test_the_verdict_and_its_reasons_come_first(page: str, wide_fit: Fit) -> None:
    first_table = page.index("<table")
    assert page.index("Poor: the model") < first_table
    for reason in wide_fit.quality.reasons:
        assert page.index(reason) < first_table


def test_every_quantity_is_in_words_with_its_unit(page: str, wide_fit: Fit) -> None:
    for quantity in wide_fit.posterior:
        assert quantity.name.replace("_", " ") in page
    assert "m²/cm³" in page
    assert "2 solutions" in page
    assert "points scatter twice as much" in page


def test_the_page_says_how_to_repeat_and_cite_it(page: str, wide_fit: Fit) -> None:
    assert wide_fit.provenance.command in page
    assert wide_fit.provenance.estimator in page
    assert "How to cite" in page
    assert wide_fit.curve.remarks[0].text in page


@pytest.mark.usefixtures("_no_figures")
def test_names_from_files_cannot_write_html(made: ModuleType) -> None:
    curve = replace(
        made.made_curve(),
        name="<script>alert(1)</script>",
        remarks=(Remark("<b>bold</b>"),),
    )
    text = report_page(made.made_fit(curve))
    assert "<script" not in text
    assert "<b>" not in text


@pytest.mark.usefixtures("_no_figures")
def test_a_fit_without_errors_and_peak_says_so(made: ModuleType) -> None:
    text = report_page(made.made_fit(made.made_curve(errors=False)))
    assert "none: the file has no error bars" in text
    assert "none: no peak stands out" in text
    assert not re.search(r"\b(None|nan|inf)\b", text)


@pytest.mark.usefixtures("_no_figures")
def test_a_choice_has_its_tables_and_its_figure(chosen_fit: Fit) -> None:
    page = report_page(chosen_fit)
    parser = _Balance()
    parser.feed(page)
    assert parser.open == []
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "Which model? sphere, with a probability of 80.0 %." in text
    for rival in chosen_fit.rivals:
        assert rival.model in text
    assert "ln evidence, less the first" in text
    assert "Phases phase fraction contrast length spheres – –" in text
    assert "mean radius by number" in text
    assert "sphere is a special case of core_shell_sphere" in text
    assert "Residuals of each model against q." in page


@pytest.mark.usefixtures("_no_figures")
def test_where_no_model_passes_there_are_no_phases(fit_of_none: Fit, fit: Fit) -> None:
    page = report_page(fit_of_none)
    assert "None of these: no model passes" in page
    assert "Phases" not in page
    assert "Which model?" not in report_page(fit)


def test_the_index_says_which_models_were_chosen(
    chosen_fit: Fit, fit_of_none: Fit, fit: Fit
) -> None:
    failed = failure("x/b.dat", "b.dat: empty.")
    text = index_page([document(chosen_fit), failed, document(fit_of_none)], {})
    parser = _Balance()
    parser.feed(text)
    assert parser.open == []
    assert "identify.json" in parser.sources
    assert "<td>sphere<small>80.0 %</small></td>" in text
    assert "<td>none<small>closest: sphere</small></td>" in text
    assert 'colspan="4"' in text
    plain = index_page([document(fit)], {})
    # Values of a model that does not pass are not to be quoted.
    assert text.count("[") > plain.count("[")
    assert "<th>model</th>" not in plain
    assert "identify.json" not in plain


def test_the_index_links_fits_and_names_failures(fit: Fit, wide_fit: Fit) -> None:
    documents = [document(fit), failure("x/b.dat", "b.dat: empty."), document(wide_fit)]
    text = index_page(documents, {0: "spheres/report.html", 2: "wood/report.html"})
    parser = _Balance()
    parser.feed(text)
    assert parser.open == []
    assert "spheres/report.html" in parser.sources
    assert "b.dat: empty." in text
    assert "2 fitted, 1 not." in text


def test_a_fit_by_trees_claims_nothing_that_trees_do_not_know(tree_fit: Fit) -> None:
    parser, page = _Balance(), report_page(tree_fit)
    parser.feed(page)
    assert parser.open == []
    # Of the curve, and of prior and posterior; none of pairs.
    assert sum(source.startswith("data:image") for source in parser.sources) == 2
    text = " ".join(re.sub(r"<[^>]+>", " ", page).split())
    assert "on average over the prior" in text
    assert "with a probability of 90 %" not in text
    assert "Not known: boosted trees speak of each quantity alone." in text
    assert "none: boosted trees have no likelihood" in text
    assert "Effective posterior samples" not in text
    assert "These were fitted along with the sample" not in text
    assert "nan" not in text.lower().split()
    assert "0.0123457" in text
