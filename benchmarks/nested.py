"""Reference posteriors by nested sampling, with a whole queue of points as one batch.

Live points drawn from the prior shrink, the worst one replaced ever, onto the places of
high likelihood. Nothing is told where these are, so separate modes keep their share,
and the evidence comes with an error. The sampler is dynesty; of its random walks, as
many as its queue is long take each step together here, one batch of likelihoods a step.

What no curve sees is independent of all else and has its prior, so it is drawn from
it; all other coordinates, the level among them, are sampled.

References:
    Skilling, Bayesian Anal. 1, 833 (2006): nested sampling, and its random walks.
    Speagle, Mon. Not. R. Astron. Soc. 493, 3132 (2020): dynesty.
    Feroz, Hobson & Bridges, Mon. Not. R. Astron. Soc. 398, 1601 (2009): ellipsoids.
"""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from scipy.special import ndtri

from around import LogLikelihood
from saxinfer.inference.target import Target

__all__ = ["Care", "Nested", "likelihood_of", "nested", "sampled_columns"]

# Walks that step together, and the evidence that may be left [nats].
QUEUE, LEFT = 200, 0.05

# Likelihood of what is forbidden.
FORBIDDEN = -1e300


@dataclass(frozen=True)
class Care:
    """How carefully to sample.

    Attributes:
        live: Number of live points.
        steps: Steps of a walk for each coordinate. With too few, walks stay near the
            live point that they left; along a bent ridge whole runs then end at one or
            the other of its ends, with errors that do not say so.
    """

    live: int = 800
    steps: int = 10


@dataclass(frozen=True, eq=False)
class Nested:
    """One run of nested sampling.

    Attributes:
        draws: Equally weighted, independent, distinct latent vectors.
        log_evidence: Log marginal likelihood.
        log_evidence_sd: Its standard error, as the sampler estimates it.
        effective: Kish's effective number of the weighted samples.
        calls: Likelihoods evaluated.
        seconds: Time of the processor.
    """

    draws: np.ndarray
    log_evidence: float
    log_evidence_sd: float
    effective: float
    calls: int
    seconds: float


def sampled_columns(target: Target) -> list[int]:
    """Columns that the likelihood depends on: all but those that no curve sees."""
    unseen = target.drawn[:-1]
    return [i for i in range(target.dimension) if i not in unseen]


def likelihood_of(target: Target) -> LogLikelihood:
    """Log likelihood of a batch of latent vectors of the sampled columns.

    Raises:
        ValueError: If a column that is said to be unseen moves the likelihood.
    """
    columns = sampled_columns(target)

    def log_likelihood(part: np.ndarray, unseen: float = 0.0) -> np.ndarray:
        latent = torch.full((len(part), target.dimension), unseen, dtype=torch.float64)
        latent[:, columns] = torch.from_numpy(part)
        prior = -0.5 * (latent.square() + math.log(2 * math.pi)).sum(-1)
        with torch.no_grad():
            value = target.log_density(latent) - prior
        return value.nan_to_num(FORBIDDEN, neginf=FORBIDDEN).numpy()

    trial = np.random.default_rng(0).standard_normal((8, len(columns)))
    here, there = log_likelihood(trial, 0.0), log_likelihood(trial, 1.5)
    if not np.allclose(here, there, rtol=1e-9):
        raise ValueError(
            "a column that no curve should see moves the likelihood by "
            f"{np.abs(here - there).max():.3g}; mend Structure.unseen."
        )
    return log_likelihood


@dataclass(frozen=True, eq=False)
class _Together:
    """Takes the place of a pool of processes: all walks step as one batch.

    Attributes:
        log_likelihood: Of a batch of latent vectors.
    """

    log_likelihood: LogLikelihood

    def map(self, function: Any, items: Sequence[Any]) -> list[Any]:  # noqa: ANN401
        """What ``function`` gives for each item; walks are taken together."""
        from dynesty.internal_samplers import RWalkSampler

        if function is RWalkSampler.sample:
            return _walked(items, self.log_likelihood)
        return [function(item) for item in items]


def _walked(items: Sequence[Any], log_likelihood: LogLikelihood) -> list[Any]:
    """The random walk of ``dynesty.internal_samplers``, of many points in step.

    Each step goes to a uniform point of the ellipsoid around the place, and is taken
    if it stays in the unit cube and above the likelihood that is asked.
    """
    from dynesty.internal_samplers import SamplerReturn
    from dynesty.utils import LoglOutput

    rng = np.random.default_rng(items[0].rseed)
    limit = float(items[0].loglstar)
    steps = items[0].kwargs["walks"]
    place = np.stack([item.u for item in items])
    axes = np.stack([item.scale * item.axes for item in items])
    value = np.full(len(place), -math.inf)
    accepted = np.zeros(len(place), dtype=int)
    for _ in range(steps):
        offered = place + _in_ellipsoids(axes, rng)
        tried = np.flatnonzero(((offered > 0) & (offered < 1)).all(1))
        if not len(tried):
            continue
        found = log_likelihood(ndtri(offered[tried]))
        rows = tried[found > limit]
        place[rows], value[rows] = offered[rows], found[found > limit]
        accepted[rows] += 1
    stuck = np.flatnonzero(accepted == 0)
    if len(stuck):
        value[stuck] = log_likelihood(ndtri(place[stuck]))
    return [
        SamplerReturn(
            u=place[i],
            v=ndtri(place[i]),
            logl=LoglOutput(value[i], False),
            ncalls=steps,
            evaluation_history=[],
            tuning_info={
                "accept": accepted[i],
                "reject": steps - accepted[i],
                "scale": items[i].scale,
            },
            proposal_stats={
                "n_accept": accepted[i],
                "n_reject": steps - accepted[i],
            },
        )
        for i in range(len(place))
    ]


def _in_ellipsoids(axes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """A uniform point of each ellipsoid, from its centre."""
    count, size = axes.shape[:2]
    normal = rng.standard_normal((count, size))
    length = rng.random(count) ** (1 / size) / np.linalg.norm(normal, axis=1)
    moved: np.ndarray = np.einsum("kij,kj->ki", axes, normal * length[:, None])
    return moved


def nested(
    log_likelihood: LogLikelihood, size: int, seed: int, care: Care | None = None
) -> Nested:
    """Samples a posterior whose prior is standard normal in every coordinate.

    Args:
        log_likelihood: Of a batch of latent vectors.
        size: Number of coordinates.
        seed: Seed of the run.
        care: How carefully to sample.
    """
    import dynesty

    care = care or Care()
    start = time.process_time()
    rng = np.random.default_rng(seed)
    cube = rng.random((care.live, size))
    latent = ndtri(cube)
    batches = np.array_split(latent, math.ceil(care.live / QUEUE))
    values = np.concatenate([log_likelihood(batch) for batch in batches])
    sampler = dynesty.NestedSampler(
        partial(_single, log_likelihood),
        ndtri,
        size,
        nlive=care.live,
        bound="multi",
        sample="rwalk",
        walks=care.steps * size,
        live_points=[cube, latent, values],
        # The walks begin at once: points of the whole cube are seldom good enough.
        first_update={"min_ncall": 0, "min_eff": 100.0},
        pool=_Together(log_likelihood),
        queue_size=QUEUE,
        use_pool={"update_bound": False},
        rstate=rng,
    )
    sampler.run_nested(dlogz=LEFT, print_progress=False)
    result = sampler.results
    weights = result.importance_weights()
    return Nested(
        draws=_evenly(result.samples, weights, rng),
        log_evidence=float(result.logz[-1]),
        log_evidence_sd=float(result.logzerr[-1]),
        effective=float(1 / np.square(weights).sum()),
        calls=int(result.ncall.sum()),
        seconds=time.process_time() - start,
    )


def _single(log_likelihood: LogLikelihood, latent: np.ndarray) -> float:
    """The likelihood of one vector."""
    return float(log_likelihood(latent[None])[0])


def _evenly(
    samples: np.ndarray, weights: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Keeps each sample with a chance as its weight: none twice, all worth the same."""
    kept = samples[rng.random(len(weights)) < weights / weights.max()]
    return rng.permutation(np.unique(kept, axis=0))
