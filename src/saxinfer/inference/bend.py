r"""Maps that straighten a long, thin, bent cloud of points.

A posterior in which some combinations of parameters are well known and others hardly at
all is a thin sheet, and bent, as the well known ones depend on the others. A component
that is to cover it without being much thicker has to be bent as well. From the widest
direction y_1 of the cloud to the thinnest, each coordinate is replaced by

.. math:: u_k = (y_k - m_k(y_1 \dots y_{k-1})) \, e^{-s_k(y_1 \dots y_{k-1})},

with a quadratic m and a linear s, both fitted to the cloud by maximum likelihood of a
normal distribution. Each coordinate depends on those before it only, so that the
inverse takes one after the other, and the determinant is the product of the
exponentials.

References:
    Rosenblatt, Ann. Math. Stat. 23, 470 (1952): the triangular map.
    Parno & Marzouk, SIAM/ASA J. Uncertain. Quantif. 6, 645 (2018): maps that are fitted
    to samples, as proposals.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Bend"]

# Range of s: no direction is narrowed or widened by more.
NARROWEST, WIDEST = -6.0, 3.0

# Steps of the fit, and the largest squared residual that counts as such in s.
STEPS, OUTLIER = 8, 9.0

# Ridges on the terms of m, in units of their mean square, and on those of s.
RIDGE, WIDTH_RIDGE = 1e-3, 0.02

# Least variance along any direction.
TINY = 1e-12


@dataclass(frozen=True, eq=False)
class Bend:
    """A triangular map of a cloud of points to a round one.

    Beyond the range of the cloud, polynomials stay what they are at its border.

    Attributes:
        middle: Centre of the cloud.
        round: From there to coordinates y of unit covariance, the widest first.
        back: Its inverse.
        log_det: Logarithm of its determinant.
        low: Least value of each y in the cloud.
        high: Largest value.
        means: Coefficients of m, one column a coordinate.
        widths: Coefficients of s.
    """

    middle: Float[Tensor, " dimension"]
    round: Float[Tensor, "dimension dimension"]
    back: Float[Tensor, "dimension dimension"]
    log_det: float
    low: Float[Tensor, " dimension"]
    high: Float[Tensor, " dimension"]
    means: Float[Tensor, "term dimension"]
    widths: Float[Tensor, "linear dimension"]

    @classmethod
    def fitted(cls, points: Float[Tensor, "point dimension"]) -> "Bend":
        """Fits the map to equally weighted points; many more than terms."""
        middle, dimension = points.mean(0), points.shape[1]
        values, axes = torch.linalg.eigh(torch.cov(points.T))
        size = values.flip(0).clamp(min=TINY).sqrt()
        axes = axes.flip(1)
        y = (points - middle) @ (axes / size)
        line = _line(y)
        terms = _terms(line)
        means = y.new_zeros(terms.shape[1], dimension)
        widths = y.new_zeros(line.shape[1], dimension)
        for k in range(dimension):
            linear, square = k + 1, (k + 1) * (k + 2) // 2
            mean, width = _fitted(terms[:, :square], line[:, :linear], y[:, k])
            means[:square, k], widths[:linear, k] = mean, width
        return cls(
            middle=middle,
            round=axes / size,
            back=(axes * size).T,
            log_det=-float(size.log().sum()),
            low=y.amin(0),
            high=y.amax(0),
            means=means,
            widths=widths,
        )

    def straightened(
        self, points: Float[Tensor, "count dimension"]
    ) -> tuple[Float[Tensor, "count dimension"], Float[Tensor, " count"]]:
        """The points on the round side, and the log determinant of the map there."""
        y = (points - self.middle) @ self.round
        line = _line(y.clamp(self.low, self.high))
        log_width = (line @ self.widths).clamp(NARROWEST, WIDEST)
        u = (y - _terms(line) @ self.means) * (-log_width).exp()
        return u, self.log_det - log_width.sum(1)

    def bent(
        self, points: Float[Tensor, "count dimension"]
    ) -> Float[Tensor, "count dimension"]:
        """Where points of the round side come from."""
        y = torch.empty_like(points)
        line = points.new_ones(len(points), 1)
        mean = self.means[0].expand_as(y)
        log_width = self.widths[0].expand_as(y)
        for k in range(points.shape[1]):
            width = log_width[:, k].clamp(NARROWEST, WIDEST).exp()
            y[:, k] = mean[:, k] + points[:, k] * width
            held = y[:, k].clamp(self.low[k], self.high[k])[:, None]
            line = torch.cat([line, held], 1)
            first = (k + 1) * (k + 2) // 2
            mean = torch.addmm(mean, held * line, self.means[first : first + k + 2])
            log_width = torch.addmm(log_width, held, self.widths[k + 1 : k + 2])
        return y @ self.back + self.middle


def _line(y: Tensor) -> Tensor:
    """One, and the coordinates."""
    return torch.cat([torch.ones_like(y[:, :1]), y], 1)


@lru_cache(maxsize=16)
def _pairs(size: int) -> tuple[Tensor, Tensor]:
    rows, columns = torch.tril_indices(size, size)
    return rows, columns


def _terms(line: Tensor) -> Tensor:
    """Products of two of one and the coordinates, by the last coordinate in them."""
    rows, columns = _pairs(line.shape[1])
    return line[:, rows] * line[:, columns]


def _fitted(terms: Tensor, line: Tensor, y: Tensor) -> tuple[Tensor, Tensor]:
    """Coefficients of m and s of one coordinate, by steps of least squares each."""
    ridge = torch.diag(RIDGE * terms.square().mean(0) + TINY)
    of_line = WIDTH_RIDGE * torch.eye(line.shape[1], dtype=y.dtype)
    curvature = 2 * line.T @ line / len(y) + of_line
    width = line.new_zeros(line.shape[1])
    weight = torch.ones_like(y)
    mean = terms.new_zeros(terms.shape[1])
    for _ in range(STEPS):
        weighted = weight[:, None] * terms / weight.sum()
        mean = torch.linalg.solve(weighted.T @ terms + ridge, weighted.T @ y)
        square = (y - terms @ mean).square() * weight
        excess = square.clamp(max=OUTLIER) - 1
        width = width + torch.linalg.solve(curvature, excess @ line / len(y))
        weight = (-2 * line @ width).clamp(-2 * WIDEST, -2 * NARROWEST).exp()
    return mean, width
