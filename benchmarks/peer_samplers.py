"""Samplers that users of scattering have, run until they converge, and ours.

*bumps DREAM* has its defaults: ten chains a parameter, 100 steps of adaptation.
*emcee* has as many walkers; refnx' ``CurveFitter`` runs this same sampler with an
objective of its own around each call, so it could only be slower. Both are given whole
populations at once.

*Ours* is ``saxinfer.inference.run`` as it comes, on the measured curve, in a process
that has fitted another one before. Its time to a converged posterior is that of as many
independent runs as their effective samples need to add up to 1,000; its R-hat is that
of four such runs side by side.

References:
    Foreman-Mackey et al., PASP 125, 306 (2013): emcee. Vrugt et al., Int. J. Nonlinear
    Sci. Numer. Simul. 10, 273 (2009): DREAM.
"""

import math
import resource
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch

from calibration import draw_curve
from peer_convergence import EFFECTIVE, Convergence, Stopwatch, Watched, looked_at
from peer_start import Counted, Problem, Start, started
from peer_target import Sought

__all__ = ["SAMPLERS", "Found", "peak_memory", "run_ours", "run_peer"]

# Chains for each column, the default of bumps; steps between those that are kept; steps
# and draws that no run gets to.
POPULATION, THIN, ENDLESS = 10, 10, 3 * 10**7

# Steps that are copied to look at them, at most.
MOST_STACKED = 4000

# Draws that posterior means are taken from, and independent runs of ours.
DRAWS, OUR_RUNS = 20_000, 4


def peak_memory() -> float:
    """Largest memory of this process so far [GiB]."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


@dataclass(frozen=True)
class Found:
    """What one contestant made of one curve.

    Attributes:
        converged: Whether both criteria were reached in time.
        seconds: Time of the processor until then, start included [s].
        seconds_in_groups: The same where R-hat is that of groups; None if not in time.
        clock: Until both were reached, by the clock [s].
        start_seconds: What the start took of it [s].
        at_least: An extrapolation: no sooner could it have converged [s].
        at_least_in_groups: The same where R-hat is that of groups.
        r_hat: Largest of the columns.
        effective: Smallest effective sample size of the columns.
        curves: Curves that were tried.
        runs: Independent runs that were needed.
        warm_up: Share of the chains that was taken off.
        means: Posterior mean of each parameter of the structure [its unit].
        sds: Posterior standard deviation of each.
        loaded: Memory before anything was sampled [GiB].
        peak: Largest memory [GiB].
    """

    converged: bool
    seconds: float
    seconds_in_groups: float | None
    clock: float
    start_seconds: float
    at_least: float
    at_least_in_groups: float
    r_hat: float
    effective: float
    curves: int
    runs: int
    warm_up: float
    means: dict[str, float]
    sds: dict[str, float]
    loaded: float
    peak: float


def _dream(problem: Problem, density: Counted, watched: Watched) -> np.ndarray:
    """DREAM through the driver of bumps."""
    from bumps.fitters import DreamFit, FitDriver

    def stop() -> bool:
        state = driver.fitter.state
        if state is None:
            return False
        return watched.enough(state.generation // THIN, lambda: state.chains()[1])

    driver = FitDriver(
        DreamFit,
        problem=problem,
        monitors=[],
        abort_test=stop,
        mapper=lambda points: -density(np.asarray(points)),
        init="cov",
        pop=POPULATION,
        samples=ENDLESS,
        thin=THIN,
        trim=False,
    )
    driver.fit()
    found: np.ndarray = driver.fitter.state.chains()[1].copy()
    return found


def _emcee(problem: Problem, density: Counted, watched: Watched) -> np.ndarray:
    """The sampler of emcee with its default moves."""
    import emcee
    from bumps.initpop import generate

    walkers = generate(problem, init="cov", pop=POPULATION)
    sampler = emcee.EnsembleSampler(*walkers.shape, density, vectorize=True)
    kept: list[np.ndarray] = []
    for state in sampler.sample(walkers, iterations=ENDLESS, thin_by=THIN, store=False):
        kept.append(state.coords.copy())
        if watched.enough(len(kept), lambda: _stacked(kept)):
            break
    return _stacked(kept)


def _stacked(kept: list[np.ndarray]) -> np.ndarray:
    """Steps as one array, not all of them where that would double the memory."""
    return np.stack(kept[:: 1 + len(kept) // MOST_STACKED])


SAMPLERS: dict[str, Callable[[Problem, Counted, Watched], np.ndarray]] = {
    "bumps DREAM": _dream,
    "emcee": _emcee,
}


def run_peer(
    sampler: str, sought: Sought, start: Start, limit: float, seed: int
) -> Found:
    """Samples until convergence, or until the time is over.

    Args:
        sampler: One of ``SAMPLERS``.
        sought: The posterior.
        start: Where to look for its optimum.
        limit: Most seconds of the processor.
        seed: Of the sampling.
    """
    # Both samplers draw from numpy's global state.
    np.random.seed(seed)
    rng = np.random.default_rng(seed)
    sought.log_density(rng.standard_normal((10, sought.size)))
    loaded, density, watch = peak_memory(), Counted(sought), Stopwatch()
    problem = started(density, start)
    begun, watched = watch.read()[0], Watched(watch, limit)
    points = SAMPLERS[sampler](problem, density, watched)
    peak, last = peak_memory(), watched.last
    points = points[int(last.warm_up * len(points)) :].reshape(-1, sought.size)
    chosen = rng.choice(len(points), min(DRAWS, len(points)), replace=False)
    values = sought.physical(points[chosen], seed)
    return Found(
        converged=last.reached,
        seconds=watched.seconds,
        seconds_in_groups=watched.seconds_in_groups,
        clock=watched.clock,
        start_seconds=begun,
        at_least=watched.seconds * last.lacking,
        at_least_in_groups=(
            watched.seconds_in_groups or watched.seconds * last.lacking_in_groups
        ),
        r_hat=last.r_hat,
        effective=last.effective,
        curves=density.curves,
        runs=1,
        warm_up=last.warm_up,
        means={name: float(value.mean()) for name, value in values.items()},
        sds={name: float(value.std()) for name, value in values.items()},
        loaded=loaded,
        peak=peak,
    )


@dataclass(frozen=True, eq=False)
class _Run:
    """One run of ours: effective samples, seconds, curves tried, evenly drawn samples.

    The samples are those of all that is sampled, and of the parameters alone.
    """

    effective: float
    seconds: float
    clock: float
    curves: float
    samples: np.ndarray
    parameters: dict[str, np.ndarray]


def _run_once(model: str, seed: int, number: int) -> _Run:
    """Fits a curve as a user would."""
    from saxinfer.inference import run

    _, curve = draw_curve(model, "standard", seed)
    watch = Stopwatch()
    fit = run(curve, model, seed=number)
    (seconds, clock), quality = watch.read(), fit.quality
    posterior = fit.posterior
    generator = torch.Generator().manual_seed(number)
    drawn = posterior.draw(DRAWS, generator)
    sampled = {
        quantity.name: drawn[:, column].numpy()
        for column, quantity in enumerate(posterior)
        if quantity.kind in ("parameter", "nuisance")
    }
    names = [quantity.name for quantity in posterior.of_kind("parameter")]
    return _Run(
        effective=quality.effective_samples,
        seconds=seconds,
        clock=clock,
        curves=quality.effective_samples / quality.sampling_efficiency,
        samples=np.stack(list(sampled.values()), 1),
        parameters={name: sampled[name] for name in names},
    )


def _side_by_side(runs: list[_Run]) -> Convergence:
    """The R-hat of independent runs; their effective samples add up."""
    fewest = max(4, int(min(run.effective for run in runs)))
    chains = np.stack([run.samples[:fewest] for run in runs], 1)
    moving = np.ptp(chains, axis=(0, 1)) > 0
    return Convergence(
        looked_at(chains[:, :, moving]).r_hat, sum(run.effective for run in runs)
    )


def run_ours(model: str, limit: float, seed: int) -> Found:
    """Fits until effective samples suffice, and at least four times for R-hat.

    Args:
        model: Name of the structure.
        limit: Most seconds of the processor.
        seed: Of the curve.
    """
    loaded = peak_memory()
    _run_once(model, seed + 1_000_000, 0)
    runs: list[_Run] = []
    while len(runs) < OUR_RUNS or (
        sum(run.effective for run in runs) < EFFECTIVE
        and sum(run.seconds for run in runs) < limit
    ):
        runs.append(_run_once(model, seed, len(runs)))
    total = np.cumsum([run.effective for run in runs])
    needed = min(len(runs), int((total < EFFECTIVE).sum()) + 1)
    used = runs[:needed]
    found = Convergence(_side_by_side(runs[:OUR_RUNS]).r_hat, float(total[needed - 1]))
    values = {
        name: np.concatenate([run.parameters[name] for run in used])
        for name in used[0].parameters
    }
    seconds = sum(run.seconds for run in used)
    return Found(
        converged=found.reached,
        seconds=seconds,
        seconds_in_groups=seconds if found.reached else None,
        clock=sum(run.clock for run in used),
        start_seconds=0.0,
        at_least=seconds if found.reached else math.inf,
        at_least_in_groups=seconds if found.reached else math.inf,
        r_hat=found.r_hat,
        effective=found.effective,
        curves=round(sum(run.curves for run in used)),
        runs=needed,
        warm_up=0.0,
        means={name: float(value.mean()) for name, value in values.items()},
        sds={name: float(value.std()) for name, value in values.items()},
        loaded=loaded,
        peak=peak_memory(),
    )
