"""The paper's baseline on the paper's data set, for both inputs, and its grid search.

Trees see the raw curves: a tree asks only whether a value is above a threshold, so that
a logarithm, or any other rising map of the intensities, would change nothing. The grid
search chooses each column's trees by cross-validation on the mean squared error, on a
part of the training curves, because it grows 36 ensembles a column; trees of the best
sizes are then grown on all training curves.
"""

import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from saxinfer.crew import cores
from saxinfer.inference.trees.boosting import Boosting, Size, fit_trees
from saxinfer.inference.trees.regressor import (
    FOLDS,
    SIZES,
    fold_error,
    mean_regressor,
)
from saxinfer.paper.data import MODEL, LabelledCurves, Scale, Split
from saxinfer.paper.scores import LEVEL, Predictions, r_squared
from saxinfer.structures import get_structure

__all__ = ["SEARCHED", "Tuning", "baseline", "tuned"]

Progress = Callable[[int, int], None]

SEARCHED = 2000
"""Most training curves that the grid search uses."""


@dataclass(frozen=True)
class Tuning:
    """What the grid search found.

    Attributes:
        curves: Number of training curves that it used.
        sizes: Best size of each column's trees.
        r2: R² of trees of these sizes on all test curves [1], by column.
    """

    curves: int
    sizes: tuple[Size, ...]
    r2: tuple[float, ...]

    @classmethod
    def from_json(cls, text: str) -> "Tuning":
        """What :func:`tuned` keeps."""
        found = json.loads(text)
        sizes = tuple(Size(**each) for each in found["sizes"])
        return cls(found["curves"], sizes, tuple(found["r2"]))


def baseline(
    curves: LabelledCurves,
    split: Split,
    scale: Scale,
    place: Path,
    *,
    seed: int,
    progress: Progress = lambda done, total: None,
) -> Predictions:
    """Predictions and conformal intervals of the paper's trees for all test curves.

    Args:
        curves: The data set.
        split: Which curves to learn from and to predict.
        scale: What the trees are shown.
        place: File that keeps the result, and is read if it exists.
        seed: Seed of the trees.
        progress: Told how many models are grown, of how many.
    """
    if place.exists():
        with np.load(place) as kept:
            return Predictions(**kept)
    x, low = curves.inputs(scale), (1 - LEVEL) / 2
    space = get_structure(MODEL).space
    logarithmic = {p.name for p in space if p.prior == "log-uniform"}
    trees = fit_trees(
        x[split.train],
        curves.truth[split.train],
        curves.bounds,
        logarithmic=tuple(column.name in logarithmic for column in curves.columns),
        boosting=Boosting(seed=seed, levels=(round(low, 9), 0.5, round(1 - low, 9))),
        progress=lambda done, total, note: progress(done, total),
    )
    value = trees.predict(x[split.test])
    ends = trees.intervals(x[split.test], LEVEL)
    found = Predictions(split.test, value, *ends, least=value, most=value)
    # The suffix is savez's own condition for not adding another.
    beside = place.with_suffix(".part.npz")
    np.savez(beside, **{k: part for k, part in vars(found).items() if part is not None})
    beside.replace(place)
    return found


def tuned(
    curves: LabelledCurves,
    split: Split,
    place: Path,
    *,
    seed: int,
    progress: Progress = lambda done, total: None,
) -> Tuning:
    """The grid search on curves of known scale, and what it changes.

    Args:
        curves: The data set.
        split: Which curves to learn from and to predict.
        place: File that keeps the result, and is read if it exists.
        seed: Seed of the trees and of the folds.
        progress: Told how many models are grown, of how many.
    """
    if place.exists():
        return Tuning.from_json(place.read_text())
    x, y = curves.inputs("absolute"), curves.truth
    part, columns = split.train[:SEARCHED], range(len(curves.columns))
    grid = [(c, s, f) for c in columns for s in SIZES for f in range(FOLDS)]
    total = len(grid) + len(columns)
    # Every error is kept as soon as it is known.
    store = place.with_name("grid.json")
    errors = json.loads(store.read_text()) if store.exists() else {}

    def error(column: int, size: Size, fold: int) -> float:
        return fold_error(x[part], y[part, column], size, fold, seed)

    def quality(column: int, size: Size) -> float:
        trees = mean_regressor(x[split.train], y[split.train, column], size, seed)
        told = trees.predict(x[split.test])[:, None]
        return float(r_squared(y[split.test, column : column + 1], told)[0])

    # Each model has one thread: more would add up in another order every time.
    pool = ThreadPoolExecutor(cores())
    try:
        waiting = {
            pool.submit(error, *job): _name(*job)
            for job in grid
            if _name(*job) not in errors
        }
        progress(len(errors), total)
        for done in as_completed(waiting):
            errors[waiting[done]] = done.result()
            _keep(errors, store)
            progress(len(errors), total)
        sizes = tuple(_best(errors, column) for column in columns)
        grown = [
            pool.submit(quality, c, s) for c, s in zip(columns, sizes, strict=True)
        ]
        r2 = []
        for each in grown:
            r2.append(each.result())
            progress(len(grid) + len(r2), total)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)
    found = Tuning(len(part), sizes, tuple(r2))
    _keep(asdict(found), place)
    return found


def _name(column: int, size: Size, fold: int) -> str:
    """What one model of the grid search is called in its file."""
    return f"column {column}, {size.rounds} x {size.rate}, {size.depth} deep, {fold}"


def _best(errors: dict[str, float], column: int) -> Size:
    """The size with the least squared error of all folds."""

    def error(size: Size) -> float:
        return sum(errors[_name(column, size, fold)] for fold in range(FOLDS))

    return min(SIZES, key=error)


def _keep(found: dict[str, Any], place: Path) -> None:
    """Writes a file, whole or not at all."""
    beside = place.with_suffix(".part")
    beside.write_text(json.dumps(found))
    beside.replace(place)
