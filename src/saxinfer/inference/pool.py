"""Samples of adaptive importance sampling, and all that they could have come from."""

import torch
from torch import Generator, Tensor

from saxinfer.inference.ensemble import Density
from saxinfer.inference.mixture import StudentMixture, bent

__all__ = ["PULLS", "SHARE", "Pool"]

# Share of the next round that is drawn from components that were added.
SHARE = 0.5

# How local these are, in turn: narrow ones for bent ridges, wide ones for what is
# hardly known.
PULLS = (12.0, 1.0, 0.0)

# Bent components are fitted to so many samples, drawn by weight; number of components.
FITTED, COMPONENTS = 1500, 2

# Where a density over the largest one is beyond numbers.
LEAST = 1e-300


class Pool:
    """All samples so far, and the components that they could have come from.

    The table holds the density of every sample under every component, in units of the
    largest of the sample; each pair is evaluated once, however often the components'
    weights change, which then takes a product of a matrix with a vector.

    Attributes:
        mixture: What the next round is drawn from.
        proposed: Columns that the mixture proposes.
        points: Latent vectors.
        values: Their log posterior density, less that of the columns drawn otherwise.
        tops: Log of the largest density of each point under any component.
        table: Density of every point under every component, over that.
        drawn: Number of points drawn from each component so far.
    """

    def __init__(self, mixture: StudentMixture, proposed: list[int]) -> None:
        self.mixture, self.proposed = mixture, proposed
        self.drawn = torch.zeros_like(mixture.weights)
        self.points = torch.empty(0)
        self.values = torch.empty(0)
        self.tops = torch.empty(0)
        self.table = torch.empty(0, 0)

    def extend(self, mixture: StudentMixture, share: float) -> None:
        """Adds components, which get a share of the weight."""
        self.mixture = self.mixture.joined(mixture, share)
        new = len(mixture.weights)
        self.drawn = torch.cat([self.drawn, self.drawn.new_zeros(new)])
        if len(self.points) == 0:
            return
        columns = mixture.kernels(self.points[:, self.proposed])
        tops = torch.maximum(self.tops, columns.amax(1))
        before = self.table * (self.tops - tops).exp()[:, None]
        self.table = torch.cat([before, (columns - tops[:, None]).exp()], 1)
        self.tops = tops

    def bend(self, weights: Tensor, generator: Generator) -> StudentMixture:
        """Bent components that follow the samples."""
        rows = torch.multinomial(weights, FITTED, replacement=True, generator=generator)
        return bent(self.points[rows][:, self.proposed], COMPONENTS, generator)

    def add(self, points: Tensor, values: Tensor) -> None:
        """Takes the samples of one round, drawn from the present mixture."""
        if len(points) == 0:
            return
        rows = self.mixture.kernels(points[:, self.proposed])
        self.drawn = self.drawn + self.mixture.weights * len(rows)
        tops = rows.amax(1)
        rows = (rows - tops[:, None]).exp()
        if len(self.points):
            points = torch.cat([self.points, points])
            values = torch.cat([self.values, values])
            tops = torch.cat([self.tops, tops])
            rows = torch.cat([self.table, rows])
        self.points, self.values, self.tops, self.table = points, values, tops, rows

    def draw(self, target: Density, count: int, generator: Generator) -> Tensor:
        """Draws from the mixture; the log weights of all samples so far.

        Raises:
            ValueError: If no sample lies within the ranges that the user gave.
        """
        drawn = self.mixture.sample(count, generator)
        room = drawn.new_zeros(len(drawn), target.dimension)
        room[:, self.proposed] = drawn
        points, values, _ = target.drawn_rest(room, generator)
        self.add(points, values)
        log_weight = self.log_weight()
        if not bool(log_weight.isfinite().any()):
            raise ValueError(
                "no sample lies within the ranges that were given. Widen them."
            )
        return log_weight

    def revalue(self, values: Tensor) -> None:
        """Takes other values for the samples so far."""
        self.values = values

    def log_weight(self) -> Tensor:
        """Log of posterior over the mean of all mixtures that were drawn from."""
        chance = self.table @ (self.drawn / self.drawn.sum())
        return self.values - self.tops - chance.clamp(min=LEAST).log()

    def reweigh(self, weights: Tensor) -> None:
        """Refits the components' weights to weighted samples."""
        kept = weights > 1e-9 * weights.max()
        table, weights = self.table[kept], weights[kept]
        shares = self.mixture.weights
        for _ in range(4):
            shares = shares.clamp(min=1e-12)
            chance = (table @ shares).clamp(min=LEAST)
            shares = shares * (table.T @ (weights / chance))
        self.mixture = self.mixture.weighted(shares / shares.sum())

    def heaviest(self, log_weight: Tensor, count: int) -> Tensor:
        """Samples that stand for most of the posterior."""
        order = torch.argsort(log_weight, descending=True)
        return self.points[order[:count]]
