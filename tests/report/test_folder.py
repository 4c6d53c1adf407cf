"""Results are written whole or not at all."""

import csv
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from saxinfer.inference.base import Fit
from saxinfer.report import ReportFolder, folder, write_report
from saxinfer.report.document import failure

FILES = {"report.html", "fit.json", "fit.h5", "summary.csv"}


@pytest.fixture(autouse=True)
def _quick_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("saxinfer.report.page.report_page", lambda fit: "<p>page</p>")


def names(path: Path) -> set[str]:
    return {child.name for child in path.iterdir()}


def test_one_curve_is_written_into_the_folder_itself(fit: Fit, tmp_path: Path) -> None:
    (found,) = write_report([fit], tmp_path / "deep" / "out")
    assert names(tmp_path / "deep" / "out") == FILES
    (stored,) = json.loads((tmp_path / "deep/out/fit.json").read_text("utf-8"))
    assert stored == found
    assert set(stored["files"].values()) == FILES


def test_several_curves_have_a_folder_each_and_a_common_table(
    fit: Fit, wide_fit: Fit, tmp_path: Path
) -> None:
    write_report([fit, wide_fit, fit], tmp_path)
    assert names(tmp_path) == {
        "spheres",
        "spheres_0-2",
        "wood_wet",
        "index.html",
        "fit.json",
        "summary.csv",
    }
    for sub in ("spheres", "spheres_0-2", "wood_wet"):
        assert names(tmp_path / sub) == FILES
    documents = json.loads((tmp_path / "fit.json").read_text("utf-8"))
    for found in documents:
        for file in found["files"].values():
            assert (tmp_path / file).exists()
    with (tmp_path / "summary.csv").open(encoding="utf-8") as file:
        assert len(list(csv.DictReader(file))) == 3


def test_a_chosen_model_has_its_identification_beside_the_fit(
    chosen_fit: Fit, fit: Fit, tmp_path: Path
) -> None:
    write_report([chosen_fit], tmp_path / "one")
    assert names(tmp_path / "one") == {*FILES, "identify.json"}
    (alone,) = json.loads((tmp_path / "one/identify.json").read_text("utf-8"))
    assert alone["schema"] == "saxinfer/identify/1"
    assert set(alone["files"].values()) == names(tmp_path / "one")

    write_report([chosen_fit, chosen_fit], tmp_path / "two")
    told = json.loads((tmp_path / "two/identify.json").read_text("utf-8"))
    assert [found["best"] for found in told] == ["sphere", "sphere"]
    for found in told:
        assert (tmp_path / "two" / found["files"]["identification"]).exists()

    write_report([fit, fit], tmp_path / "named")
    assert "identify.json" not in names(tmp_path / "named")


def test_a_second_run_replaces_the_first(fit: Fit, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    write_report([fit], tmp_path)
    (tmp_path / "report.html").write_text("old")
    write_report([fit], tmp_path)
    assert names(tmp_path) == {*FILES, "notes.txt"}
    assert (tmp_path / "report.html").read_text() == "<p>page</p>"


def test_an_interrupted_report_leaves_nothing(
    fit: Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(fit: Fit) -> str:
        raise KeyboardInterrupt

    monkeypatch.setattr("saxinfer.report.page.report_page", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_report([fit], tmp_path / "new" / "out")
    assert names(tmp_path) == set()


def test_an_interrupted_series_keeps_what_was_finished(
    fit: Fit, wide_fit: Fit, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages: Iterator[str] = iter(["first"])

    def second_is_interrupted(fit: Fit) -> str:
        for page in pages:
            return page
        raise KeyboardInterrupt

    monkeypatch.setattr("saxinfer.report.page.report_page", second_is_interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_report([fit, wide_fit], tmp_path)
    assert names(tmp_path) == {"spheres", "index.html", "fit.json", "summary.csv"}
    assert names(tmp_path / "spheres") == FILES


def test_an_unwritable_place_is_found_out_at_once(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for place in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OSError, match=r"file"):
            ReportFolder(place, several=False)


def test_a_folder_made_for_nothing_is_taken_back(tmp_path: Path) -> None:
    made = ReportFolder(tmp_path / "a" / "b", several=False)
    made.finish()
    assert names(tmp_path) == set()


def test_a_series_of_failures_has_its_table(tmp_path: Path) -> None:
    made = ReportFolder(tmp_path, several=True)
    made.add_failure(failure("a.dat", "a.dat: is empty."))
    made.finish()
    assert "a.dat: is empty." in (tmp_path / "summary.csv").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("plain", "plain"),
        ("a/b\\c:d", "a_b_c_d"),
        ("..", "curve"),
        ("", "curve"),
        ("CON", "CON_"),
        (".hidden", "hidden"),
        ("träne 50 °C", "träne_50_C"),
    ],
)
def test_names_of_folders_are_safe_everywhere(text: str, name: str) -> None:
    assert folder.safe_name(text) == name
