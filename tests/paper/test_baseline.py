"""The baseline predicts every test curve, and keeps what it found."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from saxinfer.inference.trees.boosting import Boosting, fit_trees
from saxinfer.paper import baseline as stage
from saxinfer.paper.baseline import Tuning, baseline, tuned
from saxinfer.paper.data import (
    Experiment,
    LabelledCurves,
    Split,
    paper_recipe,
)
from saxinfer.paper.scores import r_squared

COLUMNS = 2

Loaded = Callable[[Path], ModuleType]


@pytest.fixture(scope="module")
def made(loaded: Loaded) -> ModuleType:
    return loaded(Path(__file__).parents[1] / "report" / "made_paper.py")


@pytest.fixture(scope="module")
def experiment() -> Experiment:
    return Experiment(paper_recipe(50, pixels=768, points=12), 3)


@pytest.fixture(scope="module")
def curves(made: ModuleType, experiment: Experiment) -> LabelledCurves:
    """The first columns are enough."""
    every: LabelledCurves = made.made_curves(experiment)
    return replace(
        every, truth=every.truth[:, :COLUMNS], columns=every.columns[:COLUMNS]
    )


@pytest.fixture(scope="module")
def split(experiment: Experiment) -> Split:
    return Split.of(experiment)


def test_the_baseline_is_the_papers_learner_on_raw_curves(
    curves: LabelledCurves, split: Split, tmp_path: Path
) -> None:
    found = baseline(curves, split, "absolute", tmp_path / "x.npz", seed=42)
    from xgboost import XGBRegressor

    paper = XGBRegressor(
        objective="reg:squarederror",
        n_estimators=100,
        learning_rate=0.1,
        max_depth=5,
        random_state=42,
        n_jobs=1,
    ).fit(curves.intensity[split.train], curves.truth[split.train, 0])
    expected = paper.predict(curves.intensity[split.test])
    # xgboost itself rounds to single precision.
    np.testing.assert_allclose(found.value[:, 0], expected, rtol=1e-6)
    assert found.rows.tolist() == split.test.tolist()
    assert (found.low <= found.high).all()
    np.testing.assert_array_equal(found.least, found.value)


def test_what_was_predicted_is_read_and_not_grown_again(
    curves: LabelledCurves,
    split: Split,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[tuple[int, int]] = []
    first = baseline(
        curves,
        split,
        "unknown",
        tmp_path / "x.npz",
        seed=42,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told[-1] == (2 * COLUMNS, 2 * COLUMNS)
    assert [path.name for path in tmp_path.iterdir()] == ["x.npz"]
    monkeypatch.setattr(stage, "fit_trees", None)
    again = baseline(curves, split, "unknown", tmp_path / "x.npz", seed=42)
    for name in vars(first):
        np.testing.assert_array_equal(getattr(again, name), getattr(first, name))


def test_trees_without_a_scale_do_not_see_a_factor(
    curves: LabelledCurves, split: Split, tmp_path: Path
) -> None:
    factor = np.geomspace(0.1, 10, len(curves.intensity))[:, None]
    scaled = replace(curves, intensity=curves.intensity * factor)
    first = baseline(curves, split, "unknown", tmp_path / "a.npz", seed=1)
    second = baseline(scaled, split, "unknown", tmp_path / "b.npz", seed=1)
    # Rounding of a factor may move a threshold by one digit, but no curve past it.
    np.testing.assert_allclose(second.value, first.value, rtol=1e-5)


@pytest.mark.slow
def test_the_grid_search_grows_trees_of_the_sizes_it_found(
    curves: LabelledCurves, split: Split, tmp_path: Path
) -> None:
    told: list[tuple[int, int]] = []
    found = tuned(
        curves,
        split,
        tmp_path / "tuning.json",
        seed=42,
        progress=lambda done, total: told.append((done, total)),
    )
    # Twelve sizes by three folds, and the trees of the best size.
    assert told == [(n, 37 * COLUMNS) for n in range(37 * COLUMNS + 1)]
    assert found.curves == len(split.train)
    for place, size in enumerate(found.sizes):
        trees = fit_trees(
            curves.intensity[split.train],
            curves.truth[split.train, place : place + 1],
            curves.bounds[place : place + 1],
            boosting=Boosting(size=size, levels=(0.5,)),
        )
        value = trees.predict(curves.intensity[split.test])
        truth = curves.truth[split.test, place : place + 1]
        assert found.r2[place] == pytest.approx(r_squared(truth, value)[0])
    kept = (tmp_path / "tuning.json").read_text()
    assert Tuning.from_json(kept) == found
    assert json.loads(kept)["curves"] == len(split.train)
    assert tuned(curves, split, tmp_path / "tuning.json", seed=42) == found
    # A search that was stopped goes on from the errors that it knew.
    (tmp_path / "tuning.json").unlink()
    errors = json.loads((tmp_path / "grid.json").read_text())
    known = dict(list(errors.items())[10:])
    (tmp_path / "grid.json").write_text(json.dumps(known))
    told.clear()
    again = tuned(
        curves,
        split,
        tmp_path / "tuning.json",
        seed=42,
        progress=lambda done, total: told.append((done, total)),
    )
    assert told[0] == (36 * COLUMNS - 10, 37 * COLUMNS)
    assert again == found
