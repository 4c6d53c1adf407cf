r"""Do two sets of draws come from one distribution? A classifier's score.

A classifier is trained to tell the draws of one set from those of the other. Its share
of right answers on draws that it was not trained on is 0.5 if the two distributions are
one, and 1 if they have nothing in common; it can fall short of what the best classifier
would reach, never exceed it but by chance:

.. math:: C = \tfrac12 + \tfrac14 \int |p_1 - p_2| .

The classifier is scikit-learn's ``MLPClassifier``: two hidden layers of ten units a
column, rectified, on standardised columns, trained by Adam until a tenth of its draws,
held out, are told no better for ten rounds; five folds. Chance alone moves the score of
n draws a side by about 0.5 / sqrt(2 n), which is 0.008 for the 2,000 that are usual;
how much it does move is measured on two halves of the reference.

A draw that is there twice could be trained on and asked for, and the score would be
about the copies: such draws are refused.

A classifier may overlook what is rare. So draws are also sorted into regions, the
components of Gaussian mixtures that are fitted to the reference, and regions where one
set has next to nothing are told.

References:
    Lopez-Paz & Oquab, ICLR (2017), arXiv:1610.06545: classifier two-sample tests.
    Lueckmann et al., PMLR 130, 343 (2021): this classifier, for posteriors.
"""

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray

__all__ = [
    "CLASSIFIER",
    "DRAWS",
    "Region",
    "TwoSample",
    "distinct",
    "missed",
    "score",
    "two_sample",
]

DRAWS: Final = 2000
"""Draws a side."""

CLASSIFIER: Final = (
    "scikit-learn MLPClassifier, two layers of 10 units a column, early stopping, "
    "standardised columns, 5 folds"
)
"""What the score was made with, for reports."""

# Folds, units of a layer for each column, and the most rounds of training.
FOLDS, UNITS, ROUNDS = 5, 10, 1000

# Components of the mixtures that make regions: few see what is large, many what is
# small.
COMPONENTS = (4, 16)

# A region counts if it holds this share of the reference, and is missed if the other
# set has less than this part of that share.
LEAST, PART = 0.02, 0.1


@dataclass(frozen=True)
class TwoSample:
    """How well a classifier tells draws from those of a reference.

    Attributes:
        score: Share of right answers; 0.5 cannot tell, 1 always can.
        halves: The same for halves of the reference, told from one another.
        draws: Number of draws a side.
    """

    score: float
    halves: tuple[float, ...]
    draws: int

    @property
    def noise(self) -> float:
        """Root of the mean squared distance of the halves' scores from 0.5."""
        return math.sqrt(sum((s - 0.5) ** 2 for s in self.halves) / len(self.halves))

    @property
    def chance(self) -> float:
        """Standard deviation of the share of right answers of who only guesses."""
        return 0.5 / math.sqrt(2 * self.draws)


@dataclass(frozen=True, eq=False)
class Region:
    """Where a reference has draws and another set next to none.

    Attributes:
        share: Of the reference's draws.
        other: Share of the other set's draws.
        centre: Mean of the reference's draws there.
    """

    share: float
    other: float
    centre: Float[ndarray, " column"]


def two_sample(
    draws: Float[ndarray, "draw column"],
    reference: Float[ndarray, "more column"],
    *,
    count: int = DRAWS,
    halves: int = 3,
    seed: int = 0,
) -> TwoSample:
    """Tells draws from a reference, and the reference from itself.

    Args:
        draws: Independent draws, at least ``count``.
        reference: Independent draws, at least twice as many.
        count: Draws a side.
        halves: How many times the reference is split.
        seed: Seed of the choice of draws, of the folds and of the classifier.

    Raises:
        ValueError: If there are too few draws, or a draw is there twice.
        ImportError: If scikit-learn is missing.
    """
    if len(draws) < count or len(reference) < 2 * count:
        raise ValueError(
            f"the two-sample test needs {count} draws and {2 * count} of the "
            f"reference, got {len(draws)} and {len(reference)}. Draw more."
        )
    rng = np.random.default_rng(seed)
    own = []
    for _ in range(halves):
        both = reference[rng.permutation(len(reference))[: 2 * count]]
        own.append(score(both[:count], both[count:], seed))
    first = rng.permutation(draws)[:count]
    second = rng.permutation(reference)[:count]
    return TwoSample(score(first, second, seed), tuple(own), count)


def distinct(
    draws: Float[ndarray, "draw column"],
) -> Float[ndarray, "distinct column"]:
    """The draws without repetitions, in the order of their first appearance."""
    _, first = np.unique(draws, axis=0, return_index=True)
    kept: ndarray = draws[np.sort(first)]
    return kept


def score(
    first: Float[ndarray, "one column"],
    second: Float[ndarray, "two column"],
    seed: int = 0,
) -> float:
    """Share of right answers of the cross-validated classifier.

    Args:
        first: Independent draws.
        second: As many.
        seed: Seed of the folds and of the classifier.

    Raises:
        ValueError: If the numbers differ, or a draw is there twice.
        ImportError: If scikit-learn is missing.
    """
    _sklearn()
    from sklearn.model_selection import StratifiedKFold, cross_val_score

    if len(first) != len(second):
        raise ValueError(
            "the two-sample test needs as many draws on either side, got "
            f"{len(first)} and {len(second)}. Leave some out."
        )
    both = np.concatenate([first, second])
    copies = len(both) - len(np.unique(both, axis=0))
    if copies:
        raise ValueError(
            f"the two-sample test needs independent draws, but {copies} of "
            f"{len(both)} repeat others. Leave these out with distinct()."
        )
    side = np.repeat([0, 1], len(first))
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    right = cross_val_score(_classifier(both.shape[1], seed), both, side, cv=folds)
    return float(right.mean())


def missed(
    draws: Float[ndarray, "draw column"],
    reference: Float[ndarray, "more column"],
    seed: int = 0,
) -> tuple[Region, ...]:
    """Regions that hold some of the reference, but next to nothing of the draws.

    One half of the reference is where regions are looked for, and the other one says
    whether they hold enough: around a few dozen draws any mixture fits them alone.

    Args:
        draws: Independent draws.
        reference: Independent draws, some thousands.
        seed: Seed of the mixtures.

    Returns:
        Regions of at least 2 % of the reference where the draws have less than a
        tenth of that share, the largest first; those of different mixtures may overlap.

    Raises:
        ImportError: If scikit-learn is missing.
    """
    order = np.random.default_rng(seed).permutation(len(reference))
    shuffled, half = reference[order], len(reference) // 2
    found = []
    for components in COMPONENTS:
        theirs, ours = _sorted(shuffled[:half], shuffled, draws, components, seed)
        for label in range(components):
            inside = theirs == label
            held, other = float(inside[half:].mean()), float((ours == label).mean())
            if held >= LEAST and other < PART * held:
                share = float(inside.mean())
                found.append(Region(share, other, shuffled[inside].mean(0)))
    return tuple(sorted(found, key=lambda region: -region.share))


def _sorted(
    taught: ndarray, reference: ndarray, draws: ndarray, components: int, seed: int
) -> tuple[Int[ndarray, " more"], Int[ndarray, " draw"]]:
    """The component of each draw, of either kind, in a Gaussian mixture."""
    _sklearn()
    from sklearn.mixture import GaussianMixture

    centre, spread = taught.mean(0), taught.std(0)
    mixture = GaussianMixture(
        components, init_params="k-means++", reg_covar=1e-4, random_state=seed
    )
    mixture.fit((taught - centre) / spread)
    scaled = ((some - centre) / spread for some in (reference, draws))
    theirs, ours = map(mixture.predict, scaled)
    return theirs, ours


def _classifier(columns: int, seed: int) -> Any:  # noqa: ANN401
    """An untrained perceptron behind a standardisation."""
    from sklearn.neural_network import MLPClassifier
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    return make_pipeline(
        StandardScaler(),
        MLPClassifier(
            (UNITS * columns, UNITS * columns),
            max_iter=ROUNDS,
            early_stopping=True,
            random_state=seed,
        ),
    )


def _sklearn() -> None:
    """Says in one sentence how to get scikit-learn."""
    try:
        import sklearn  # noqa: F401
    except ImportError as error:
        raise ImportError(
            "the two-sample test needs scikit-learn. Install it with "
            "pip install 'saxinfer[baseline]'."
        ) from error
