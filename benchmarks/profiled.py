"""How large a misfit is once all is taken away that the model can follow.

The distance of a curve to a model, in standard deviations of its points, is the least
that parameters, scale, flat background and power laws leave of it: by least squares
from given parameters, with bounds of the prior. A misfit of a given size after all that
is the shape times what makes the distance so large.

References:
    Golub & Pereyra, SIAM J. Numer. Anal. 10, 413 (1973): what a curve is linear in is
    projected out.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from scipy.optimize import brentq, least_squares
from torch import Tensor

from saxinfer.structures.base import Structure

__all__ = ["Model"]

# Latent bounds, step of a difference, and most steps of a search.
EDGE, STEP, MOST = 4.5, 1e-5, 60

# Relative accuracy of an amplitude.
CLOSE = 3e-3


@dataclass(frozen=True, eq=False)
class Model:
    """All curves of a model, on the points of a measured one.

    Attributes:
        structure: The model.
        q: Scattering vector [1/nm].
        error: Standard deviation of each point.
    """

    structure: Structure
    q: Tensor
    error: Tensor

    def distance(self, mean: Tensor, starts: Tensor) -> float:
        """Least distance of a curve without noise to those of the model.

        Args:
            mean: The curve, at q.
            starts: Parameters that a search sets out from, a row each.

        Returns:
            The least of all searches [standard deviations].
        """
        space = self.structure.space
        places = space.latent_from_theta(starts).clamp(-0.99 * EDGE, 0.99 * EDGE)
        return min(self._search(mean, place.numpy()) for place in places)

    def amplitude(
        self, truth: Tensor, theta: Tensor, shape: Tensor, effect: float, most: float
    ) -> float:
        """What makes a shape a misfit of a given distance.

        Args:
            truth: A curve of the model, without noise.
            theta: Its parameters.
            shape: What is added to it.
            effect: The distance [standard deviations].
            most: Largest factor.

        Returns:
            The factor, or infinity if there is none.
        """

        def lacking(factor: float) -> float:
            return self.distance(truth + factor * shape, theta[None]) - effect

        # Small changes of the parameters follow the most of many shapes: no need to
        # search.
        least = effect / self._beyond_tangents(truth, theta, shape)
        if least >= most or lacking(most) < 0:
            return math.inf
        least = effect / float((shape / self.error).norm())
        if lacking(least) > -CLOSE * effect:
            return least
        found = float(brentq(lacking, least, most, rtol=CLOSE))
        # Where a search loses its way the distance may jump.
        return found if abs(lacking(found)) < 5 * CLOSE * effect else math.inf

    def _beyond_tangents(self, truth: Tensor, theta: Tensor, shape: Tensor) -> float:
        """Distance of a shape to what small changes of the parameters follow."""
        place = self.structure.space.latent_from_theta(theta[None])
        place = place.clamp(-0.99 * EDGE, 0.99 * EDGE).numpy()
        slopes = self._slopes(truth, place[0])
        row = self._rest(shape, place)[0]
        followed = slopes @ np.linalg.lstsq(slopes, row, rcond=None)[0]
        return float(np.linalg.norm(row - followed))

    def _search(self, mean: Tensor, place: np.ndarray) -> float:
        """Root of the least sum of squares, from one place."""
        found: Any = least_squares(
            lambda at: self._rest(mean, at[None])[0],
            place,
            lambda at: self._slopes(mean, at),
            bounds=(-EDGE, EDGE),
            x_scale="jac",
            xtol=1e-7,
            ftol=1e-7,
            max_nfev=MOST,
        )
        return math.sqrt(2 * found.cost)

    def _rest(self, mean: Tensor, places: np.ndarray) -> np.ndarray:
        """What scale, background and power laws leave of a curve, over its errors."""
        theta = self.structure.space.theta_from_latent(torch.from_numpy(places))
        curves = self.structure.intensity(self.q, theta)
        start = self.q[0] / self.q
        fixed = torch.stack([torch.ones_like(start), start**3, start**4])
        own = curves[:, None] / curves.amax(1)[:, None, None]
        parts = torch.cat([own, fixed.expand(len(own), -1, -1)], 1) / self.error
        parts = parts / parts.norm(dim=2, keepdim=True)
        axes = torch.linalg.qr(parts.mT)[0]
        row = (mean / self.error)[:, None]
        rest: np.ndarray = (row - axes @ (axes.mT @ row))[..., 0].numpy()
        return rest

    def _slopes(self, mean: Tensor, place: np.ndarray) -> np.ndarray:
        """Derivatives of the rest."""
        moved = place + STEP * np.eye(len(place))
        here, *others = self._rest(mean, np.vstack([place, moved]))
        return (np.array(others) - here).T / STEP
