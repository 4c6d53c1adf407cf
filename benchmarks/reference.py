"""Are our posteriors the exact ones? Held against nested sampling, curve by curve.

    python benchmarks/reference.py MODEL [--tier standard] [--curves 40] [--seed 4000]
                                   [-o DIR] [--resume] [--ours] [--workers 2]
                                   [--tries 4]

draws curves as benchmarks/calibration.py does. Each is fitted by our own path, as many
times with other seeds as it takes for 2,000 independent draws (of weighted samples
those that rejection leaves, of walkers their last places), and by two independent
references (benchmarks/settled.py): nested sampling (benchmarks/nested.py) on the same
likelihood and prior, made exact by importance sampling around its draws
(benchmarks/around.py). Where these do not agree, or agree on less evidence than ours,
of which each solution that they missed takes some, each has one run more, with more
live points and longer walks; a curve for which they never agree, of so many tries, says
nothing. It prints a table:

- the log evidence of ours and of both references, and how many errors they are apart;
  that of nested sampling alone;
- the score of a classifier that tells our draws from the reference's, that of halves of
  the reference, which is the test's own noise, and that of one reference from the
  other;
- effective samples and efficiency of one fit of ours (medians), and its seconds;
- regions of at least 2 % of the reference's belief where ours has less than a tenth of
  that share: in all our draws, and in how many of our fits taken alone; and the
  reverse, what the reference missed.

Every run and every curve has a file in DIR; --resume goes on from these. --ours keeps
the references and judges our side anew. A reference of another likelihood is refused.
"""

import argparse
import json
import math
import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch

from calibration import draw_curve
from nested import likelihood_of, sampled_columns
from saxinfer.calibration.two_sample import (
    CLASSIFIER,
    DRAWS,
    Region,
    distinct,
    missed,
    two_sample,
)
from saxinfer.crew.processes import in_processes
from saxinfer.inference.card import load_estimator
from saxinfer.inference.proposals import propose
from saxinfer.inference.refine import Effort, refine
from saxinfer.inference.target import Target
from saxinfer.instrument.tiers import Tier
from saxinfer.preprocess.prepare import prepare
from saxinfer.structures import get_structure
from settled import (
    CARES,
    GOOD,
    NEAR,
    Reference,
    Stored,
    apart,
    middle,
    settled_reference,
)

# Fits of ours, at most, for enough draws.
MOST_FITS = 12


@dataclass(frozen=True, eq=False)
class Fitted:
    """One fit of ours.

    Attributes:
        independent: Independent draws: those that rejection leaves of weighted ones,
            or the last place of each walker.
        points: All samples.
        log_evidence: Log marginal likelihood.
        log_evidence_sd: Its standard error, as the fit states it.
        effective: Effective samples.
        efficiency: Effective samples for each curve that was tried.
        seconds: Time of the processor.
    """

    independent: np.ndarray
    points: np.ndarray
    log_evidence: float
    log_evidence_sd: float
    effective: float
    efficiency: float
    seconds: float


@dataclass(frozen=True)
class Comparison:
    """One curve: ours beside the reference.

    Attributes:
        seed: Of the curve.
        points: Number of measured points.
        evidence: Log evidence and error of each fit of ours.
        reference: The same of the two references.
        nested: The same of these by nested sampling alone.
        around: Effective points around the draws of each.
        settled: Whether these agree; if not, nothing follows from the comparison.
        tried: How many runs of nested sampling it took.
        score: Two-sample score of ours and the reference.
        halves: Scores of halves of the reference.
        between: Score of one reference and the other.
        draws: Draws a side.
        effective: Effective samples of each fit of ours.
        efficiency: Efficiency of each.
        seconds: Time of the processor of each [s].
        missed: Regions that ours missed: share of the reference, of ours, parameters.
        fits_that_missed: Number of fits of ours that missed any, taken alone.
        extra: Regions of ours that the reference missed.
        reference_seconds: Time of the processor of nested sampling [s].
    """

    seed: int
    points: int
    evidence: list[tuple[float, float]]
    reference: list[tuple[float, float]]
    nested: list[tuple[float, float]]
    around: list[float]
    settled: bool
    tried: int
    score: float
    halves: list[float]
    between: float
    draws: int
    effective: list[float]
    efficiency: list[float]
    seconds: list[float]
    missed: list[tuple[float, float, list[float]]]
    fits_that_missed: int
    extra: list[tuple[float, float, list[float]]]
    reference_seconds: float

    @property
    def ours(self) -> tuple[float, float]:
        """Our evidence."""
        return joint(self.evidence)

    @property
    def pull(self) -> float:
        """Distance of ours from the reference in evidence, in errors."""
        return apart(self.ours, middle(*self.reference))

    @property
    def agreement(self) -> float:
        """Distance of the two references in evidence, in errors."""
        return apart(*self.reference)


def joint(evidence: list[tuple[float, float]]) -> tuple[float, float]:
    """The mean evidence of fits of one curve.

    Its error is what these state or how far they scatter, whichever is larger.
    """
    each = np.array(evidence)
    stated = np.sqrt(np.square(each[:, 1]).mean())
    error = max(stated, each[:, 0].std()) / math.sqrt(len(each))
    return float(each[:, 0].mean()), float(error)


def target_of(model: str, tier: Tier, seed: int) -> Target:
    """The exact posterior of a simulated curve, as a fit of its file would have it."""
    _, curve = draw_curve(model, tier, seed)
    prepared = prepare(curve, None)
    structure = get_structure(model)
    observation = prepared.observation()
    return Target(structure, structure.space, observation)


def fitted_once(target: Target, model: str, seed: int) -> Fitted:
    """One fit of ours, with the effort of every fit."""
    generator = torch.Generator().manual_seed(seed)
    columns, effort = sampled_columns(target), Effort()
    start = time.process_time()
    with torch.no_grad():
        proposals = propose(target, load_estimator(model, None), generator)
        sampled = refine(target, proposals, generator, effort)
    seconds = time.process_time() - start
    points = sampled.points[:, columns]
    chance = sampled.weights / sampled.weights.max()
    if float(chance.min()) == 1.0:
        independent = points[-effort.walkers :]
    else:
        luck = torch.rand(len(chance), generator=generator, dtype=chance.dtype)
        independent = points[luck < chance]
    rows = torch.multinomial(
        sampled.weights, len(points), replacement=True, generator=generator
    )
    return Fitted(
        independent=distinct(independent.numpy()),
        points=points[rows].numpy(),
        log_evidence=sampled.log_evidence,
        log_evidence_sd=sampled.log_evidence_sd,
        effective=sampled.effective,
        efficiency=sampled.effective / sampled.drawn,
        seconds=seconds,
    )


def fits_of(target: Target, model: str, seed: int) -> list[Fitted]:
    """Fits of ours with other seeds, until they have enough draws together."""
    fits: list[Fitted] = []
    while len(fits) < MOST_FITS and sum(len(f.independent) for f in fits) < DRAWS:
        fits.append(fitted_once(target, model, 1000 * seed + len(fits)))
    return fits


def compare(
    model: str,
    tier: Tier,
    folder: Path,
    keep: tuple[bool, bool],
    tries: int,
    seed: int,
) -> Comparison:
    """One curve, from its file if it may be kept.

    Args:
        model: Name of the structure.
        tier: Of the instruments.
        folder: Where the files lie.
        keep: Whether to keep the references, and the comparisons, that are there.
        tries: Runs of each reference, at most.
        seed: Of the curve.
    """
    torch.set_num_threads(1)
    name = f"{model}-{tier}-{seed}"
    place = folder / f"{name}.json"
    if keep[1] and place.exists():
        return Comparison(**json.loads(place.read_text()))
    target = target_of(model, tier, seed)
    likelihood, size = likelihood_of(target), len(sampled_columns(target))
    fits = fits_of(target, model, seed)
    reference = settled_reference(
        likelihood,
        size,
        seed,
        Stored(folder / name, keep[0]),
        tries,
        known=joint([(fit.log_evidence, fit.log_evidence_sd) for fit in fits]),
    )
    result = compared(target, fits, reference, seed)
    new = place.with_suffix(".new")
    new.write_text(json.dumps(asdict(result), indent=1) + "\n")
    new.replace(place)
    return result


def compared(
    target: Target, fits: list[Fitted], reference: Reference, seed: int
) -> Comparison:
    """Our fits beside the reference."""
    sides = reference.sides
    theirs = distinct(np.concatenate([side.draws for side in sides]))
    ours = distinct(np.concatenate([fit.independent for fit in fits]))
    draws = min(DRAWS, len(ours), len(theirs) // 2)
    told = two_sample(ours, theirs, count=draws, seed=seed)
    described = partial(_described, target)
    return Comparison(
        seed=seed,
        points=len(target.observation.q),
        evidence=[(fit.log_evidence, fit.log_evidence_sd) for fit in fits],
        reference=[side.evidence for side in sides],
        nested=[(s.nested.log_evidence, s.nested.log_evidence_sd) for s in sides],
        around=[side.around.effective for side in sides],
        settled=reference.settled,
        tried=sum(len(side.runs) for side in sides),
        score=told.score,
        halves=list(told.halves),
        between=reference.between,
        draws=draws,
        effective=[fit.effective for fit in fits],
        efficiency=[fit.efficiency for fit in fits],
        seconds=[fit.seconds for fit in fits],
        missed=[described(region) for region in missed(ours, theirs)],
        fits_that_missed=sum(bool(missed(fit.points, theirs)) for fit in fits),
        extra=[described(region) for region in missed(theirs, ours)],
        reference_seconds=sum(side.seconds for side in sides),
    )


def _described(target: Target, region: Region) -> tuple[float, float, list[float]]:
    """Shares of a region, and the structure's parameters in its middle."""
    latent = torch.zeros(1, target.dimension, dtype=torch.float64)
    latent[:, sampled_columns(target)] = torch.from_numpy(region.centre)
    theta = target.theta(latent)[0]
    return region.share, region.other, [float(f"{value:.4g}") for value in theta]


def compare_many(
    job: Callable[[int], Comparison], seeds: range, workers: int
) -> list[Comparison]:
    """Curves in processes of one thread each; says which are done."""
    if workers == 1:
        return [_told(job(seed)) for seed in seeds]
    with closing(in_processes(job, seeds, workers)) as done:
        return sorted((_told(result) for result in done), key=lambda r: r.seed)


def _told(result: Comparison) -> Comparison:
    """Prints the line of one curve."""
    ours = np.array(result.evidence)
    (one, one_sd), (two, two_sd) = result.reference
    halves = np.sqrt(np.square(np.array(result.halves) - 0.5).mean())
    print(
        f"| {result.seed} | {result.points} "
        f"| {ours[:, 0].mean():.2f} ± {ours[:, 0].std():.2f} "
        f"| {one:.2f} ± {one_sd:.2f} | {two:.2f} ± {two_sd:.2f} "
        f"| {result.nested[0][0]:.2f}, {result.nested[1][0]:.2f} "
        f"± {result.nested[1][1]:.2f} "
        f"| {result.around[0]:.0f}, {result.around[1]:.0f} "
        f"| {result.pull:+.1f} | {result.agreement:+.1f} "
        f"| {result.score:.3f} | {halves:.3f} | {result.between:.3f} "
        f"| {np.median(result.effective):.0f} | {np.median(result.efficiency):.3f} "
        f"| {np.median(result.seconds):.1f} | {len(result.missed)} "
        f"| {result.fits_that_missed} of {len(ours)} | {len(result.extra)} "
        f"| {result.reference_seconds:.0f} "
        f"| {'' if result.settled else 'not '}settled, "
        f"{result.tried} runs |",
        flush=True,
    )
    return result


def summarise(results: list[Comparison]) -> None:
    """Prints what holds of all curves whose reference settled."""
    unsettled = [r.seed for r in results if not r.settled]
    print(f"\ncurves whose reference runs never agreed, left out below: {unsettled}")
    results = [r for r in results if r.settled]
    count = len(results)
    if not count:
        return
    efficiency = [np.median(r.efficiency) for r in results]
    effective = [np.median(r.effective) for r in results]
    noise = np.concatenate([r.halves for r in results]) - 0.5
    print(
        f"score at most {GOOD}: {sum(r.score <= GOOD for r in results)} of {count}; "
        f"the test's own noise: {np.sqrt(np.square(noise).mean()):.4f}, "
        f"largest {np.abs(noise).max():.4f}"
    )
    print(f"classifier: {CLASSIFIER}; {min(r.draws for r in results)} draws a side")
    print(
        f"evidence within {NEAR:g} errors: "
        f"{sum(abs(r.pull) <= NEAR for r in results)} of {count}"
    )
    print(
        f"curves with a region missed: {sum(bool(r.missed) for r in results)}; with "
        f"one that the reference missed: {sum(bool(r.extra) for r in results)}"
    )
    print(
        f"median efficiency {np.median(efficiency):.3f}; effective samples: median "
        f"{np.median(effective):.0f}, least {min(effective):.0f}"
    )
    for result in results:
        for kind, regions in (("missed", result.missed), ("extra", result.extra)):
            for share, other, theta in regions:
                print(f"{result.seed} {kind}: {share:.3f} against {other:.4f}, {theta}")


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("model")
    parser.add_argument("--tier", choices=("standard", "hard"), default="standard")
    parser.add_argument("--curves", type=int, default=40)
    parser.add_argument("--seed", type=int, default=4000)
    parser.add_argument("-o", "--output", type=Path, default=Path("reference"))
    parser.add_argument("--resume", action="store_true")
    parser.add_argument("--ours", action="store_true")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--tries", type=int, default=len(CARES))
    asked = parser.parse_args()
    asked.output.mkdir(parents=True, exist_ok=True)
    keep = (asked.resume or asked.ours, asked.resume and not asked.ours)
    job = partial(compare, asked.model, asked.tier, asked.output, keep, asked.tries)
    print(f"{asked.model}, {asked.tier} tier, nested sampling by dynesty")
    print(
        "| curve | points | ln Z ours ± scatter | run 1 | run 2 | nested sampling "
        "| effective around it | pull | run 1 - run 2 | score | halves | run 1, run 2 "
        "| effective | efficiency | s a fit | missed | fits that missed | extra "
        "| s reference | reference |\n" + "|---" * 20 + "|"
    )
    seeds = range(asked.seed, asked.seed + asked.curves)
    summarise(compare_many(job, seeds, asked.workers))


if __name__ == "__main__":
    main()
