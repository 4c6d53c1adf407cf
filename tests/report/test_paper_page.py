"""The page of the paper's experiment is whole, and its tables are complete."""

import importlib.util
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from saxinfer.paper.experiment import Outcome
from saxinfer.report.paper_page import (
    paper_page,
    predictions_table,
    scores_table,
    write_paper,
)

SOURCES = dict.fromkeys(
    ("scatter_absolute", "scatter_unknown", "overview", "examples"),
    "data:image/svg+xml,",
)


@pytest.fixture(scope="module")
def outcome() -> Outcome:
    path = Path(__file__).with_name("made_paper.py")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    made: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(made)
    found: Outcome = made.made_outcome()
    return found


class _Balance(HTMLParser):
    """Remembers which elements are open, and what is asked for."""

    VOID = ("meta", "img", "br", "link", "input", "hr")

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.images: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.images += [value or "" for name, value in attrs if name == "src"]
        self.links += [value or "" for name, value in attrs if name == "href"]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_folder_holds_page_tables_and_figures(
    outcome: Outcome, tmp_path: Path
) -> None:
    page = write_paper(outcome, tmp_path, "saxinfer reproduce paper -o x")
    assert page == tmp_path / "index.html"
    parser = _Balance()
    parser.feed(page.read_text(encoding="utf-8"))
    assert parser.open == []
    assert len(parser.images) == 4
    assert all(image.startswith("data:image/svg+xml") for image in parser.images)
    assert {file.name for file in tmp_path.iterdir()} == {"index.html", *parser.links}
    assert (len(pd.read_csv(tmp_path / "scores.csv"))) == len(outcome.scores)


def test_the_page_states_the_box_the_prior_and_the_command(outcome: Outcome) -> None:
    text = paper_page(outcome, SOURCES, "saxinfer reproduce paper -o <x>")
    assert "1024 × 1024 pixels of 0.125 nm" in text
    assert "mu from 0.4688 to 1 nm⁻¹ (the model allows 0.05 to 1 nm⁻¹)" in text
    assert "120 rings from" in text
    assert "saxinfer reproduce paper -o &lt;x&gt;" in text
    assert "320 to learn from, 80 held out, 40 of these fitted" in text
    assert not re.search(r"\b(None|nan|inf)\b", text)


def test_names_of_columns_are_in_words_and_reasons_are_given(outcome: Outcome) -> None:
    text = paper_page(outcome, SOURCES, "x")
    for column in outcome.curves.columns:
        assert column.name.replace("_", " ") in text
    assert "gives the same curve: two solutions" in text
    assert "39 of 40 curves fitted; verdicts: 39 good." in text
    assert "<b>no</b>" not in text


def test_a_page_without_grid_search_says_so(outcome: Outcome) -> None:
    text = paper_page(replace(outcome, tuning=None), SOURCES, "x")
    assert "That was left out here." in text
    assert "R² with these" not in text
    assert "R² with these" in paper_page(outcome, SOURCES, "x")


def test_predictions_have_a_row_for_each_test_curve_input_and_column(
    outcome: Outcome,
) -> None:
    table = predictions_table(outcome)
    assert len(table) == 80 * 2 * 10
    assert int(table["posterior_mean"].notna().sum()) == 40 * 2 * 10
    place = [c.name for c in outcome.curves.columns].index("mu")
    found = outcome.predictions["ours", "unknown"]
    row = int(found.rows[3])
    chosen = table[
        (table["curve"] == row)
        & (table["scale"] == "unknown")
        & (table["column"] == "mu")
    ]
    assert len(chosen) == 1
    assert chosen["truth"].item() == outcome.curves.truth[row, place]
    assert chosen["posterior_mean"].item() == found.value[3, place]
    assert chosen["unit"].item() == "1/nm"


def test_scores_say_which_columns_are_identifiable(outcome: Outcome) -> None:
    table = scores_table(outcome).set_index(["column", "scale", "learner", "sample"])
    assert table.loc[("alpha_mean", "absolute", "ours", "fitted"), "identifiable"]
    assert not table.loc[("phi_grf1", "absolute", "ours", "fitted"), "identifiable"]
