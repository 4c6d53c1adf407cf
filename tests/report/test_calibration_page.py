"""The page of a calibration is whole, and its tables are complete."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

from saxinfer.report.calibration_page import (
    calibration_document,
    calibration_page,
    ranks_table,
    scores_table,
    write_calibration,
)

SOURCES = dict.fromkeys(
    ("coverage", "ranks", "joint", "conditions"), "data:image/svg+xml,"
)

Loaded = Callable[[Path], ModuleType]


@pytest.fixture(scope="module")
def made(loaded: Loaded) -> ModuleType:
    return loaded(Path(__file__).with_name("made_calibration.py"))


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
    made: ModuleType, tmp_path: Path
) -> None:
    calibration, study = made.made_calibration("sphere", 60), made.made_study("s", 60)
    page = write_calibration(calibration, study, tmp_path, "saxinfer calibrate <s>")
    parser = _Balance()
    text = page.read_text(encoding="utf-8")
    parser.feed(text)
    assert parser.open == []
    assert len(parser.images) == 4
    assert all(image.startswith("data:image/svg+xml") for image in parser.images)
    assert {file.name for file in tmp_path.iterdir()} == {"index.html", *parser.links}
    assert "saxinfer calibrate &lt;s&gt;" in text


def test_the_page_begins_with_what_holds(made: ModuleType) -> None:
    calibration = made.made_calibration("cellulose", 100)
    study = made.made_study("cellulose", 100)
    text = calibration_page(calibration, study, SOURCES, "x")
    assert text.index("statements hold") < text.index("<h2>")
    assert "98 of 100 curves fitted; verdicts: 93 good, 5 poor" in text
    assert "0123456789ab" in text
    # Sentences of a method are text, not markup; their numbers are left out.
    assert "… of … &lt;points&gt; lie between" in text
    assert "more than … %: take care." in text
    assert not re.search(r"\b(None|nan|inf)\b", text)


def test_a_page_without_joint_posterior_and_verdicts_says_so(made: ModuleType) -> None:
    calibration = made.made_calibration("sphere", 60, verdicts=False, joint=False)
    sources = {name: source for name, source in SOURCES.items() if name != "joint"}
    text = calibration_page(calibration, made.made_study("s", 60), sources, "x")
    assert "Not judged: this method says of each column" in text
    assert "This method gives no verdict." in text
    assert "Fits called good" not in text


def test_ranks_have_a_row_for_each_curve_refused_ones_included(
    made: ModuleType, tmp_path: Path
) -> None:
    calibration = made.made_calibration("sphere", 60)
    ranks_table(calibration).to_csv(tmp_path / "ranks.csv", index=False)
    table = pd.read_csv(tmp_path / "ranks.csv")
    assert len(table) == 60
    assert int(table["rank_radius_mean"].notna().sum()) == 58
    curve = calibration.curves[11]
    row = table.loc[table["row"] == 11].iloc[0]
    assert row["rank_radius_std"] == curve.ranks[1]
    assert row["truth_radius_mean"] == pytest.approx(curve.truth[0])
    assert row["rank_joint"] == curve.joint
    assert table["refused"].notna().sum() == 2


def test_scores_are_of_all_fits_and_of_good_ones(made: ModuleType) -> None:
    calibration = made.made_calibration("sphere", 100)
    table = scores_table(calibration).set_index(["fits", "column"])
    assert list(table.index.get_level_values(1)) == [
        "radius_mean", "radius_std", "joint",
    ] * 2  # fmt: skip
    assert table.loc[("all", "radius_mean"), "curves"] == 98
    assert table.loc[("good", "radius_mean"), "curves"] == 93
    expected = calibration.accuracy()[0].rmse
    assert table.loc[("all", "radius_mean"), "rmse"] == expected


def test_the_document_is_plain_json_without_nan(made: ModuleType) -> None:
    for kind in ({}, {"verdicts": False, "joint": False}):
        calibration = made.made_calibration("sphere", 60, **kind)
        study = made.made_study("sphere", 60)
        found = calibration_document(calibration, study, Path("x/index.html"))
        again = json.loads(json.dumps(found, allow_nan=False))
        assert again["schema"] == "saxinfer/calibration/1"
        assert again["fitted"] == 58
        counts = {
            each["of"]
            for each in again["bins"]
            if each["condition"] == "noise" and each["low"] is None
        }
        assert len(counts) == 1
        assert again["refusals"][0]["curves"] == [58, 59]
        assert bool(again["false_alarms"]) == bool(not kind)
