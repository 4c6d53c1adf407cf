"""A share that was counted, with the interval in which the true one lies.

References:
    Clopper & Pearson, Biometrika 26, 404 (1934): exact binomial intervals.
"""

from dataclasses import dataclass

from scipy.stats import beta, binomtest

__all__ = ["Proportion"]


@dataclass(frozen=True)
class Proportion:
    """So many of so many.

    Raises:
        ValueError: If there are none to count, or more than all of them.

    Example:
        >>> [round(end, 3) for end in Proportion(90, 100).interval()]
        [0.824, 0.951]
    """

    count: int
    of: int

    def __post_init__(self) -> None:
        if not 0 <= self.count <= self.of or self.of < 1:
            raise ValueError(
                f"a share needs 0 to n of n >= 1, got {self.count} of {self.of}."
            )

    @property
    def share(self) -> float:
        """Counted over all [1]."""
        return self.count / self.of

    def interval(self, level: float = 0.95) -> tuple[float, float]:
        """Binomial interval that holds the true share at least that often [1]."""
        edge, missing = (1 - level) / 2, self.of - self.count
        low = beta.ppf(edge, self.count, missing + 1) if self.count else 0.0
        high = beta.isf(edge, self.count + 1, missing) if missing else 1.0
        return float(low), float(high)

    def p_value(self, expected: float) -> float:
        """Two-sided, that the true share is the expected one."""
        return float(binomtest(self.count, self.of, expected).pvalue)
