"""Mixtures of multivariate Student t distributions: proposals with heavy tails.

Components may lie behind a map that straightens a bent cloud of points
(:mod:`saxinfer.inference.bend`): where the posterior is a bent sheet, so are they.
"""

import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from saxinfer.inference.bend import Bend

__all__ = [
    "StudentMixture",
    "bent",
    "fitted",
    "kernels",
    "student_log_density",
    "student_steps",
]

# Degrees of freedom: tails heavy enough to find what the centre missed, light enough
# not to waste samples in a dozen dimensions.
FREEDOM = 7.0

# Share of the weight that components may have and be left out.
IDLE = 1e-4

# Numbers of one product: few enough for a core's cache.
CHUNK = 2**17

# Fit of a mixture: steps, and what each component knows before: as many points with
# half the covariance of all.
FIT_STEPS, FIT_PRIOR, FIT_WIDTH = 12, 20.0, 0.5


def student_steps(
    factors: Float[Tensor, "count dimension dimension"], generator: Generator
) -> Float[Tensor, "count dimension"]:
    """Draws of Student t distributions about zero.

    Args:
        factors: Lower Cholesky factors of the scale matrices.
        generator: Source of randomness.
    """
    count, size = factors.shape[:2]
    normal = torch.randn(count, size, generator=generator, dtype=factors.dtype)
    half = torch.full((count,), FREEDOM / 2, dtype=factors.dtype)
    gamma = torch._standard_gamma(half, generator=generator) / half
    step: Tensor = factors @ (normal * gamma.rsqrt()[:, None])[..., None]
    return step[..., 0]


def student_log_density(
    squares: Float[Tensor, "*batch component"],
    factors: Float[Tensor, "*#batch component dimension dimension"],
) -> Float[Tensor, "*batch component"]:
    """Log density of Student t distributions.

    Args:
        squares: Squared distances from the centres in units of the scale matrices.
        factors: Lower Cholesky factors of these.
    """
    size = factors.shape[-1]
    half = 0.5 * (FREEDOM + size)
    log_det = factors.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    norm = (
        math.lgamma(half)
        - math.lgamma(FREEDOM / 2)
        - 0.5 * size * math.log(FREEDOM * math.pi)
    )
    density: Tensor = norm - log_det - half * torch.log1p(squares / FREEDOM)
    return density


def kernels(points: Float[Tensor, "point dimension"], count: int) -> "StudentMixture":
    """Components around evenly picked points, each as wide as all of them."""
    size = points.shape[1]
    ridge = 1e-6 * torch.eye(size, dtype=points.dtype)
    factor = torch.linalg.cholesky(torch.cov(points.T) + ridge)
    picked = points[:: max(1, len(points) // count)][:count]
    even = torch.full((len(picked),), 1 / len(picked), dtype=points.dtype)
    return StudentMixture(even, picked, factor.expand(len(picked), -1, -1))


def fitted(
    points: Float[Tensor, "point dimension"], count: int, generator: Generator
) -> "StudentMixture":
    """Components fitted to equally weighted points by expectation and maximisation.

    Args:
        points: What to fit; many more than components.
        count: Number of components.
        generator: Picks the points that the components start from.

    References:
        Peel & McLachlan, Stat. Comput. 10, 339 (2000).
    """
    number, size = points.shape
    identity = torch.eye(size, dtype=points.dtype)
    prior = FIT_WIDTH * torch.cov(points.T) + 1e-12 * identity
    start = torch.randperm(number, generator=generator)[:count]
    weights = torch.full((count,), 1 / count, dtype=points.dtype)
    mixture = StudentMixture(
        weights, points[start], torch.linalg.cholesky(prior).expand(count, -1, -1)
    )
    for _ in range(FIT_STEPS):
        logs = mixture.kernels(points) + mixture.weights.log()
        member = torch.softmax(logs, 1)
        square = _squares(points, mixture.means, mixture.factors)
        # Far points count less: the latent scale of a t distribution.
        pull = member * (FREEDOM + size) / (FREEDOM + square)
        means = (pull.T @ points) / pull.sum(0)[:, None]
        gaps = points[:, None] - means
        scatter = torch.einsum("pk,pki,pkj->kij", pull, gaps, gaps)
        held = member.sum(0)
        scales = (scatter + FIT_PRIOR * prior) / (held + FIT_PRIOR)[:, None, None]
        weights = (held + 1) / (number + count)
        mixture = StudentMixture(weights, means, torch.linalg.cholesky(scales))
    return mixture


def bent(
    points: Float[Tensor, "point dimension"], count: int, generator: Generator
) -> "StudentMixture":
    """Components behind a bend, fitted to equally weighted points.

    Args:
        points: What to fit; hundreds.
        count: Number of components.
        generator: Picks the points that the components start from.
    """
    bend = Bend.fitted(points)
    straight = fitted(bend.straightened(points)[0], count, generator)
    behind = torch.zeros(count, dtype=torch.int64)
    return replace(straight, bends=(bend,), behind=behind)


@dataclass(frozen=True, eq=False)
class StudentMixture:
    """A weighted sum of Student t densities, some of them bent.

    Attributes:
        weights: Weight of each component; they sum to one.
        means: Centres; of a bent component on the straight side.
        factors: Lower Cholesky factors of the scale matrices.
        bends: Maps that lead to the straight side.
        behind: Number of the map for each component, -1 where there is none; nothing
            if there is none for any.
    """

    weights: Float[Tensor, " component"]
    means: Float[Tensor, "component dimension"]
    factors: Float[Tensor, "component dimension dimension"]
    bends: tuple[Bend, ...] = ()
    behind: Int[Tensor, " component"] | None = None

    def sample(
        self, count: int, generator: Generator
    ) -> Float[Tensor, "count dimension"]:
        """Draws points; the numbers that components get are as even as can be.

        Args:
            count: Number of points.
            generator: Source of randomness.

        Returns:
            Points, in the order of their components.
        """
        edges = torch.cumsum(self.weights, 0)
        offset = torch.rand(1, generator=generator, dtype=edges.dtype)
        comb = (torch.arange(count, dtype=edges.dtype) + offset) / count
        which = torch.searchsorted(edges, comb).clamp(max=len(edges) - 1)
        moved = self.means[which] + student_steps(self.factors[which], generator)
        behind = self._behind[which]
        for number, bend in enumerate(self.bends):
            rows = behind == number
            moved[rows] = bend.bent(moved[rows])
        return moved

    def joined(self, other: "StudentMixture", share: float = 0.5) -> "StudentMixture":
        """This mixture and another, which gets a share of the weight."""
        behind = other._behind
        moved = torch.where(behind >= 0, behind + len(self.bends), behind)
        return StudentMixture(
            torch.cat([(1 - share) * self.weights, share * other.weights]),
            torch.cat([self.means, other.means]),
            torch.cat([self.factors, other.factors]),
            self.bends + other.bends,
            torch.cat([self._behind, moved]),
        )

    def marginal(self, keep: list[int]) -> "StudentMixture":
        """The marginal mixture of some of the coordinates.

        Raises:
            ValueError: If a component is bent: its marginals have no closed form.
        """
        if self.bends:
            raise ValueError("bent components have no marginals in closed form.")
        scales = (self.factors @ self.factors.mT)[:, keep][:, :, keep]
        factors = torch.linalg.cholesky(scales)
        return StudentMixture(self.weights, self.means[:, keep], factors)

    def essential(self, idle: float = IDLE) -> "StudentMixture":
        """Without the lightest components, which have a share of the weight together.

        Args:
            idle: That share.
        """
        order = torch.argsort(self.weights)
        light = torch.cumsum(self.weights[order], 0) <= idle * self.weights.sum()
        kept = order[~light].sort().values
        # Bends that are left, in their order, and their new numbers.
        behind = self._behind[kept]
        used = sorted({number for number in behind.tolist() if number >= 0})
        again = torch.searchsorted(torch.tensor(used, dtype=torch.int64), behind)
        return StudentMixture(
            self.weights[kept] / self.weights[kept].sum(),
            self.means[kept],
            self.factors[kept],
            tuple(self.bends[number] for number in used),
            torch.where(behind >= 0, again, behind),
        )

    def weighted(self, weights: Float[Tensor, " component"]) -> "StudentMixture":
        """The same components with other weights."""
        return replace(self, weights=weights)

    def log_density(
        self, points: Float[Tensor, "count dimension"]
    ) -> Float[Tensor, " count"]:
        """Log density of the mixture."""
        return torch.logsumexp(self.kernels(points) + self.weights.log(), -1)

    def kernels(
        self, points: Float[Tensor, "count dimension"]
    ) -> Float[Tensor, "count component"]:
        """Log density of each component, without its weight."""
        if not self.bends:
            return self._straight(points, slice(None))
        behind = self._behind
        found = points.new_empty(len(points), len(self.weights))
        found[:, behind < 0] = self._straight(points, behind < 0)
        for number, bend in enumerate(self.bends):
            rows = behind == number
            straight, log_det = bend.straightened(points)
            found[:, rows] = self._straight(straight, rows) + log_det[:, None]
        return found

    @property
    def _behind(self) -> Tensor:
        """Number of the map of each component."""
        if self.behind is None:
            return torch.full((len(self.weights),), -1)
        return self.behind

    def _straight(self, points: Tensor, rows: Tensor | slice) -> Tensor:
        """Log density of some components on the straight side."""
        means, factors = self.means[rows], self.factors[rows]
        return student_log_density(_squares(points, means, factors), factors)


def _squares(points: Tensor, means: Tensor, factors: Tensor) -> Tensor:
    """Squared distances from centres in units of scale matrices."""
    size = means.shape[1]
    identity = torch.eye(size, dtype=points.dtype).expand_as(factors)
    inverse = torch.linalg.solve_triangular(factors, identity, upper=False)
    # All components in one product: rows of every inverse factor side by side.
    stacked = inverse.flatten(0, 1)
    offset = (inverse @ means[..., None]).flatten()
    found = []
    for some in torch.split(points, max(1, CHUNK // max(1, len(stacked)))):
        scaled = torch.addmm(-offset, some, stacked.T)
        found.append(scaled.view(len(some), -1, size).square_().sum(-1))
    return torch.cat(found)
