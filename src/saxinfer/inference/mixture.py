"""Mixtures of multivariate Student t distributions: proposals with heavy tails."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

__all__ = ["StudentMixture", "kernels"]

# Degrees of freedom: tails heavy enough to find what the centre missed, light enough
# not to waste samples in a dozen dimensions.
FREEDOM = 7.0


def kernels(points: Float[Tensor, "point dimension"], count: int) -> "StudentMixture":
    """Components around evenly picked points, each as wide as all of them."""
    size = points.shape[1]
    ridge = 1e-6 * torch.eye(size, dtype=points.dtype)
    factor = torch.linalg.cholesky(torch.cov(points.T) + ridge)
    picked = points[:: max(1, len(points) // count)][:count]
    even = torch.full((len(picked),), 1 / len(picked), dtype=points.dtype)
    return StudentMixture(even, picked, factor.expand(len(picked), -1, -1))


@dataclass(frozen=True, eq=False)
class StudentMixture:
    """A weighted sum of Student t densities.

    Attributes:
        weights: Weight of each component; they sum to one.
        means: Centres.
        factors: Lower Cholesky factors of the scale matrices.
    """

    weights: Float[Tensor, " component"]
    means: Float[Tensor, "component dimension"]
    factors: Float[Tensor, "component dimension dimension"]

    def sample(
        self, count: int, generator: Generator, *, shared: int = 0, copies: int = 1
    ) -> Float[Tensor, "count copies dimension"]:
        """Draws points; the numbers that components get are as even as can be.

        Args:
            count: Number of independent points.
            generator: Source of randomness.
            shared: Number of leading coordinates that the copies of a point share.
            copies: Points drawn for each set of shared coordinates; the others come
                from the component's conditional distribution given those.

        Returns:
            Points. Each one alone is distributed as the mixture.
        """
        edges = torch.cumsum(self.weights, 0)
        offset = torch.rand(1, generator=generator, dtype=edges.dtype)
        comb = (torch.arange(count, dtype=edges.dtype) + offset) / count
        which = torch.searchsorted(edges, comb).clamp(max=len(edges) - 1)
        size = self.means.shape[1]
        normal = torch.randn(
            count, copies, size, generator=generator, dtype=edges.dtype
        )
        normal[:, :, :shared] = normal[:, :1, :shared]
        # Given the shared part, the scale of the rest is again an inverse gamma.
        square = normal[:, 0, :shared].square().sum(-1)
        half = torch.full((count,), FREEDOM / 2, dtype=edges.dtype)
        first = torch._standard_gamma(half, generator=generator) / half
        shape = torch.full((count, copies), (FREEDOM + shared) / 2, dtype=edges.dtype)
        gamma = torch._standard_gamma(shape, generator=generator)
        rate = 0.5 * (FREEDOM + square / first)
        scale = (rate[:, None] / gamma).sqrt()
        step = torch.cat(
            [
                normal[:, :, :shared] * first.rsqrt()[:, None, None],
                normal[:, :, shared:] * scale[..., None],
            ],
            -1,
        )
        factors = self.factors[which]
        moved: Tensor = self.means[which][:, None] + step @ factors.mT
        return moved

    def joined(self, other: "StudentMixture", share: float = 0.5) -> "StudentMixture":
        """This mixture and another, which gets a share of the weight."""
        return StudentMixture(
            torch.cat([(1 - share) * self.weights, share * other.weights]),
            torch.cat([self.means, other.means]),
            torch.cat([self.factors, other.factors]),
        )

    def marginal(self, keep: list[int]) -> "StudentMixture":
        """The marginal mixture of some of the coordinates."""
        scales = (self.factors @ self.factors.mT)[:, keep][:, :, keep]
        factors = torch.linalg.cholesky(scales)
        return StudentMixture(self.weights, self.means[:, keep], factors)

    def weighted(self, weights: Float[Tensor, " component"]) -> "StudentMixture":
        """The same components with other weights."""
        return StudentMixture(weights, self.means, self.factors)

    def log_density(
        self, points: Float[Tensor, "count dimension"]
    ) -> Float[Tensor, " count"]:
        """Log density of the mixture."""
        return torch.logsumexp(self.kernels(points) + self.weights.log(), -1)

    def kernels(
        self, points: Float[Tensor, "count dimension"]
    ) -> Float[Tensor, "count component"]:
        """Log density of each component, without its weight."""
        size = self.means.shape[1]
        identity = torch.eye(size, dtype=points.dtype).expand_as(self.factors)
        inverse = torch.linalg.solve_triangular(self.factors, identity, upper=False)
        # All components in one product: rows of every inverse factor side by side.
        stacked = inverse.flatten(0, 1)
        offset = (inverse @ self.means[..., None]).flatten()
        scaled = torch.addmm(-offset, points, stacked.T)
        square = scaled.view(len(points), -1, size).square().sum(-1)
        half = 0.5 * (FREEDOM + size)
        log_det = self.factors.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        norm = (
            math.lgamma(half)
            - math.lgamma(FREEDOM / 2)
            - 0.5 * size * math.log(FREEDOM * math.pi)
        )
        return norm - log_det - half * torch.log1p(square / FREEDOM)
