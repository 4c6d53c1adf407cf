"""Two reference runs that agree, or the word that they do not.

A run is nested sampling from the prior, and importance sampling around its draws, which
makes them exact wherever they are at all. That none of the modes lost its live points
by chance a run cannot tell; a second one can. What a run missed its evidence lacks, so
that the run of the largest evidence must be met by another one, and a larger evidence
that is known from elsewhere must be reached. Until then there is one run more, with
more live points and longer walks.
"""

import math
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from around import LogLikelihood, Weighed, weighed
from nested import Care, Nested, nested
from saxinfer.calibration.two_sample import DRAWS, missed, score

__all__ = [
    "GOOD",
    "NEAR",
    "Reference",
    "Run",
    "Stored",
    "apart",
    "reference_run",
    "settled_reference",
]

# How carefully each run samples, until two of them agree.
CARES = (
    Care(400, 3),
    Care(400, 3),
    Care(800, 5),
    Care(800, 10),
    Care(1600, 10),
    Care(1600, 25),
)

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


@dataclass(frozen=True, eq=False)
class Run:
    """Nested sampling, and what importance sampling around its draws makes of it.

    Attributes:
        nested: From the prior.
        around: Around its draws.
    """

    nested: Nested
    around: Weighed

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
    def least(self) -> float:
        """The evidence that there is at least."""
        return self.evidence[0] - NEAR * self.evidence[1]


@dataclass(frozen=True, eq=False)
class Reference:
    """Two runs.

    Attributes:
        runs: The two.
        between: Two-sample score of one and the other.
        settled: Whether they agree in evidence, score and regions.
        tried: How many runs there were.
    """

    runs: tuple[Run, Run]
    between: float
    settled: bool
    tried: int = 2

    @classmethod
    def of(cls, one: Run, two: Run, seed: int) -> "Reference":
        """Judges two runs by one another."""
        draws = min(DRAWS, len(one.draws), len(two.draws))
        between = score(one.draws[:draws], two.draws[:draws], seed)
        agree = abs(apart(one.evidence, two.evidence)) <= NEAR and between <= GOOD
        lack = missed(one.draws, two.draws) or missed(two.draws, one.draws)
        return cls((one, two), between, agree and not lack)

    @classmethod
    def best(cls, runs: list[Run], seed: int) -> "Reference":
        """The run of the largest evidence, beside the one that is nearest to it."""
        first, *others = sorted(runs, key=lambda run: -run.least)
        pairs = [cls.of(first, other, seed) for other in others]
        chosen = min(pairs, key=lambda pair: (not pair.settled, pair.between))
        return replace(chosen, tried=len(runs))

    def reaches(self, known: tuple[float, float]) -> bool:
        """Whether an evidence that is known is no larger."""
        return apart(known, self.runs[0].evidence) <= NEAR


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
    """Two runs that agree, with more of them as long as none does.

    Args:
        likelihood: Log likelihood of a batch of latent vectors.
        size: Number of coordinates.
        seed: Of the curve.
        stored: Where the runs' files are.
        tries: How many runs, at most, before they count as not agreeing.
        known: An evidence that was found, and its error. Runs that agree on less have
            both missed something, and count as not agreeing.
    """
    runs: list[Run] = []
    for index, care in enumerate(CARES[: max(tries, 2)]):
        one = stored.run(care, index)
        runs.append(reference_run(likelihood, size, 10 * seed + index, care, one))
        if len(runs) > 1:
            reference = Reference.best(runs, seed)
            if reference.settled and reference.reaches(known):
                return reference
    return replace(reference, settled=False)


def reference_run(
    likelihood: LogLikelihood,
    size: int,
    seed: int,
    care: Care,
    stored: Stored,
) -> Run:
    """A reference run; nested sampling is read from its file if that may be kept.

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
            run = _read(dict(file))
    else:
        run = nested(likelihood, size, seed, care)
        new = place.with_suffix(".new.npz")
        np.savez(new, target=mark, **asdict(run))
        new.replace(place)
    return Run(run, weighed(likelihood, run.draws, seed))


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
