"""Mirrors src/saxinfer/inference/trees/regressor.py."""

import sys
from itertools import product
from pathlib import Path

import numpy as np
import pytest
from numpy import ndarray

from saxinfer.inference.trees import regressor
from saxinfer.inference.trees.regressor import (
    Size,
    mean_regressor,
    quantile_regressor,
    read_regressor,
    searched_size,
    write_regressor,
    xgboost_version,
)


def steps(count: int = 90, seed: int = 0) -> tuple[ndarray, ndarray]:
    """A staircase with noise, which trees can learn."""
    rng = np.random.default_rng(seed)
    x = rng.uniform(0, 4, size=(count, 2))
    return x, np.floor(x[:, 0]) + 0.1 * rng.normal(size=count)


def test_the_mean_is_the_papers_learner() -> None:
    from xgboost import XGBRegressor

    x, y = steps()
    paper = XGBRegressor(
        objective="reg:squarederror",
        n_estimators=100,
        learning_rate=0.1,
        max_depth=5,
        random_state=42,
        n_jobs=1,
    )
    ours = mean_regressor(x, y, Size(), 42)
    assert (ours.predict(x) == paper.fit(x, y).predict(x)).all()


def test_the_same_curves_and_seed_give_the_same_trees() -> None:
    x, y = steps()
    one, other = (
        quantile_regressor(x, y, (0.05, 0.5, 0.95), Size(), 42).predict(x)
        for _ in range(2)
    )
    assert (one == other).all()


def test_quantiles_part_the_training_curves_as_they_should() -> None:
    x, y = steps(2000)
    found = quantile_regressor(x, y, (0.1, 0.5, 0.9), Size(), 42).predict(x)
    # On the curves learnt from, a pinball fit is right up to the size of its leaves.
    assert (y[:, None] <= found).mean(0) == pytest.approx([0.1, 0.5, 0.9], abs=0.05)


def test_a_regressor_comes_back_as_it_was_written(tmp_path: Path) -> None:
    x, y = steps()
    for model in (
        mean_regressor(x, y, Size(), 42),
        quantile_regressor(x, y, (0.1, 0.5, 0.9), Size(), 42),
    ):
        write_regressor(model, tmp_path / "one.ubj")
        assert (
            read_regressor(tmp_path / "one.ubj").predict(x) == model.predict(x)
        ).all()


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        read_regressor(tmp_path / "none.ubj")
    assert caught.value.filename == str(tmp_path / "none.ubj")


def test_the_search_finds_the_size_that_predicts_best(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # The whole grid takes long; what is tried makes no difference to the search.
    rounds, rates, depths = (5, 20), (0.1, 0.3), (1, 3)
    every = tuple(Size(n, r, d) for n, r, d in product(rounds, rates, depths))
    monkeypatch.setattr(regressor, "SIZES", every)
    from sklearn.model_selection import KFold, cross_val_score
    from xgboost import XGBRegressor

    x, y = steps(60)
    found = searched_size(x, y, 42)
    folds = KFold(3, shuffle=True, random_state=42)

    def error(size: Size) -> float:
        model = XGBRegressor(
            n_estimators=size.rounds,
            learning_rate=size.rate,
            max_depth=size.depth,
            random_state=42,
            n_jobs=1,
        )
        kind = "neg_mean_squared_error"
        return float(-cross_val_score(model, x, y, scoring=kind, cv=folds).mean())

    assert found in every
    assert error(found) == pytest.approx(min(map(error, every)), rel=1e-12)


@pytest.mark.parametrize("missing", ["xgboost", "sklearn"])
def test_without_the_extra_it_is_said_how_to_get_it(
    monkeypatch: pytest.MonkeyPatch, missing: str
) -> None:
    monkeypatch.setitem(sys.modules, missing, None)
    with pytest.raises(ImportError, match=r"pip install 'saxinfer\[baseline\]'"):
        xgboost_version()
