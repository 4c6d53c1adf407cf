"""Exact draws and evidence from a sampler's draws, by importance sampling around them.

Nested sampling finds where a posterior lies, from the prior alone. But it adds its
evidence up along the way, errors of all shells too, and walks that are too short leave
parts of a bent ridge out. Here a mixture of Student t distributions is fitted to its
draws, sampled, weighed with the exact posterior, and fitted again to what was weighed,
with more points. Of one round's points each is kept with a chance as its weight, of
which the largest are cut, and then walks some steps of a Markov chain that keeps the
exact posterior: independent draws of it, as far as the mixture covers it. What the
first draws have nothing of stays unseen: whether two runs find the same is for
``benchmarks/settled.py`` to say.

Nothing here is of the package but the likelihood that it is given.

References:
    Geweke, Econometrica 57, 1317 (1989): importance sampling by a Student t.
    Cappe, Douc, Guillin, Marin & Robert, Stat. Comput. 18, 447 (2008): mixtures that
    adapt to what they have drawn.
    Ter Braak & Vrugt, Stat. Comput. 18, 435 (2008): steps along differences of draws.
"""

import math
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.linalg import solve_triangular
from scipy.special import gammaln, logsumexp

__all__ = ["BATCH", "LogLikelihood", "Weighed", "weighed"]

LogLikelihood = Callable[[np.ndarray], np.ndarray]

# Points whose likelihoods are worked out at once.
BATCH = 400

# Of the Student t distributions: their degrees of freedom, how much wider than what
# they are fitted to, and the share of a single one that is twice as wide as all draws.
FREEDOM, WIDEN, SPARE, WIDE = 8.0, 1.2, 0.05, 4.0

# Components at most; each needs so many draws for a column. More are taken while draws
# that were held back become this much more probable.
COMPONENTS, NEEDED, BETTER = 64, 6, 0.01

# Points of each round; draws that are enough, and at most; and the effective points
# from which on a round teaches the next one alone.
ROUNDS = (20_000, 20_000, 20_000, 40_000, 80_000, 160_000)
ENOUGH, MOST, ALONE = 2000, 4000, 1500

# Draws that a mixture is fitted to, and the share of the belief that the most heavily
# weighed points may lose when points are kept by their weights.
FITTED, LOST = 8000, 0.05

# Steps that kept points walk, and their length over that which is best for a normal
# posterior: a short one for every long one.
STEPS, LENGTHS = 40, (1.0, 0.3)


@dataclass(frozen=True, eq=False)
class Weighed:
    """A posterior by importance sampling around draws.

    Attributes:
        draws: Independent draws, all worth the same.
        log_evidence: Log marginal likelihood.
        log_evidence_sd: Its standard error.
        effective: Kish's effective number; if it is small, the rest means little.
    """

    draws: np.ndarray
    log_evidence: float
    log_evidence_sd: float
    effective: float


@dataclass(frozen=True, eq=False)
class _Students:
    """A mixture of Student t distributions.

    Attributes:
        means: Of each component.
        factors: Cholesky factors of their shapes.
        shares: Of each component.
    """

    means: np.ndarray
    factors: np.ndarray
    shares: np.ndarray

    @classmethod
    def fitted(cls, draws: np.ndarray, rng: np.random.Generator) -> "_Students":
        """To draws of unit spread, with as many components as held-back draws ask."""
        size = draws.shape[1]
        order = rng.permutation(len(draws))
        taught, asked = np.array_split(draws[order], 2)
        best, count, most = -math.inf, 1, 1
        while count <= COMPONENTS and len(taught) > NEEDED * count * size:
            score = float(_normals(taught, count).score(asked))
            if score > best + BETTER:
                best, most = score, count
            count *= 2
        normals = _normals(draws, most)
        wide = WIDE * np.cov(draws.T).reshape(1, size, size)
        shapes = np.concatenate([WIDEN * normals.covariances_, wide])
        return cls(
            means=np.vstack([normals.means_, draws.mean(0)]),
            factors=np.linalg.cholesky(shapes + 1e-10 * np.eye(size)),
            shares=np.append((1 - SPARE) * normals.weights_, SPARE),
        )

    def sample(self, count: int, rng: np.random.Generator) -> np.ndarray:
        """Points of the mixture."""
        chosen = rng.choice(len(self.shares), count, p=self.shares)
        normal = rng.standard_normal((count, self.means.shape[1]))
        student = normal / np.sqrt(rng.chisquare(FREEDOM, (count, 1)) / FREEDOM)
        step = np.einsum("nij,nj->ni", self.factors[chosen], student)
        points: np.ndarray = self.means[chosen] + step
        return points

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """Log density at points."""
        size = points.shape[1]
        half = 0.5 * (FREEDOM + size)
        constant = (
            gammaln(half)
            - gammaln(0.5 * FREEDOM)
            - 0.5 * size * math.log(FREEDOM * math.pi)
        )
        parts = []
        for mean, factor, share in zip(
            self.means, self.factors, self.shares, strict=True
        ):
            step = solve_triangular(factor, (points - mean).T, lower=True)
            volume = np.log(np.diagonal(factor)).sum()
            tail = half * np.log1p(np.square(step).sum(0) / FREEDOM)
            parts.append(math.log(share) + constant - volume - tail)
        density: np.ndarray = logsumexp(np.stack(parts), axis=0)
        return density


def _normals(draws: np.ndarray, count: int) -> Any:  # noqa: ANN401
    """A mixture of normal distributions, fitted to draws."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.mixture import GaussianMixture

    mixture = GaussianMixture(count, reg_covar=1e-8, max_iter=60, random_state=0)
    with warnings.catch_warnings():
        # A mixture that could be better is judged by its weights.
        warnings.simplefilter("ignore", ConvergenceWarning)
        return mixture.fit(draws)


def weighed(log_likelihood: LogLikelihood, draws: np.ndarray, seed: int) -> Weighed:
    """The posterior around draws of it.

    Args:
        log_likelihood: Of a batch of latent vectors, whose prior is standard normal.
        draws: Of the posterior, some hundreds or more; they need not be exact.
        seed: Seed of the run.
    """
    rng = np.random.default_rng(seed)
    middle, unit = draws.mean(0), draws.std(0)
    known, size = (draws - middle) / unit, draws.shape[1]

    def exact(points: np.ndarray) -> np.ndarray:
        latent = middle + unit * points
        batches = np.array_split(latent, math.ceil(len(latent) / BATCH))
        value = np.concatenate([log_likelihood(batch) for batch in batches])
        prior = -0.5 * (np.square(latent).sum(1) + size * math.log(2 * math.pi))
        return value + prior + np.log(unit).sum()

    rounds: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
    for count in ROUNDS:
        mixture = _Students.fitted(known, rng)
        points = mixture.sample(count, rng)
        value = exact(points)
        log_weight = value - mixture.log_density(points)
        keep = _kept(log_weight, rng)
        rounds.append((points[keep], value[keep], log_weight))
        if keep.sum() >= ENOUGH:
            break
        known = _learned(points, log_weight, known, rng)
    points, value, log_weight = max(rounds, key=lambda found: len(found[0]))
    effective = _effective(log_weight)
    return Weighed(
        draws=middle + unit * _walked(points[:MOST], value[:MOST], exact, rng),
        log_evidence=float(logsumexp(log_weight)) - math.log(len(log_weight)),
        log_evidence_sd=math.sqrt(max(1 / effective - 1 / len(log_weight), 0.0)),
        effective=effective,
    )


def _walked(
    places: np.ndarray,
    value: np.ndarray,
    exact: LogLikelihood,
    rng: np.random.Generator,
) -> np.ndarray:
    """Each draw after some steps along differences of two draws, as they were."""
    fixed, size = places, places.shape[1]
    for step in range(STEPS):
        one, two = rng.integers(len(fixed), size=(2, len(places)))
        length = LENGTHS[step % 2] * 2.38 / math.sqrt(2 * size)
        offered = places + length * (fixed[one] - fixed[two])
        found = exact(offered)
        taken = np.log(rng.random(len(places))) < found - value
        places = np.where(taken[:, None], offered, places)
        value = np.where(taken, found, value)
    return rng.permutation(np.unique(places, axis=0))


def _effective(log_weight: np.ndarray) -> float:
    """Kish's effective number of weighted points."""
    weight = np.exp(log_weight - log_weight.max())
    return float(weight.sum() ** 2 / np.square(weight).sum())


def _kept(log_weight: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Keeps points with a chance as their weights, of which the largest are cut."""
    weight = np.exp(log_weight - log_weight.max())
    falling = np.sort(weight)[::-1]
    lost = np.cumsum(falling) - falling * np.arange(1, len(falling) + 1)
    limit = falling[np.searchsorted(lost, LOST * weight.sum(), side="right") - 1]
    kept: np.ndarray = rng.random(len(weight)) < weight / limit
    return kept


def _learned(
    points: np.ndarray,
    log_weight: np.ndarray,
    known: np.ndarray,
    rng: np.random.Generator,
) -> np.ndarray:
    """Draws for the next mixture: of this round's, and of earlier ones if too few."""
    effective = _effective(log_weight)
    chance = np.exp(log_weight - logsumexp(log_weight))
    chance = np.minimum(chance, 2 / effective)
    chance /= chance.sum()
    new = points[rng.choice(len(points), FITTED, p=chance)]
    if effective >= ALONE:
        return new
    few = new[: math.ceil(3 * effective)]
    return np.concatenate([few, rng.permutation(known)[: FITTED - len(few)]])
