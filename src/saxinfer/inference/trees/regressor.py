"""Regressors of one column by gradient-boosted trees: the one door to xgboost.

A regressor is trained by one thread, so that the same curves give the same trees, bit
for bit, however many regressors are trained at a time.

References:
    Chen & Guestrin, Proc. 22nd ACM SIGKDD (2016) 785: XGBoost.
"""

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import numpy as np
from jaxtyping import Float
from numpy import ndarray

__all__ = [
    "FOLDS",
    "SIZES",
    "Size",
    "fold_error",
    "mean_regressor",
    "quantile_regressor",
    "read_regressor",
    "searched_size",
    "write_regressor",
    "xgboost_version",
]

# Histogram bins of the quantiles' features. The mean has xgboost's own 256, as the
# paper's learner; here a quarter takes half the time at the same pinball loss.
BINS = 64

FOLDS: Final = 3
"""Parts of cross-validation."""


@dataclass(frozen=True)
class Size:
    """How large an ensemble of trees is, and how fast it learns.

    Attributes:
        rounds: Number of trees.
        rate: Learning rate.
        depth: Largest depth of a tree.
    """

    rounds: int = 100
    rate: float = 0.1
    depth: int = 5


SIZES: Final = tuple(
    Size(rounds, rate, depth)
    for rounds, rate, depth in product((100, 200), (0.05, 0.1), (3, 5, 7))
)
"""What the grid search tries."""


def mean_regressor(
    x: Float[ndarray, "curve feature"],
    y: Float[ndarray, " curve"],
    size: Size,
    seed: int,
) -> Any:  # noqa: ANN401
    """A regressor of the mean, by squared error.

    Raises:
        ImportError: If xgboost or scikit-learn is missing.
    """
    return _untrained(size, seed, objective="reg:squarederror").fit(x, y)


def quantile_regressor(
    x: Float[ndarray, "curve feature"],
    y: Float[ndarray, " curve"],
    levels: tuple[float, ...],
    size: Size,
    seed: int,
) -> Any:  # noqa: ANN401
    """A regressor of several quantiles, by pinball loss.

    Raises:
        ImportError: If xgboost or scikit-learn is missing.
    """
    model = _untrained(
        size,
        seed,
        objective="reg:quantileerror",
        quantile_alpha=np.array(levels),
        max_bin=BINS,
    )
    return model.fit(x, y)


def fold_error(
    x: Float[ndarray, "curve feature"],
    y: Float[ndarray, " curve"],
    size: Size,
    fold: int,
    seed: int,
) -> float:
    """Mean squared error on one of ``FOLDS`` parts of trees grown on the others.

    Raises:
        ImportError: If xgboost or scikit-learn is missing.
    """
    _xgboost()
    from sklearn.model_selection import KFold

    parts = KFold(FOLDS, shuffle=True, random_state=seed).split(x)
    learnt, left = list(parts)[fold]
    model = mean_regressor(x[learnt], y[learnt], size, seed)
    return float(np.mean(np.square(model.predict(x[left]) - y[left])))


def searched_size(
    x: Float[ndarray, "curve feature"], y: Float[ndarray, " curve"], seed: int
) -> Size:
    """The size with the least cross-validated squared error, of ``SIZES``.

    Raises:
        ImportError: If xgboost or scikit-learn is missing.
    """

    def error(size: Size) -> float:
        return sum(fold_error(x, y, size, fold, seed) for fold in range(FOLDS))

    return min(SIZES, key=error)


def write_regressor(model: Any, path: Path) -> None:  # noqa: ANN401
    """Writes a regressor as UBJSON."""
    model.save_model(path)


def read_regressor(path: Path) -> Any:  # noqa: ANN401
    """Reads a regressor.

    Raises:
        OSError: If it is not there.
    """
    if not path.exists():
        raise FileNotFoundError(2, "No such file", str(path))
    model = _xgboost().XGBRegressor(n_jobs=1)
    model.load_model(path)
    return model


def xgboost_version() -> str:
    """Version of xgboost, for the card."""
    return str(_xgboost().__version__)


def _xgboost() -> ModuleType:
    """xgboost, whose regressors need scikit-learn; or a sentence on how to get them."""
    try:
        import sklearn  # noqa: F401
        import xgboost
    except ImportError as error:
        raise ImportError(
            "boosted trees need xgboost and scikit-learn. Install them with "
            "pip install 'saxinfer[baseline]'."
        ) from error
    module: ModuleType = xgboost
    return module


def _untrained(size: Size, seed: int, **objective: Any) -> Any:  # noqa: ANN401
    return _xgboost().XGBRegressor(
        n_estimators=size.rounds,
        learning_rate=size.rate,
        max_depth=size.depth,
        random_state=seed,
        n_jobs=1,
        **objective,
    )
