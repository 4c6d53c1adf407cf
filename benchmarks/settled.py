"""Two references that agree, or the word that they do not.

Each of two sides runs nested sampling from the prior, and importance sampling around
its draws, which makes them exact wherever they are at all. That a side knows of all
modes it cannot tell; the other one can, as far as both would not miss the same: they
have to agree. Evidence tells most of all, since what was missed is missing there, so
that a larger evidence that is known from elsewhere must be reached as well. Until then
each side has one run more, with more live points and longer walks, and importance
sampling is around the draws of all its runs: what one of them missed another may know.
"""

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from around import LogLikelihood, Weighed, weighed
from nested import Care, Nested, nested
from saxinfer.calibration.two_sample import DRAWS, missed, score

__all__ = [
    "CARES",
    "GOOD",
    "NEAR",
    "Reference",
    "Side",
    "Stored",
    "apart",
    "middle",
    "nested_run",
    "settled_reference",
]

# How carefully each side samples, until they agree.
CARES = (Care(400, 3), Care(800, 5), Care(800, 10), Care(1600, 10))

# Largest score that passes, and largest distance of evidences in their errors.
GOOD, NEAR = 0.55, 3.0

# Effective points around nested sampling's draws from which on their evidence counts,
# and draws that must be left of them to take the place of nested sampling's; and what
# is added to the error of their evidence, which tails of weights make larger than it is
# stated [nats].
TOLD, DRAWN, ROUGH = 400, 1000, 0.02


def apart(one: tuple[float, float], two: tuple[float, float]) -> float:
    """Distance of two evidences in their errors."""
    return (one[0] - two[0]) / math.hypot(one[1], two[1])


def middle(one: tuple[float, float], two: tuple[float, float]) -> tuple[float, float]:
    """Mean of two evidences, and its error."""
    return 0.5 * (one[0] + two[0]), 0.5 * math.hypot(one[1], two[1])


@dataclass(frozen=True, eq=False)
class Side:
    """Runs of nested sampling, and what importance sampling around them makes of these.

    Attributes:
        runs: From the prior.
        around: Around the draws of all.
    """

    runs: tuple[Nested, ...]
    around: Weighed

    @classmethod
    def of(cls, runs: Sequence[Nested], likelihood: LogLikelihood, seed: int) -> "Side":
        """Weighs what is around all draws of some runs."""
        draws = np.concatenate([run.draws for run in runs])
        return cls(tuple(runs), weighed(likelihood, draws, seed))

    @property
    def nested(self) -> Nested:
        """The run of the largest evidence."""
        return max(self.runs, key=lambda run: run.log_evidence)

    @property
    def draws(self) -> np.ndarray:
        """Independent draws, all worth the same."""
        enough = len(self.around.draws) >= DRAWN
        return self.around.draws if enough else self.nested.draws

    @property
    def evidence(self) -> tuple[float, float]:
        """Log marginal likelihood and its error."""
        if self.around.effective >= TOLD:
            return self.around.log_evidence, self.around.log_evidence_sd + ROUGH
        return self.nested.log_evidence, self.nested.log_evidence_sd

    @property
    def seconds(self) -> float:
        """Time of the processor of nested sampling."""
        return sum(run.seconds for run in self.runs)


@dataclass(frozen=True, eq=False)
class Reference:
    """Two sides.

    Attributes:
        sides: The two.
        between: Two-sample score of one and the other.
        settled: Whether they agree in evidence, score and regions.
    """

    sides: tuple[Side, Side]
    between: float
    settled: bool

    @classmethod
    def of(cls, one: Side, two: Side, seed: int) -> "Reference":
        """Judges two sides by one another."""
        draws = min(DRAWS, len(one.draws), len(two.draws))
        between = score(one.draws[:draws], two.draws[:draws], seed)
        agree = abs(apart(one.evidence, two.evidence)) <= NEAR and between <= GOOD
        lack = missed(one.draws, two.draws) or missed(two.draws, one.draws)
        return cls((one, two), between, agree and not lack)

    def reaches(self, known: tuple[float, float]) -> bool:
        """Whether an evidence that is known is no larger."""
        one, two = self.sides
        return apart(known, middle(one.evidence, two.evidence)) <= NEAR


@dataclass(frozen=True)
class Stored:
    """Where a run is stored, or the stem of the names of several.

    Attributes:
        path: The file.
        keep: Whether a run that is there is read.
    """

    path: Path
    keep: bool

    def run(self, care: Care, index: int) -> "Stored":
        """That of one run."""
        name = f"{self.path.name}-{care.live}x{care.steps}-run{index}.npz"
        return replace(self, path=self.path.with_name(name))


def settled_reference(
    likelihood: LogLikelihood,
    size: int,
    seed: int,
    stored: Stored,
    tries: int = len(CARES),
    known: tuple[float, float] = (-math.inf, 0.0),
) -> Reference:
    """Two sides that agree, with more runs as long as they do not.

    Args:
        likelihood: Log likelihood of a batch of latent vectors.
        size: Number of coordinates.
        seed: Of the curve.
        stored: Where the runs' files are.
        tries: Runs of a side, at most, before they count as not agreeing.
        known: An evidence that was found, and its error. Sides that agree on less have
            both missed something, and count as not agreeing.
    """
    runs: tuple[list[Nested], list[Nested]] = ([], [])
    for care in CARES[:tries]:
        for side in runs:
            index = len(runs[0]) + len(runs[1])
            one = stored.run(care, index)
            side.append(nested_run(likelihood, size, 10 * seed + index, care, one))
        first, second = (
            Side.of(side, likelihood, 10 * seed + which)
            for which, side in enumerate(runs)
        )
        reference = Reference.of(first, second, seed)
        if reference.settled and reference.reaches(known):
            return reference
    return replace(reference, settled=False)


def nested_run(
    likelihood: LogLikelihood,
    size: int,
    seed: int,
    care: Care,
    stored: Stored,
) -> Nested:
    """A run of nested sampling, read from its file if that may be kept.

    Raises:
        ValueError: If the file is of another likelihood.
    """
    trial = np.random.default_rng(1).standard_normal((8, size)) / 2
    mark = likelihood(trial)
    place = stored.path
    if stored.keep and place.exists():
        with np.load(place) as file:
            if not np.allclose(file["target"], mark, rtol=1e-6):
                raise ValueError(
                    f"{place} is a reference of another likelihood or prior. Remove "
                    "it, or leave --resume and --ours out."
                )
            return _read(dict(file))
    run = nested(likelihood, size, seed, care)
    new = place.with_suffix(".new.npz")
    np.savez(new, target=mark, **asdict(run))
    new.replace(place)
    return run


def _read(stored: dict[str, np.ndarray]) -> Nested:
    """A stored reference run."""
    return Nested(
        draws=stored["draws"],
        log_evidence=float(stored["log_evidence"]),
        log_evidence_sd=float(stored["log_evidence_sd"]),
        effective=float(stored["effective"]),
        calls=int(stored["calls"]),
        seconds=float(stored["seconds"]),
    )
