r"""Curves of structures drawn in a box, and their standard errors, the speckle.

A mean over n independent wavevectors and R realisations has the relative standard error
1 / sqrt(n R). What it is relative to must not be the point's own intensity: points that
happen to be low would count as precise, and every weighted fit would come out low. It
is the intensity that the neighbouring rings lead one to expect, a straight line in
log I against log q through ``NEIGHBOURS`` rings on either side, the point itself left
out. Only the first and the last, to which no line could be drawn without going beyond
the others, count among their neighbours.

In a dispersion of few particles the radii in the box scatter as well, which moves the
whole curve by more than its speckle.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from saxinfer.library.draws import STRUCTURE, stream
from saxinfer.library.error import LibraryError
from saxinfer.library.recipe import Recipe
from saxinfer.scattering.fourier import TRUSTED, Rings

__all__ = ["drawn_curves", "expected", "rings_of", "told"]

# Rings on either side that an expected intensity is taken from.
NEIGHBOURS = 4


@lru_cache(maxsize=4)
def rings_of(recipe: Recipe) -> Rings:
    """Where spectra are averaged.

    Raises:
        ValueError: If the box cannot be trusted at the recipe's q.
    """
    assert recipe.box is not None
    grid = recipe.box.grid
    if not recipe.q:
        return Rings.filled(grid, recipe.box.rings)
    last, trusted = recipe.q[-1], TRUSTED * grid.nyquist
    if last > trusted * (1 + 1e-9):
        raise ValueError(
            f"pixels of {grid.pixel:.4g} nm can be trusted up to {trusted:.4g} 1/nm, "
            f"but q goes up to {last:.4g} 1/nm. Take a lower end, or smaller pixels."
        )
    return Rings.around(grid, np.array(recipe.q))


def drawn_curves(
    recipe: Recipe, theta: Float[Tensor, "curve parameter"], indices: Sequence[int]
) -> tuple[Float[ndarray, "curve q"], Float[ndarray, "curve q"]]:
    """Draws the structures of some indices.

    Returns:
        Intensities and standard errors at ``rings_of(recipe).q``.

    Raises:
        LibraryError: If one cannot be drawn; names its index and parameters.
    """
    assert recipe.box is not None
    rings = rings_of(recipe)
    curves = [
        _drawn_curve(recipe, rings, row, index)
        for row, index in zip(theta, indices, strict=True)
    ]
    share = rings.speckle / np.sqrt(recipe.box.average)
    sigmas = [share * expected(curve, rings.q, rings.vectors) for curve in curves]
    return np.array(curves), np.array(sigmas)


def _drawn_curve(recipe: Recipe, rings: Rings, theta: Tensor, index: int) -> ndarray:
    """Mean over the realisations of one index."""
    assert recipe.box is not None
    model, total = recipe.structure, np.zeros(len(rings.q))
    try:
        for copy in range(recipe.box.average):
            rng = stream(recipe.seed, index, STRUCTURE, copy)
            drawn = model.realise(theta, rings.grid, rng)
            total += model.drawn_intensity(drawn, rings)
    except (ValueError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise LibraryError(
            f"curve {index} ({told(recipe, theta)}) cannot be drawn: {reason}"
        ) from error
    return np.asarray(total / recipe.box.average)


def told(recipe: Recipe, theta: Tensor) -> str:
    """Parameters as one would type them behind -p."""
    values = zip(recipe.space.names, theta.tolist(), strict=True)
    return ", ".join(f"{name}={value:.4g}" for name, value in values)


def expected(
    curve: Float[ndarray, " q"], q: Float[ndarray, " q"], weight: Float[ndarray, " q"]
) -> Float[ndarray, " q"]:
    """What the neighbours of each point lead one to expect of it.

    Args:
        curve: Positive intensities.
        q: Scattering vector, rising.
        weight: Of the points.
    """
    point = np.arange(len(q))[:, None]
    # At the ends as many rings, mostly on one side.
    middle_ring = np.clip(point, NEIGHBOURS, len(q) - 1 - NEIGHBOURS)
    place = middle_ring + np.arange(-NEIGHBOURS, NEIGHBOURS + 1)
    others = place != point
    others[[0, -1]] = True
    share = weight[place] * others
    x = np.log(q[place] / q[:, None])
    y = np.log(curve)[place]
    total = share.sum(1)
    middle, height = (share * x).sum(1) / total, (share * y).sum(1) / total
    away = x - middle[:, None]
    slope = (share * away * y).sum(1) / (share * away**2).sum(1)
    return np.asarray(np.exp(height - slope * middle))
