"""The experiment as a whole: kept stage by stage, the same however it was stopped."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from saxinfer.inference import FitOptions
from saxinfer.inference.refine import Effort
from saxinfer.paper.data import (
    SCALES,
    Experiment,
    ExperimentError,
    Split,
    paper_recipe,
)
from saxinfer.paper.experiment import Outcome, begin, options_for, reproduce
from saxinfer.paper.fits import FittedCurve

Loaded = Callable[[Path], ModuleType]


@pytest.fixture(scope="module")
def made(loaded: Loaded) -> ModuleType:
    return loaded(Path(__file__).parents[1] / "report" / "made_paper.py")


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    recipe = paper_recipe(40, pixels=768, points=12)
    return Experiment(recipe, 4, grid_search=False)


@pytest.fixture(scope="module")
def outcome(
    made: ModuleType, experiment: Experiment, tmp_path_factory: pytest.TempPathFactory
) -> Outcome:
    """Of a library and fits that were there, and trees that were not."""
    folder = tmp_path_factory.mktemp("paper")
    curves = made.write_library(folder / "own.zarr", experiment)
    made.keep_fits(folder, curves, Split.of(experiment).fitted)
    begin(folder, experiment, FitOptions(), resume=False)
    return reproduce(experiment, folder, FitOptions(), library=folder / "own.zarr")


def test_both_methods_are_scored_on_the_same_curves(
    experiment: Experiment, outcome: Outcome
) -> None:
    for scale in SCALES:
        ours = outcome.predictions["ours", scale]
        trees = outcome.predictions["baseline", scale]
        assert ours.rows.tolist() == outcome.split.fitted.tolist()
        assert trees.rows.tolist() == outcome.split.test.tolist()
        for column in outcome.curves.columns:
            name = column.name
            assert outcome.score("ours", scale, name).curves == 4
            assert outcome.score("baseline", scale, name).curves == 4
            assert outcome.score("baseline", scale, name, "test").curves == 8
    assert len(outcome.scores) == 2 * 3 * 10


def test_scores_are_of_the_predictions(outcome: Outcome) -> None:
    found = outcome.predictions["ours", "unknown"]
    truth = outcome.curves.truth[found.rows, 0]
    error = np.sqrt(np.mean(np.square(found.value[:, 0] - truth)))
    assert outcome.score("ours", "unknown", "alpha_mean").rmse == pytest.approx(error)
    with pytest.raises(KeyError, match="no score of ours, unknown, nothing"):
        outcome.score("ours", "unknown", "nothing")


def test_fits_are_given_the_prior_of_the_data_set_and_its_scale(
    experiment: Experiment,
) -> None:
    own = FitOptions(windows={"alpha_mean": (1.0, 2.0)}, command="x")
    known = options_for(experiment, "absolute", 0.02, own)
    assert known.windows == {"mu": (0.625, 1.0)}
    assert (known.absolute, known.command) == (True, "x")
    assert known.scale_error == 0.02
    unknown = options_for(experiment, "unknown", 0.02, own)
    assert (unknown.absolute, unknown.scale_error) == (False, 0.0)


def test_a_folder_is_taken_once(experiment: Experiment, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "paper"
    begin(folder, experiment, FitOptions(command="first"), resume=True)
    begin(folder, experiment, FitOptions(command="second"), resume=True)
    with pytest.raises(ExperimentError, match="Add --resume to go on"):
        begin(folder, experiment, FitOptions(), resume=False)


@pytest.mark.parametrize("resume", [True, False])
def test_a_folder_that_holds_another_experiment_is_refused(
    experiment: Experiment, tmp_path: Path, resume: bool
) -> None:
    begin(tmp_path, experiment, FitOptions(), resume=False)
    before = (tmp_path / "experiment.json").read_text()
    more = replace(experiment, recipe=replace(experiment.recipe, count=50))
    others = [
        (more, FitOptions(), "count: it has 40, but 50 is asked for"),
        (
            replace(experiment, seed=1),
            FitOptions(),
            "seed: it has 42, but 1 is asked for",
        ),
        (replace(experiment, test_curves=3), FitOptions(), "test_curves: it has 4"),
        (experiment, FitOptions(effort=Effort(scan=1)), "made with other options"),
    ]
    for other, options, words in others:
        with pytest.raises(ExperimentError, match=words):
            begin(tmp_path, other, options, resume=resume)
    assert (tmp_path / "experiment.json").read_text() == before


def test_the_grid_search_may_be_added_later(
    experiment: Experiment, tmp_path: Path
) -> None:
    begin(tmp_path, experiment, FitOptions(), resume=False)
    begin(tmp_path, replace(experiment, grid_search=True), FitOptions(), resume=True)


def test_an_experiment_without_fits_says_why(
    made: ModuleType, experiment: Experiment, tmp_path: Path
) -> None:
    made.write_library(tmp_path / "own.zarr", experiment)
    begin(tmp_path, experiment, FitOptions(), resume=False)
    place = tmp_path / "fits" / "absolute"
    place.mkdir(parents=True)
    for row in Split.of(experiment).fitted.tolist():
        refused = json.dumps(vars(FittedCurve(row, refused="too noisy.")))
        (place / f"{row:06d}.json").write_text(refused)
    with pytest.raises(ExperimentError, match=r"4 could not be fitted.*too noisy\."):
        reproduce(experiment, tmp_path, FitOptions(), library=tmp_path / "own.zarr")
