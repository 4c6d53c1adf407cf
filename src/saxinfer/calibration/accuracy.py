"""How near posterior means come to the truth, and how near they say they do.

For the exact posterior the mean squared error of the posterior mean is the mean
posterior variance: the ratio of their roots is one.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray

__all__ = ["Accuracy"]


@dataclass(frozen=True)
class Accuracy:
    """Of one column, in its unit.

    Attributes:
        rmse: Root mean squared error of the posterior mean.
        r2: Coefficient of determination of the posterior mean [1]; None where all
            truths are the same.
        mean_sd: Mean posterior standard deviation.
        ratio: RMSE over the root of the mean posterior variance [1]: above one where
            posteriors are too narrow; None where they have no width.
    """

    rmse: float
    r2: float | None
    mean_sd: float
    ratio: float | None

    @classmethod
    def of(
        cls,
        truth: Float[ndarray, " curve"],
        mean: Float[ndarray, " curve"],
        sd: Float[ndarray, " curve"],
    ) -> "Accuracy":
        """Compares truths with posterior means and standard deviations."""
        square = float(((mean - truth) ** 2).mean())
        variance, spread = float(truth.var()), float((sd**2).mean())
        return cls(
            rmse=square**0.5,
            r2=1 - square / variance if variance > 0 else None,
            mean_sd=float(sd.mean()),
            ratio=float(np.sqrt(square / spread)) if spread > 0 else None,
        )
