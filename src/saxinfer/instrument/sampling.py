r"""How finely a structure's curve must be sampled: at far fewer points than measured.

A structure whose density is correlated over a distance L scatters curves that turn by
q L at the fastest. A spline of degree seven with nodes at most ``PHASE`` / L apart
follows them to a few parts in a million, to 2e-4 in the deepest minima; where nothing
oscillates, curves are powers of q, and nodes are at most the share ``SHARE`` of q
apart. From the nodes to the measured points, resolution included, is one matrix.

Where two smooth curves b and a meet at a kink q_0, each has such a spline. A point that
sees both, by its resolution or as a mean of measured ones, gets the spline of a and

.. math:: \sum_{i:\, q_i < q_0} W_i \left( g_1 (q_i - q_0) + g_2 (q_i - q_0)^2 / 2
          \right),

with its weights W, and the first two derivatives g of b - a at q_0. The sums follow
from moments of W, which are summed up once.

References:
    de Boor, A Practical Guide to Splines (1978): the error of a spline of degree d on
    even nodes is of the order of (phase / 2 pi)^(d + 1).
"""

import functools
import math
from collections.abc import Callable

import numpy as np
import torch
from jaxtyping import Float, Int
from scipy.interpolate import make_interp_spline
from torch import Tensor

from saxinfer.instrument.observation import Observation

__all__ = ["Sampling"]

PHASE, SHARE, DEGREE = 0.8, 0.08, 7

# Nodes beyond either end, where a spline is at its worst.
MARGIN = 4

# A coarser grid must save this share of the nodes to be worth a matrix.
WORTH = 0.8

# Step of the derivatives at a kink, and the widest range of q that a point may see
# there, as shares of q.
STEP, WIDEST = 1e-3, 0.1


class Sampling:
    """Ever finer grids for one observation, each with its matrix to the points.

    Rung n of this ladder is for reaches up to 2^n nm; the last is the
    observation's own grid.

    Args:
        observation: Says where it would like the curve, and what it makes of it.
        limit: Largest q up to which curves are smooth [1/nm].
    """

    def __init__(self, observation: Observation, limit: float) -> None:
        self._observation, self._limit = observation, limit
        self._rungs: dict[int, tuple[Tensor, Tensor] | None] = {}

    def rung(self, reach: Float[Tensor, " batch"]) -> Int[Tensor, " batch"]:
        """Which rung each curve needs.

        Args:
            reach: Distance L over which its density is correlated [nm].
        """
        return reach.log2().ceil().clamp(-20, 20).long()

    def nodes(self, rung: int) -> Float[Tensor, " node"]:
        """Where the structure is to be evaluated [1/nm]."""
        step = self._step(rung)
        return self._observation.grid if step is None else step[0]

    def at_points(
        self, curve: Float[Tensor, "batch node"], rung: int
    ) -> Float[Tensor, "batch q"]:
        """The structure's curve at the measured points, resolution included."""
        step = self._step(rung)
        return self._observation.smeared(curve) if step is None else curve @ step[1]

    def crosses(self, rung: int) -> bool:
        """Whether curves with a kink may be sampled at other nodes than the own grid.

        A point that sees a wide range of q asks for more than two derivatives there.
        """
        if self._step(rung) is None:
            return False
        grid, (first, last) = self._observation.grid, self._seen
        seen = (grid[last] - grid[first]) / self._observation.q
        return float(seen.amax()) <= WIDEST

    def across(
        self,
        sides: Callable[[Tensor], tuple[Tensor, Tensor]],
        kink: Float[Tensor, " batch"],
        rung: int,
    ) -> Float[Tensor, "batch q"]:
        """Curves of two parts at the measured points, resolution included.

        Args:
            sides: The smooth curves below and above the kink, at any q.
            kink: Where they meet [1/nm].
            rung: A coarse one.
        """
        nodes, step = self.nodes(rung), STEP * kink[:, None]
        near = kink[:, None] - step * torch.tensor([1.0, 2.0], dtype=kink.dtype)
        places = torch.cat([nodes.expand(len(kink), -1), near], 1)
        lower, upper = sides(places)
        below, above = (self.at_points(s[:, :-2], rung) for s in (lower, upper))
        before = torch.searchsorted(self._observation.grid, kink)
        first, last = self._seen
        curves = torch.where(before[:, None] > last, below, above)
        if self._observation.smear is None:
            return curves
        one, two = (lower - upper)[:, -2:].unbind(1)
        slope, bend = (
            (two - 4 * one) / (2 * step[:, 0]),
            (two - 2 * one) / step[:, 0] ** 2,
        )
        both = (before[:, None] > first) & (before[:, None] <= last)
        row, point = both.nonzero(as_tuple=True)
        weight, mean, square = (part[before[row], point] for part in self._moments)
        q0 = kink[row]
        curves[row, point] += slope[row] * (mean - q0 * weight)
        spread = square - 2 * q0 * mean + q0**2 * weight
        curves[row, point] += 0.5 * bend[row] * spread
        return curves

    @functools.cached_property
    def _seen(self) -> tuple[Int[Tensor, " q"], Int[Tensor, " q"]]:
        """First and last node of the observation's grid that each point sees."""
        smear, count = self._observation.smear, len(self._observation.grid)
        place = torch.arange(count)
        if smear is None:
            return place, place
        first = torch.where(smear != 0, place[:, None], count).amin(0)
        return first, torch.where(smear != 0, place[:, None], -1).amax(0)

    @functools.cached_property
    def _moments(self) -> tuple[Tensor, ...]:
        """Sums of W, W q and W q² over none, one, two and more nodes of that grid."""
        grid, smear = self._observation.grid[:, None], self._observation.smear
        assert smear is not None
        sums = ((smear * grid**power).cumsum(0) for power in range(3))
        return tuple(torch.cat([torch.zeros_like(each[:1]), each]) for each in sums)

    def _step(self, rung: int) -> tuple[Tensor, Tensor] | None:
        if rung not in self._rungs:
            self._rungs[rung] = self._made(PHASE / 2**rung)
        return self._rungs[rung]

    def _made(self, step: float) -> tuple[Tensor, Tensor] | None:
        """Nodes and matrix for a largest distance of nodes, if they are worth it."""
        q = self._observation.grid.numpy()
        low = float(q.min()) * (1 - SHARE) ** MARGIN
        fine = np.geomspace(low, float(q.max()), 4000)
        density = np.hypot(1 / (SHARE * fine), 1 / step)
        rises = 0.5 * (density[1:] + density[:-1]) * np.diff(fine)
        place = np.concatenate([[0.0], np.cumsum(rises)])
        count = math.ceil(place[-1]) + 1
        if count + MARGIN > WORTH * len(q):
            return None
        inside = np.interp(np.linspace(0, place[-1], count), place, fine)
        beyond = inside[-1] + (inside[-1] - inside[-2]) * np.arange(1, MARGIN + 1)
        if beyond[-1] > self._limit:
            return None
        nodes = np.concatenate([inside, beyond])
        spline = make_interp_spline(nodes, np.eye(len(nodes)), k=DEGREE)(q)
        # Aligned in memory, so that what follows is the same to the bit everywhere.
        matrix = torch.from_numpy(np.ascontiguousarray(spline.T)).clone()
        return torch.from_numpy(nodes).clone(), self._observation.smeared(matrix)
