"""``saxinfer identify``: what is asked is done, what cannot be done is said."""

import json
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from saxinfer.structures import MODELS

Run = Callable[..., Any]
Calls = list[dict[str, Any]]

FILES = {"report.html", "fit.json", "fit.h5", "summary.csv", "identify.json"}
TRIED = ("-m", "sphere", "-m", "core_shell_sphere")

# One process fits in the one that was called, where inference can be replaced.
HERE = ("--workers", "1")


@pytest.fixture
def fake_choice(
    fake_fit: Calls, made: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> Calls:
    """Replaces the weighing; curves named ``second`` are of none of the models."""

    def identify(curve: Any, models: tuple[str, ...], **asked: Any) -> Any:
        fake_fit.append({"curve": curve, "models": models, **asked})
        if curve.name == "refused":
            raise ValueError("at least 10 points are needed, got 3.")
        passing = () if curve.name == "second" else ("sphere",)
        return made.made_chosen_fit(curve, passing)

    monkeypatch.setattr("saxinfer.report.series.identify", identify)
    return fake_fit


def names(path: Path) -> set[str]:
    return {child.name for child in path.iterdir()}


def test_one_curve_gives_tables_of_models_and_phases(
    run: Run, fake_choice: Calls, curve_file: Path, tmp_path: Path
) -> None:
    done = run("identify", curve_file, *TRIED, "-o", tmp_path / "out")
    assert done.code == 0
    first, *lines = done.out.splitlines()
    assert first == "first  sphere, with a probability of 80.0 %"
    heading, sphere, shelled, _, _, spheres, *_ = lines
    assert heading.startswith("model ")
    assert sphere.startswith("sphere ")
    assert "80.0 %" in sphere
    assert "−1.39 ± 0.02" in shelled
    assert spheres.startswith("spheres ")
    assert "nm" in spheres
    assert "special case" in done.out
    assert done.out.rstrip().endswith("report.html")
    assert names(tmp_path / "out") == FILES


def test_options_reach_the_weighing(
    run: Run, fake_choice: Calls, curve_file: Path
) -> None:
    done = run(
        *("identify", curve_file, *TRIED, "--weight", "sphere=2", "--seed", "5"),
        *("--q-range", "0.1..", "--json"),
    )
    assert done.code == 0
    (call,) = fake_choice
    assert call["models"] == ("sphere", "core_shell_sphere")
    assert call["weights"] == {"sphere": 2.0}
    assert call["seed"] == 5
    assert call["options"].q_range == (0.1, None)
    assert call["options"].command.startswith("saxinfer identify ")


def test_without_names_all_models_that_can_be_fitted_are_tried(
    run: Run, fake_choice: Calls, curve_file: Path
) -> None:
    assert run("identify", curve_file, "--json").code == 0
    # Every model has an estimator here: loading one is replaced as well.
    assert fake_choice[0]["models"] == tuple(MODELS)


def test_json_of_one_curve_is_a_list_of_one(
    run: Run, fake_choice: Calls, curve_file: Path
) -> None:
    done = run("identify", curve_file, *TRIED, "--json")
    (found,) = json.loads(done.out)
    assert found["schema"] == "saxinfer/identify/1"
    assert found["file"] == str(curve_file)
    assert found["best"] == "sphere"
    assert found["models"]["sphere"]["probability"] == 0.8
    assert found["phases"][0]["name"] == "spheres"


def test_json_of_several_names_none_and_what_could_not_be_read(
    run: Run, fake_choice: Calls, two_curves: tuple[Path, Path], bad_file: Path
) -> None:
    first, second = two_curves
    done = run("identify", first, bad_file, second, *HERE, *TRIED, "--json")
    assert done.code == 3
    here, bad, there = json.loads(done.out)
    assert (here["best"], there["best"]) == ("sphere", "none")
    assert there["phases"] == []
    assert bad["schema"] == "saxinfer/identify/1"
    assert bad["error"].startswith("bad.dat: ")
    assert done.err.startswith("bad.dat: ")


def test_several_curves_have_a_folder_each_and_common_tables(
    run: Run,
    fake_choice: Calls,
    two_curves: tuple[Path, Path],
    bad_file: Path,
    tmp_path: Path,
) -> None:
    out = tmp_path / "out"
    done = run("identify", *two_curves, bad_file, *HERE, *TRIED, "-o", out)
    assert done.code == 3
    assert "first  sphere, with a probability of 80.0 %" in done.out
    assert "second  None of these" in done.out
    assert done.out.rstrip().endswith("index.html")
    common = {"index.html", "fit.json", "summary.csv", "identify.json"}
    assert names(out) == {"first", "second", *common}
    assert names(out / "first") == names(out / "second") == FILES
    told = json.loads((out / "identify.json").read_text("utf-8"))
    assert [found.get("best") for found in told] == ["sphere", "none", None]
    assert told[0]["files"]["identification"] == "first/identify.json"
    page = (out / "index.html").read_text("utf-8")
    assert "closest: sphere" in page
    head, *rows = (out / "summary.csv").read_text("utf-8").splitlines()
    assert {"best", "probability [1]"} < set(head.split(","))
    assert len(rows) == 3


def test_a_curve_that_cannot_be_fitted_ends_with_code_three(
    run: Run, fake_choice: Calls, curve_file: Path
) -> None:
    refused = curve_file.rename(curve_file.with_name("refused.dat"))
    done = run("identify", refused, *TRIED, "--json")
    assert done.code == 3
    assert json.loads(done.out)[0]["error"] == (
        "refused.dat: at least 10 points are needed, got 3."
    )


def test_fit_auto_gives_the_choice_and_the_fit(
    run: Run, fake_choice: Calls, curve_file: Path, tmp_path: Path
) -> None:
    done = run("fit", curve_file, "--model", "auto", "-o", tmp_path / "out")
    assert done.code == 0
    assert fake_choice[0]["models"] == tuple(MODELS)
    answer = done.out.index("sphere, with a probability of 80.0 %")
    assert answer < done.out.index("Good: the model") < done.out.index("radius mean")
    assert names(tmp_path / "out") == FILES


def test_fit_auto_prints_fits_as_json(
    run: Run, fake_choice: Calls, curve_file: Path
) -> None:
    (found,) = json.loads(run("fit", curve_file, "-m", "auto", "--json").out)
    assert found["schema"] == "saxinfer/fit/1"
    assert found["model"] == found["best"] == "sphere"
    assert "radius_mean" in found["parameters"]


def test_fit_auto_of_several_curves_says_which_model_each_has(
    run: Run, fake_choice: Calls, two_curves: tuple[Path, Path]
) -> None:
    done = run("fit", *two_curves, *HERE, "--model", "auto")
    assert done.code == 0
    rows = {line.split()[0]: line for line in done.out.splitlines() if line.strip()}
    assert "sphere (80.0 %)" in rows["first"]
    assert "none (closest: sphere)" in rows["second"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["identify", "-m", "sphear"], ["Unknown model 'sphear'", "sphere"]),
        (["identify", "--weight", "sphere"], ["NAME=W", "'sphere'"]),
        (["identify", "--weight", "sphere=x"], ["NAME=W", "'sphere=x'"]),
        (["identify", "--weight", "sphere=-1"], ["positive", "-1"]),
        (["identify", "--weight", "cube=1"], ["'cube'", "not tried"]),
        (
            ["identify", "--weight", "sphere=1", "--weight", "sphere=2"],
            ["'sphere' twice"],
        ),
        (["identify", "--q-range", "3..1"], ["3..1", "1/nm"]),
        (["fit", "-m", "auto", "-p", "radius_mean=4..6"], ["share no parameters"]),
        (["fit", "-m", "auto", "--method", "xgboost"], ["no evidence", "npe+refine"]),
        (["fit", "-m", "auto", "--estimator", "mine"], ["no estimator", "name one"]),
    ],
)
def test_wrong_use_is_one_plain_sentence(
    run: Run,
    fake_choice: Calls,
    curve_file: Path,
    arguments: list[str],
    words: list[str],
) -> None:
    command, *rest = arguments
    done = run(command, curve_file, *rest)
    assert done.code == 2
    assert done.err.count("\n") == 1
    for word in words:
        assert word in done.err
    assert done.out == ""
    assert fake_choice == []


def test_a_model_without_an_estimator_is_refused_before_the_fits(
    run: Run, curve_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(model: str, folder: Path | None = None) -> None:
        if model == "core_shell_sphere":
            raise ValueError("no trained estimator for 'core_shell_sphere'.")

    monkeypatch.setattr("saxinfer.inference.card.load_estimator", missing)
    done = run("identify", curve_file, *TRIED)
    assert done.code == 2
    assert done.err == "no trained estimator for 'core_shell_sphere'.\n"


def test_a_background_that_cannot_be_read_stops_before_the_fits(
    run: Run, fake_choice: Calls, curve_file: Path, bad_file: Path
) -> None:
    done = run("identify", curve_file, *TRIED, "--background", bad_file)
    assert done.code == 3
    assert done.err.startswith("bad.dat: ")
    assert fake_choice == []


def test_an_unwritable_output_is_found_out_before_the_fits(
    run: Run, fake_choice: Calls, curve_file: Path
) -> None:
    done = run("identify", curve_file, *TRIED, "-o", curve_file / "below")
    assert done.code == 2
    assert "Cannot write to" in done.err
    assert fake_choice == []
