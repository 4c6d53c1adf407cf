"""Samples of adaptive importance sampling, and all that they could have come from."""

import torch
from torch import Tensor

from saxinfer.inference.mixture import StudentMixture

__all__ = ["Pool"]


class Pool:
    """All samples so far, and the components that they could have come from.

    The table holds the log density of every sample under every component; each pair is
    evaluated once, however often the components' weights change.

    Attributes:
        mixture: What the next round is drawn from.
        proposed: Columns that the mixture proposes.
        points: Latent vectors.
        values: Their log posterior density, less that of the columns drawn otherwise.
        table: Log density of every point under every component.
        drawn: Number of points drawn from each component so far.
    """

    def __init__(self, mixture: StudentMixture, proposed: list[int]) -> None:
        self.mixture, self.proposed = mixture, proposed
        self.drawn = torch.zeros_like(mixture.weights)
        self.points = torch.empty(0)
        self.values = torch.empty(0)
        self.table = torch.empty(0, 0)

    def extend(self, mixture: StudentMixture, share: float) -> None:
        """Adds components, which get a share of the weight."""
        self.mixture = self.mixture.joined(mixture, share)
        new = len(mixture.weights)
        self.drawn = torch.cat([self.drawn, self.drawn.new_zeros(new)])
        if len(self.points):
            columns = mixture.kernels(self.points[:, self.proposed])
            self.table = torch.cat([self.table, columns], 1)

    def add(self, points: Tensor, values: Tensor) -> None:
        """Takes the samples of one round, drawn from the present mixture."""
        rows = self.mixture.kernels(points[:, self.proposed])
        if len(self.points):
            points = torch.cat([self.points, points])
            values = torch.cat([self.values, values])
            rows = torch.cat([self.table, rows])
        self.drawn = self.drawn + self.mixture.weights * (len(rows) - len(self.points))
        self.points, self.values, self.table = points, values, rows

    def log_weight(self) -> Tensor:
        """Log of posterior over the mean of all mixtures that were drawn from."""
        shares = (self.drawn / self.drawn.sum()).clamp(min=1e-300).log()
        return self.values - torch.logsumexp(self.table + shares, 1)

    def reweigh(self, weights: Tensor) -> None:
        """Refits the components' weights to weighted samples."""
        kept = weights > 1e-9 * weights.max()
        table, weights = self.table[kept], weights[kept]
        shares = self.mixture.weights
        for _ in range(4):
            member = torch.softmax(table + shares.clamp(min=1e-12).log(), 1)
            shares = weights @ member
        self.mixture = self.mixture.weighted(shares / shares.sum())

    def heaviest(self, log_weight: Tensor, count: int) -> Tensor:
        """Samples that stand for most of the posterior."""
        order = torch.argsort(log_weight, descending=True)
        return self.points[order[:count]]
