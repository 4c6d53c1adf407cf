"""Beliefs in quantities one by one, where nothing is known of them together.

A regressor of quantiles speaks of each quantity alone. Its answer is held as equally
likely points of each quantile function, shuffled column by column: the rows mean
nothing, and correlations are zero because they are unknown. Nor do a few quantiles
tell one broad peak from two, so that no second solution is ever claimed.
"""

import math

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Generator, Tensor

from saxinfer.inference.trees.conformal import interpolated
from saxinfer.posterior import Posterior, Quantity

__all__ = ["POINTS", "Marginals", "marginals_of"]

# So many that shares of 0.05 and 0.95 each fall on a point.
POINTS = 1010


class Marginals(Posterior):
    """Independent columns of equally likely points; see the module's docstring."""

    def _peaks(self, name: str) -> list[tuple[float, float]]:
        """One: quantiles cannot tell more."""
        self._index(name)
        return [(-math.inf, math.inf)]


def marginals_of(
    quantities: tuple[Quantity, ...],
    quantiles: Float[ndarray, "quantity level"],
    levels: tuple[float, ...],
    prior: Float[Tensor, "draw quantity"],
    generator: Generator,
) -> Marginals:
    """Equally likely points of every quantity's quantile function.

    Between the levels it is interpolated, in the logarithm where the prior is flat in
    that.

    Args:
        quantities: Names, units and bounds.
        quantiles: Values at the levels [each quantity's unit].
        levels: Shares of the quantiles.
        prior: Draws of the quantities before the measurement.
        generator: Shuffles the columns.

    Example:
        >>> length = Quantity("length", "nm", "Length.", "parameter", 0, 10)
        >>> flat = torch.linspace(0, 10, 101).double()[:, None]
        >>> belief = marginals_of(
        ...     (length,), np.array([[4.0, 5.0, 6.0]]), (0.05, 0.5, 0.95), flat,
        ...     Generator().manual_seed(0),
        ... )
        >>> round(belief.quantile("length", 0.05), 6)
        4.0
    """
    shares = (np.arange(POINTS) + 0.5) / POINTS
    columns = []
    for quantity, row in zip(quantities, quantiles, strict=True):
        warp, back = (np.log, np.exp) if quantity.logarithmic else (_same, _same)
        drawn = back(interpolated(warp(row), levels, shares))
        points = torch.from_numpy(np.clip(drawn, row[0], row[-1]))
        columns.append(points[torch.randperm(POINTS, generator=generator)])
    return Marginals(
        quantities=quantities,
        samples=torch.stack(columns, -1),
        weights=torch.full((POINTS,), 1 / POINTS, dtype=torch.float64),
        prior=prior,
    )


def _same(values: ndarray) -> ndarray:
    return values
