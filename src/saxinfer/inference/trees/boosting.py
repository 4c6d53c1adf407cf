r"""The paper's baseline: boosted trees, one regressor a column, with honest intervals.

The point prediction is the paper's learner as it stands: squared error, 100 rounds,
learning rate 0.1, depth 5, seed 42. Nothing keeps it within the bounds of a parameter,
and :meth:`Trees.predict` leaves it as it comes. Beside it stand trees of the same size
for a few quantiles (pinball loss), learnt without a fifth of the curves, which then
says by how much they are wrong (:mod:`saxinfer.inference.trees.conformal`). Columns
with a logarithmic prior have their quantiles learnt in the logarithm, where small
values count as much as large ones; a quantile is the same on either scale.

How strange a curve is to the trees is how far its features lie beyond the range of
those learnt from, in units of that range.

References:
    Chakraborty, Accelerated phase identification using deep learning for retrieving
    physical parameters from SAXS data (2025), section 3: the learner. Koenker,
    Quantile Regression (2005): pinball loss.
"""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from safetensors import safe_open
from safetensors.numpy import save_file

from saxinfer.inference.trees.conformal import (
    conformal_p,
    corrections,
    honest_quantiles,
    split,
)
from saxinfer.inference.trees.regressor import (
    Size,
    mean_regressor,
    quantile_regressor,
    read_regressor,
    searched_size,
    write_regressor,
)

__all__ = ["Boosting", "Size", "Trees", "fit_trees"]

TABLES = "tables.safetensors"

Progress = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Boosting:
    """How trees are grown; as the paper grew them, unless said otherwise.

    Attributes:
        size: Rounds, learning rate and depth.
        seed: Seed of the trees and of the split.
        held_out: Share of the curves that calibrate the quantiles.
        levels: Shares of the quantiles that are learnt, symmetric about one half.
        grid_search: Choose the size of each column's trees by cross-validation on the
            mean squared error instead.
    """

    size: Size = field(default_factory=Size)
    seed: int = 42
    held_out: float = 0.2
    levels: tuple[float, ...] = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99)
    grid_search: bool = False

    def __post_init__(self) -> None:
        if self.seed < 0:
            raise ValueError(f"seed must not be negative, got {self.seed}.")
        if not 0 < self.held_out < 1:
            raise ValueError(
                f"held_out must lie between 0 and 1, got {self.held_out:g}. A fifth, "
                "0.2, is usual."
            )
        mirrored = tuple(round(1 - level, 12) for level in reversed(self.levels))
        if (
            mirrored != self.levels
            or sorted(set(self.levels)) != list(self.levels)
            or 0.5 not in self.levels
        ):
            raise ValueError(
                "levels must rise, be symmetric about one half and hold it, got "
                f"{self.levels}. (0.05, 0.5, 0.95) is the shortest for 90 %."
            )


@dataclass(frozen=True, eq=False)
class Trees:
    """Boosted trees for every column, with calibrated quantiles.

    Attributes:
        means: The paper's regressor of each column.
        guesses: The quantile regressors of each column.
        sizes: What size each column's trees have.
        boosting: How they were grown.
        bounds: What each column cannot leave.
        logarithmic: Whether a column's quantiles were learnt in the logarithm.
        correction: What calibration adds to each quantile (to its logarithm).
        seen: Smallest and largest value of each feature that was learnt from.
        strangeness: How far each calibration curve lies beyond them.
    """

    means: tuple[Any, ...]
    guesses: tuple[Any, ...]
    sizes: tuple[Size, ...]
    boosting: Boosting
    bounds: Float[ndarray, "column 2"]
    logarithmic: tuple[bool, ...]
    correction: Float[ndarray, "column level"]
    seen: Float[ndarray, "2 feature"]
    strangeness: Float[ndarray, " calibration"]

    def predict(
        self, x: Float[ndarray, "curve feature"]
    ) -> Float[ndarray, "curve column"]:
        """The paper's point predictions, as they come: they may be out of bounds."""
        columns = [model.predict(x).astype(np.float64) for model in self.means]
        return np.stack(columns, -1)

    def quantiles(
        self, x: Float[ndarray, "curve feature"]
    ) -> Float[ndarray, "curve column level"]:
        """Calibrated quantiles at ``boosting.levels``, in order and within bounds."""
        guess = _guessed(self.guesses, x)
        log = np.array(self.logarithmic)
        ends = _warped(self.bounds.T, log).T
        honest = honest_quantiles(guess, self.correction, ends)
        honest[:, log] = np.exp(honest[:, log])
        low, high = self.bounds[:, :1], self.bounds[:, 1:]
        clipped: ndarray = np.clip(honest, low, high)
        return clipped

    def intervals(
        self, x: Float[ndarray, "curve feature"], level: float = 0.9
    ) -> tuple[Float[ndarray, "curve column"], Float[ndarray, "curve column"]]:
        """Central intervals that hold a share ``level`` of the true values.

        On average over the distribution that was learnt from, that is.

        Raises:
            ValueError: If no quantiles were learnt for that level.
        """
        levels = self.boosting.levels
        known = [round(high - low, 12) for low, high in _pairs(levels)]
        if round(level, 12) not in known:
            raise ValueError(
                f"no intervals of level {level:g} were learnt; there are "
                f"{', '.join(f'{each:g}' for each in known) or 'none'}. Name other "
                "levels when the trees are grown."
            )
        place = known.index(round(level, 12))
        quantiles = self.quantiles(x)
        return quantiles[:, :, place], quantiles[:, :, len(levels) - 1 - place]

    def familiarity(
        self, x: Float[ndarray, "curve feature"]
    ) -> Float[ndarray, " curve"]:
        """Share of curves at least as strange; small for a foreign one.

        One in a hundred curves like those learnt from has 0.01 or less.
        """
        return conformal_p(self.strangeness, _strangeness(self.seen, x))

    def save(self, folder: Path) -> None:
        """Writes each model as UBJSON, and what calibration found."""
        for name, models in (("mean", self.means), ("quantiles", self.guesses)):
            for index, model in enumerate(models):
                write_regressor(model, folder / f"{name}_{index}.ubj")
        about = {
            "sizes": [asdict(size) for size in self.sizes],
            "boosting": asdict(self.boosting),
            "logarithmic": self.logarithmic,
        }
        arrays = {
            "bounds": self.bounds,
            "correction": self.correction,
            "seen": self.seen,
            "strangeness": self.strangeness,
        }
        # A view of another array would be written as that array.
        whole = {name: np.ascontiguousarray(part) for name, part in arrays.items()}
        save_file(whole, folder / TABLES, {"about": json.dumps(about)})

    @classmethod
    def load(cls, folder: Path) -> "Trees":
        """Reads what :meth:`save` wrote.

        Raises:
            OSError: If a file is not there.
        """
        with safe_open(folder / TABLES, "numpy") as file:
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
            about = json.loads(file.metadata()["about"])
        size = Size(**about["boosting"].pop("size"))
        levels = tuple(about["boosting"].pop("levels"))
        count = len(arrays["bounds"])
        return cls(
            means=_read(folder, "mean", count),
            guesses=_read(folder, "quantiles", count),
            sizes=tuple(Size(**each) for each in about["sizes"]),
            boosting=Boosting(size=size, levels=levels, **about["boosting"]),
            logarithmic=tuple(about["logarithmic"]),
            **arrays,
        )


def fit_trees(
    x: Float[ndarray, "curve feature"],
    y: Float[ndarray, "curve column"],
    bounds: Float[ndarray, "column 2"],
    *,
    logarithmic: tuple[bool, ...] = (),
    boosting: Boosting | None = None,
    progress: Progress = lambda done, total, note: None,
) -> Trees:
    """Grows trees from curves to the values behind them.

    The point predictions are learnt from all curves, the quantiles from those that
    calibration leaves.

    Args:
        x: Features of the curves, or their intensities on one grid.
        y: True values, one column a quantity, each in its unit.
        bounds: What each column cannot leave.
        logarithmic: Columns whose quantiles are learnt in the logarithm; none if empty.
        boosting: How to grow them; as the paper did by default.
        progress: Called after each model with models done, all models, and a note.

    Raises:
        ImportError: If xgboost or scikit-learn is missing.
        ValueError: If there are too few curves, or values out of bounds.
    """
    boosting = boosting or Boosting()
    logarithmic = logarithmic or (False,) * y.shape[1]
    _check(x, y, bounds)
    training, calibration = split(len(x), boosting.held_out, boosting.seed)
    goal = _warped(y, np.array(logarithmic))
    grower = _Grower(x, y, goal, training, boosting)
    means, guesses, sizes = grower.grown(progress)
    seen = np.stack([x[training].min(0), x[training].max(0)]).astype(np.float64)
    return Trees(
        means=means,
        guesses=guesses,
        sizes=sizes,
        boosting=boosting,
        bounds=bounds.astype(np.float64),
        logarithmic=logarithmic,
        correction=corrections(
            _guessed(guesses, x[calibration]), goal[calibration], boosting.levels
        ),
        seen=seen,
        strangeness=_strangeness(seen, x[calibration]),
    )


@dataclass(frozen=True, eq=False)
class _Grower:
    """Curves, values, what the quantiles are learnt of, and from which rows."""

    x: ndarray
    y: ndarray
    goal: ndarray
    training: ndarray
    boosting: Boosting

    def grown(
        self, progress: Progress
    ) -> tuple[tuple[Any, ...], tuple[Any, ...], tuple[Size, ...]]:
        """Regressors of all columns: means, quantiles, and their sizes."""
        columns = range(self.y.shape[1])
        total = 2 * len(columns)
        # Each model has one thread: more would add up in another order every time.
        pool = ThreadPoolExecutor(max(1, torch.get_num_threads()))
        try:
            first = [pool.submit(self._mean, column) for column in columns]
            means, sizes, second = [], [], []
            for column in columns:
                model, size = first[column].result()
                means.append(model)
                sizes.append(size)
                second.append(pool.submit(self._guess, column, size))
                progress(column + 1, total, "models")
            guesses = []
            for column in columns:
                guesses.append(second[column].result())
                progress(len(columns) + column + 1, total, "models")
        finally:
            pool.shutdown(wait=True, cancel_futures=True)
        return tuple(means), tuple(guesses), tuple(sizes)

    def _mean(self, column: int) -> tuple[Any, Size]:
        """The paper's regressor of one column, and the size it has."""
        goal, boosting = self.y[:, column], self.boosting
        size = boosting.size
        if boosting.grid_search:
            size = searched_size(self.x, goal, boosting.seed)
        return mean_regressor(self.x, goal, size, boosting.seed), size

    def _guess(self, column: int, size: Size) -> Any:  # noqa: ANN401
        """Quantile regressors of one column."""
        x, goal = self.x[self.training], self.goal[self.training, column]
        levels = self.boosting.levels
        return quantile_regressor(x, goal, levels, size, self.boosting.seed)


def _read(folder: Path, name: str, count: int) -> tuple[Any, ...]:
    paths = (folder / f"{name}_{index}.ubj" for index in range(count))
    return tuple(read_regressor(path) for path in paths)


def _check(x: ndarray, y: ndarray, bounds: ndarray) -> None:
    """Refuses what no trees can be grown from."""
    if len(x) < 20:
        raise ValueError(
            f"boosted trees need 20 curves at least, got {len(x)}. 10,000 are usual."
        )
    slack = 1e-6 * np.abs(bounds).max(1)
    outside = (y < bounds[:, 0] - slack) | (y > bounds[:, 1] + slack)
    if outside.any():
        row, column = (int(place[0]) for place in outside.nonzero())
        low, high = bounds[column]
        raise ValueError(
            f"column {column} must lie between {low:g} and {high:g}, but curve {row} "
            f"has {y[row, column]:g}. Give the bounds of the prior it was drawn from."
        )


def _pairs(levels: tuple[float, ...]) -> Iterator[tuple[float, float]]:
    """Lower and upper shares of the central intervals, the widest first."""
    half = len(levels) // 2
    return zip(levels[:half], levels[:half:-1], strict=True)


def _warped(values: ndarray, logarithmic: ndarray) -> ndarray:
    """Columns, the logarithmic ones as logarithms."""
    warped = values.astype(np.float64)
    warped[..., logarithmic] = np.log(warped[..., logarithmic])
    return warped


def _guessed(models: tuple[Any, ...], x: ndarray) -> ndarray:
    """Uncorrected quantiles, shape [curve, column, level]."""
    columns = [model.predict(x).astype(np.float64) for model in models]
    # Of one level only it has no axis of levels.
    return np.stack([column.reshape(len(x), -1) for column in columns], 1)


def _strangeness(seen: ndarray, x: ndarray) -> ndarray:
    """How far features lie beyond a range, in units of it, summed."""
    low, high = seen
    beyond = np.maximum(low - x, 0) + np.maximum(x - high, 0)
    # What never varied in training is told apart from what varied a little.
    width = np.maximum(high - low, 1e-3)
    total: ndarray = (beyond / width).sum(1)
    return total
