"""Two runs of nested sampling that agree, or the word that they do not.

The error that one run states holds if its walks forget where they began and none of the
modes lost its live points by chance. A run cannot tell; a second one can. Two that
differ are repeated with more live points and longer walks.
"""

import math
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from nested import Care, LogLikelihood, Nested, nested
from saxinfer.calibration.two_sample import DRAWS, missed, score

__all__ = [
    "GOOD",
    "NEAR",
    "Reference",
    "apart",
    "reference_run",
    "settled_reference",
]

# How carefully the reference samples, until its two runs agree.
CARES = (Care(400, 10), Care(800, 10), Care(1600, 25), Care(3200, 60))

# Largest score that passes, and largest distance of evidences in their errors.
GOOD, NEAR = 0.55, 3.0


def apart(one: tuple[float, float], two: tuple[float, float]) -> float:
    """Distance of two evidences in their errors."""
    return (one[0] - two[0]) / math.hypot(one[1], two[1])


@dataclass(frozen=True, eq=False)
class Reference:
    """Two runs of nested sampling.

    Attributes:
        runs: The two.
        care: How carefully they sampled.
        between: Two-sample score of one and the other.
        settled: Whether they agree in evidence, score and regions.
    """

    runs: tuple[Nested, Nested]
    care: Care
    between: float
    settled: bool

    @classmethod
    def of(cls, one: Nested, two: Nested, care: Care, seed: int) -> "Reference":
        """Judges two runs by one another."""
        draws = min(DRAWS, len(one.draws), len(two.draws))
        between = score(one.draws[:draws], two.draws[:draws], seed)
        gap = apart(
            (one.log_evidence, one.log_evidence_sd),
            (two.log_evidence, two.log_evidence_sd),
        )
        agree = abs(gap) <= NEAR and between <= GOOD
        lack = missed(one.draws, two.draws) or missed(two.draws, one.draws)
        return cls((one, two), care, between, agree and not lack)


def settled_reference(
    likelihood: LogLikelihood,
    size: int,
    seed: int,
    stem: Path,
    *,
    keep: bool,
    tries: int = len(CARES),
) -> Reference:
    """Two runs that agree, with more care as long as they do not.

    Args:
        likelihood: Log likelihood of a batch of latent vectors.
        size: Number of coordinates.
        seed: Of the curve.
        stem: Start of the runs' file names.
        keep: Whether runs that have a file are kept.
        tries: How often, at most, before they count as not agreeing.
    """
    for care in CARES[:tries]:
        places = [
            stem.with_name(f"{stem.name}-{care.live}x{care.steps}-run{index}.npz")
            for index in (0, 1)
        ]
        one, two = (
            reference_run(likelihood, size, 2 * seed + index, care, places[index], keep)
            for index in (0, 1)
        )
        reference = Reference.of(one, two, care, seed)
        if reference.settled:
            break
    return reference


def reference_run(
    likelihood: LogLikelihood,
    size: int,
    seed: int,
    care: Care,
    place: Path,
    keep: bool,
) -> Nested:
    """A reference run, from its file if there is one that may be kept.

    Raises:
        ValueError: If the file is of another likelihood.
    """
    trial = np.random.default_rng(1).standard_normal((8, size)) / 2
    mark = likelihood(trial)
    if keep and place.exists():
        with np.load(place) as stored:
            if not np.allclose(stored["target"], mark, rtol=1e-6):
                raise ValueError(
                    f"{place} is a reference of another likelihood or prior. Remove "
                    "it, or leave --resume and --ours out."
                )
            return _read(dict(stored))
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
