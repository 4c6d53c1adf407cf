"""Mixtures of multivariate Student t distributions: proposals with heavy tails."""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

__all__ = ["StudentMixture"]

# Degrees of freedom: tails heavy enough to find what the centre missed, light enough
# not to waste samples in a dozen dimensions.
FREEDOM = 7.0


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

    @classmethod
    def of(
        cls, points: Float[Tensor, "count dimension"], components: int
    ) -> "StudentMixture":
        """A mixture fitted to points, from evenly picked centres."""
        size = points.shape[1]
        ridge = 1e-6 * torch.eye(size, dtype=points.dtype)
        factor = torch.linalg.cholesky(torch.cov(points.T) / 2 + ridge)
        picked = points[:: max(1, len(points) // components)][:components]
        even = torch.full((len(picked),), 1 / len(picked), dtype=points.dtype)
        mixture = cls(even, picked, factor.expand(len(picked), -1, -1))
        weights = torch.full((len(points),), 1 / len(points), dtype=points.dtype)
        for _ in range(6):
            mixture = mixture.refitted(points, weights)
        return mixture

    def joined(self, other: "StudentMixture") -> "StudentMixture":
        """Half this mixture, half another."""
        return StudentMixture(
            torch.cat([self.weights, other.weights]) / 2,
            torch.cat([self.means, other.means]),
            torch.cat([self.factors, other.factors]),
        )

    def marginal(self, keep: list[int]) -> "StudentMixture":
        """The marginal mixture of some of the coordinates."""
        scales = (self.factors @ self.factors.mT)[:, keep][:, :, keep]
        factors = torch.linalg.cholesky(scales)
        return StudentMixture(self.weights, self.means[:, keep], factors)

    def log_density(
        self, points: Float[Tensor, "count dimension"]
    ) -> Float[Tensor, " count"]:
        """Log density of the mixture."""
        return torch.logsumexp(self.component_log_density(points), -1)

    def component_log_density(
        self, points: Float[Tensor, "count dimension"]
    ) -> Float[Tensor, "count component"]:
        """Log density of each component, its weight included."""
        size = self.means.shape[1]
        gap = points[None] - self.means[:, None]
        solved = torch.linalg.solve_triangular(self.factors, gap.mT, upper=False)
        square = solved.square().sum(1).T
        half = 0.5 * (FREEDOM + size)
        log_det = self.factors.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        norm = (
            math.lgamma(half)
            - math.lgamma(FREEDOM / 2)
            - 0.5 * size * math.log(FREEDOM * math.pi)
        )
        kernel = -half * torch.log1p(square / FREEDOM)
        return self.weights.clamp(min=1e-300).log() + norm - log_det + kernel

    def refitted(
        self,
        points: Float[Tensor, "count dimension"],
        weights: Float[Tensor, " count"],
    ) -> "StudentMixture":
        """One step of expectation maximisation towards weighted points.

        A component's scale matrix is drawn towards its old one by as many
        pseudo-points as it has dimensions twice over, so that few points cannot
        collapse it; components that lost their weight are dropped.
        """
        size = points.shape[1]
        joint = self.component_log_density(points)
        share = torch.softmax(joint, -1) * weights[:, None]
        mass = share.sum(0)
        gap = points[None] - self.means[:, None]
        solved = torch.linalg.solve_triangular(self.factors, gap.mT, upper=False)
        square = solved.square().sum(1).T
        pull = share * (FREEDOM + size) / (FREEDOM + square)
        means = (pull.T @ points) / pull.sum(0).clamp(min=1e-300)[:, None]
        count = mass.square() / share.square().sum(0).clamp(min=1e-300)
        keep = (mass > 1e-3) & (count > 2)
        if not bool(keep.any()):
            return self
        gap = points[None] - means[:, None]
        scatter = torch.einsum("nc,cni,cnj->cij", pull, gap, gap)
        scatter = scatter / mass.clamp(min=1e-300)[:, None, None]
        old = self.factors @ self.factors.mT
        prior = (2.0 * size) / (2.0 * size + count)
        mixed = prior[:, None, None] * old + (1 - prior)[:, None, None] * scatter
        ridge = 1e-9 * torch.eye(size, dtype=points.dtype)
        factors, info = torch.linalg.cholesky_ex(mixed[keep] + ridge)
        good = info == 0
        if not bool(good.any()):
            return self
        kept = mass[keep][good]
        return StudentMixture(kept / kept.sum(), means[keep][good], factors[good])
