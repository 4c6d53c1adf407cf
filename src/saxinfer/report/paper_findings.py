"""What the paper's experiment found, in sentences, each of which may turn out false.

The expectations were written down before the experiment was made: the paper's pattern
(the mean half-size learnt well, mu less, the exponent least, some predictions out of
range), and of the posterior a higher R² for every identifiable column, no sample out of
range, and 90 % intervals that cover 0.90 ± 0.05.
"""

from dataclasses import dataclass
from typing import Final

from saxinfer.paper.data import SCALES, Scale
from saxinfer.paper.experiment import Outcome
from saxinfer.paper.scores import LEVEL, Score, reason_not_identifiable
from saxinfer.report.wording import in_words

__all__ = ["IN_WORDS", "Finding", "findings", "untold"]

IN_WORDS: Final[dict[Scale, str]] = {
    "absolute": "scale known",
    "unknown": "scale unknown",
}

# What "learnt well" means, and by how much a coverage may differ from its level.
WELL, SLACK = 0.9, 0.05


@dataclass(frozen=True)
class Finding:
    """One expectation, what came out, and whether it was met."""

    expected: str
    found: str
    met: bool


def findings(outcome: Outcome) -> tuple[Finding, ...]:
    """All expectations in turn."""
    return (
        _pattern(outcome),
        _beyond(outcome),
        *(_better(outcome, scale) for scale in SCALES),
        _within(outcome),
        *(_covering(outcome, scale) for scale in SCALES),
    )


def untold(outcome: Outcome, scale: Scale) -> dict[str, str]:
    """Columns that such an input cannot tell, with the reason."""
    found = {
        column.name: reason_not_identifiable(outcome.scores, column.name, scale)
        for column in outcome.curves.columns
    }
    return {name: reason for name, reason in found.items() if reason is not None}


def _pattern(outcome: Outcome) -> Finding:
    names = ("alpha_mean", "mu", "pow_exp")
    r2 = [outcome.score("baseline", "absolute", n, "test").r2 for n in names]
    said = zip(names, r2, strict=True)
    return Finding(
        f"The trees learn alpha mean well (R² above {WELL:g}), mu less, pow exp least.",
        ", ".join(f"{in_words(name)} {value:.3f}" for name, value in said)
        + f", on all {len(outcome.split.test)} test curves, scale known.",
        r2[0] > WELL and r2[0] > r2[1] > r2[2],
    )


def _beyond(outcome: Outcome) -> Finding:
    scores = [s for s in _scores(outcome, "absolute", "test") if s.outside]
    found = ", ".join(f"{in_words(s.column)} {100 * s.outside:.1f} %" for s in scores)
    return Finding(
        "Some predictions of the trees are out of range.",
        (found or "None of them is") + ", on all test curves, scale known.",
        bool(scores),
    )


def _better(outcome: Outcome, scale: Scale) -> Finding:
    skipped = untold(outcome, scale)
    names = [c.name for c in outcome.curves.columns if c.name not in skipped]
    worse = [
        name
        for name in names
        if outcome.score("ours", scale, name).r2
        <= outcome.score("baseline", scale, name).r2
    ]
    found = f"All {len(names)} identifiable columns"
    if worse:
        found = f"Not {_listed(worse)}, of {len(names)} identifiable columns"
    return Finding(
        "The posterior mean has the higher R² for every identifiable column, "
        f"{IN_WORDS[scale]}.",
        f"{found}; not identifiable: {_listed(list(skipped)) or 'none'}.",
        not worse,
    )


def _within(outcome: Outcome) -> Finding:
    shares = [s.outside for s in outcome.scores if s.learner == "ours"]
    return Finding(
        "No sample of any posterior is out of range.",
        f"{100 * sum(shares) / len(shares):.2g} % of the marginals have one that is.",
        not any(shares),
    )


def _covering(outcome: Outcome, scale: Scale) -> Finding:
    scores = [outcome.score("ours", scale, c.name) for c in outcome.curves.columns]
    mean = sum(score.coverage for score in scores) / len(scores)
    error = scores[0].coverage_error
    far = [s for s in scores if abs(s.coverage - LEVEL) > SLACK + 2 * error]
    said = ", ".join(f"{in_words(s.column)} {s.coverage:.3f}" for s in far)
    return Finding(
        f"90 % intervals of the posterior cover {LEVEL:.2f} ± {SLACK:.2f} in the mean "
        "over the columns, and no column is further off by more than two standard "
        f"errors, {IN_WORDS[scale]}.",
        f"{mean:.3f} in the mean, standard error of a column {error:.3f}; further off: "
        f"{said or 'none'}.",
        abs(mean - LEVEL) <= SLACK and not far,
    )


def _scores(outcome: Outcome, scale: Scale, sample: str) -> list[Score]:
    names = [column.name for column in outcome.curves.columns]
    return [outcome.score("baseline", scale, name, sample) for name in names]


def _listed(names: list[str]) -> str:
    return ", ".join(in_words(name) for name in names)
