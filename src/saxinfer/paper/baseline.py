"""The paper's baseline on the paper's data set, for both inputs, and its grid search.

Trees see the raw curves: a tree asks only whether a value is above a threshold, so that
a logarithm, or any other rising map of the intensities, would change nothing. The grid
search chooses each column's trees by cross-validation on the mean squared error, on a
part of the training curves, because it grows 36 ensembles a column; trees of the best
sizes are then grown on all training curves.
"""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from saxinfer.inference.trees.boosting import Boosting, Size, fit_trees
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
    np.savez(beside, **vars(found))
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
    part, count = split.train[:SEARCHED], len(curves.columns)
    searching = Boosting(seed=seed, levels=(0.5,), grid_search=True)
    sizes = fit_trees(
        x[part],
        y[part],
        curves.bounds,
        boosting=searching,
        progress=lambda done, total, note: progress(done, 4 * count),
    ).sizes
    value, grown = np.empty((len(split.test), count)), 2 * count
    for size in dict.fromkeys(sizes):
        chosen = np.array([i for i in range(count) if sizes[i] == size])
        trees = fit_trees(
            x[split.train],
            y[np.ix_(split.train, chosen)],
            curves.bounds[chosen],
            boosting=Boosting(size=size, seed=seed, levels=(0.5,)),
            progress=lambda done, total, note, grown=grown: progress(  # type: ignore[misc]
                grown + done, 4 * count
            ),
        )
        value[:, chosen] = trees.predict(x[split.test])
        grown += 2 * len(chosen)
    found = Tuning(len(part), sizes, tuple(r_squared(y[split.test], value).tolist()))
    beside = place.with_suffix(".part")
    beside.write_text(json.dumps(asdict(found)))
    beside.replace(place)
    return found
