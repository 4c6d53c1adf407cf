"""One or many curves: reports as they come, failures named, progress told."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from saxinfer.cli.inputs import Unreadable
from saxinfer.cli.plain import WrongUseError
from saxinfer.cli.series import fit_curves
from saxinfer.crew import CrewError
from saxinfer.curve import Curve
from saxinfer.inference import FitOptions
from saxinfer.inference.base import Fit
from saxinfer.report.series import Request

SPHERE = Request("sphere", FitOptions())
CHOICE = Request("", FitOptions(), models=("sphere", "core_shell_sphere"))
BAD = Unreadable("data/bad.dat", "bad.dat: is empty.")
HERE = (1, "")


@pytest.fixture
def curves(made: ModuleType) -> list[Curve]:
    return [replace(made.made_curve(60), name=name) for name in ("one", "two")]


@pytest.fixture
def told(
    made: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> list[Callable[[int, str], None] | None]:
    """Replaces the weighing of models, which tells what it begins."""
    begun: list[Callable[[int, str], None] | None] = []

    def identify(curve: Any, models: tuple[str, ...], **asked: Any) -> Fit:
        begun.append(asked["begun"])
        for done, name in enumerate(models):
            if asked["begun"] is not None:
                asked["begun"](done, name)
        fit: Fit = made.made_chosen_fit(curve)
        return fit

    monkeypatch.setattr("saxinfer.report.series.identify", identify)
    return begun


def names(path: Path) -> set[str]:
    return {child.name for child in path.iterdir()}


@pytest.mark.usefixtures("fake_fit")
def test_one_curve_comes_back_with_its_fit(curves: list[Curve]) -> None:
    (found,), fit = fit_curves(SPHERE, [curves[0]], None, HERE)
    assert fit is not None
    assert fit.curve is curves[0]
    assert found["model"] == fit.model == "sphere"


def test_one_file_that_cannot_be_read_leaves_no_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (found,), fit = fit_curves(SPHERE, [BAD], tmp_path / "deep" / "out", HERE)
    assert fit is None
    assert found["error"] == BAD.sentence
    assert capsys.readouterr().err == f"{BAD.sentence}\n"
    assert names(tmp_path) == set()


@pytest.mark.usefixtures("fake_fit")
def test_documents_of_many_keep_the_order_of_the_files(
    curves: list[Curve], tmp_path: Path
) -> None:
    inputs: list[Curve | Unreadable] = [curves[0], BAD, curves[1]]
    documents, _ = fit_curves(SPHERE, inputs, tmp_path / "out", HERE)
    assert [found.get("error") for found in documents] == [None, BAD.sentence, None]
    titles = [found["entry"]["name"] for found in documents if "entry" in found]
    assert titles == ["one", "two"]
    assert {"spheres", "spheres_0-2", "index.html"} < names(tmp_path / "out")


def test_a_crew_that_is_lost_is_said_with_what_is_kept(
    curves: list[Curve], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lost(*_: object) -> None:
        raise CrewError("No worker answers.")

    monkeypatch.setattr("saxinfer.crew.Crew.ready", lost)
    with pytest.raises(WrongUseError, match="0 of 2 curves were fitted") as error:
        fit_curves(SPHERE, curves, tmp_path / "out", (2, ""))
    assert str(error.value).endswith("What was finished is kept.")
    assert names(tmp_path) == set()


def test_an_unwritable_place_says_to_name_another(
    curves: list[Curve], tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WrongUseError, match="Name another folder with -o"):
        fit_curves(SPHERE, [curves[0]], tmp_path / "file" / "out", HERE)


@pytest.mark.usefixtures("told")
def test_a_terminal_is_told_which_of_several_models_is_fitted(
    curves: list[Curve],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    fit_curves(CHOICE, [curves[0]], None, HERE)
    out, err = capsys.readouterr()
    assert "1/2" in err
    assert "models, now core_shell_sphere" in err
    assert out == ""


def test_elsewhere_nothing_is_told_of_the_models(
    told: list[Callable[[int, str], None] | None],
    curves: list[Curve],
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, fit = fit_curves(CHOICE, [curves[0]], None, HERE)
    assert fit is not None
    assert len(fit.rivals) == 3
    assert told == [None]
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("fake_fit")
def test_a_terminal_is_told_how_many_curves_are_fitted(
    curves: list[Curve],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    fit_curves(SPHERE, [*curves, BAD], None, HERE)
    err = capsys.readouterr().err
    assert "3/3" in err
    assert "a minute" in err
    assert BAD.sentence in err
