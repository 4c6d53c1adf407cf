r"""What ranks look like that are uniform: by simulation, for the number at hand.

The empirical distribution of n ranks, each one of K values with the same probability,
is simulated some ten thousand times. From the simulations come

- the p-value of the Kolmogorov-Smirnov distance, which for ranks is not that of
  continuous numbers, :math:`D = \max_k |F_n(k) - (k + 1)/K|`;
- the distance that several sets of ranks together stay below with a given probability;
- a band with equal tail probability at every k: narrow at the ends, where a method that
  is too narrow shows first. Its pointwise level is set such that a whole curve leaves
  it as seldom as is asked for.

For several sets of ranks the level of each is Sidak's, exact if they are independent;
p-values are adjusted by Holm's rule, which holds however they depend on one another.

References:
    Conover, J. Am. Stat. Assoc. 67, 591 (1972): discrete Kolmogorov-Smirnov.
    Saeilynoja, Buerkner & Vehtari, Stat. Comput. 32, 32 (2022): simultaneous bands.
    Holm, Scand. J. Stat. 6, 65 (1979).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Final

import numpy as np
from jaxtyping import Float, Int
from numpy import ndarray
from scipy.stats import binom

__all__ = ["DRAWS", "UniformRanks", "distribution", "holm", "uniform_ranks"]

DRAWS: Final = 20_000
"""Simulations: a p-value of 0.001 is known to a fifth of itself."""


def distribution(
    ranks: Int[ndarray, "*rest curve"], values: int
) -> Float[ndarray, "*rest value"]:
    """Share of ranks that are at most k, for k = 0 .. ``values`` - 1."""
    below: ndarray = ranks[..., None] <= np.arange(values)
    return np.asarray(below.mean(-2))


@dataclass(frozen=True, eq=False)
class UniformRanks:
    """Simulated sets of ranks that are uniform.

    Attributes:
        count: Ranks in a set.
        cumulative: Number of them that are at most k, in each simulation.
    """

    count: int
    cumulative: Int[ndarray, "draw value"]

    @property
    def expected(self) -> Float[ndarray, " value"]:
        """Share of ranks that are at most k."""
        values = self.cumulative.shape[1]
        return np.asarray(np.arange(1, values + 1) / values)

    def distance(self, found: Float[ndarray, " value"]) -> float:
        """Largest difference of a distribution from the expected one."""
        return float(np.abs(found - self.expected).max())

    def p_value(self, distance: float) -> float:
        """Probability of such a distance, or a larger one, if ranks are uniform."""
        # What is as large but for rounding is as large.
        larger = int((self._distances >= distance - 1e-9).sum())
        return (larger + 1) / (len(self._distances) + 1)

    def limit(self, level: float, sets: int = 1) -> float:
        """Distance that none of some sets exceeds, with a probability ``level``."""
        return float(np.quantile(self._distances, level ** (1 / sets), method="higher"))

    def band(
        self, level: float, sets: int = 1
    ) -> tuple[Float[ndarray, " value"], Float[ndarray, " value"]]:
        """Ends of a band that some sets stay in, all of them at every k.

        Args:
            level: Probability that they do.
            sets: How many sets there are.

        Returns:
            Smallest and largest share of ranks that are at most k.
        """
        tail = float(np.quantile(self._rarest, 1 - level ** (1 / sets), method="lower"))
        low = binom.ppf(tail / 2, self.count, self.expected)
        high = binom.isf(tail / 2, self.count, self.expected)
        return np.asarray(low) / self.count, np.asarray(high) / self.count

    @cached_property
    def _distances(self) -> ndarray:
        gaps = np.abs(self.cumulative / self.count - self.expected)
        return np.asarray(gaps.max(1))

    @cached_property
    def _rarest(self) -> ndarray:
        """Smallest two-sided pointwise p-value along each simulated curve."""
        inner = self.expected[:-1]
        counts = np.arange(self.count + 1)[:, None]
        below = binom.cdf(counts, self.count, inner)
        above = binom.sf(counts - 1, self.count, inner)
        both = np.minimum(1, 2 * np.minimum(below, above))
        columns = np.arange(len(inner))
        return np.asarray(both[self.cumulative[:, :-1], columns].min(1))


@lru_cache(maxsize=8)
def uniform_ranks(count: int, values: int) -> UniformRanks:
    """Simulates; the same numbers give the same simulations.

    Args:
        count: Ranks in a set.
        values: Ranks that are possible.
    """
    rng = np.random.default_rng((count, values))
    drawn = rng.multinomial(count, np.full(values, 1 / values), size=DRAWS)
    return UniformRanks(count, np.cumsum(drawn, 1))


def holm(p_values: Sequence[float]) -> tuple[float, ...]:
    """p-values that may each be held against one level, whatever their number.

    Example:
        >>> [round(p, 3) for p in holm((0.01, 0.5, 0.03))]
        [0.03, 0.5, 0.06]
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for place, index in enumerate(np.argsort(p_values).tolist()):
        largest = max(largest, (len(p_values) - place) * p_values[index])
        adjusted[index] = min(1.0, largest)
    return tuple(adjusted)
