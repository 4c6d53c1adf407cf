"""When have chains converged, and after how many seconds?

*Converged* is what a user would call it: rank-normalised split R-hat below 1.01 and a
bulk effective sample size of 1,000 for every sampled column, by arviz. Both are looked
at every 10 % more steps, with a tenth, a quarter or half of the chains taken off as
warm-up, whichever serves best; that looking costs the sampler nothing here.

R-hat wants about 50 effective samples of every half chain, as emcee's own advice does,
which is many thousands of a hundred chains. So it is also told when they had converged
*in groups*: with the nested R-hat of four groups of chains, the same 1,000 effective
samples, and half of the chains taken off.

References:
    Vehtari et al., Bayesian Anal. 16, 667 (2021): R-hat and effective samples.
    Margossian et al., Bayesian Anal. (2024), arXiv:2110.13017: nested R-hat.
"""

import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np

__all__ = [
    "EFFECTIVE",
    "R_HAT",
    "Convergence",
    "Stopwatch",
    "Watched",
    "looked_at",
]

R_HAT, EFFECTIVE = 1.01, 1000.0

# Groups of chains, and the share that is taken off as warm-up before they are judged.
GROUPS, HALF = 4, 0.5

# Kept steps before the first look; growth between looks; warm-up that may be taken off;
# steps that are looked at, evenly thinned.
FIRST_LOOK, GROWTH = 10, 1.1
WARM_UPS, LOOKED_AT = (0.1, 0.25, HALF), 1000


@dataclass(frozen=True)
class Convergence:
    """What chains have come to.

    Attributes:
        r_hat: Largest of the columns.
        effective: Smallest bulk effective sample size of the columns.
        warm_up: Share of the chains taken off.
        of_groups: Largest nested R-hat of the columns.
    """

    r_hat: float = math.inf
    effective: float = 1.0
    warm_up: float = 0.0
    of_groups: float = math.inf

    @property
    def reached(self) -> bool:
        """Whether both criteria hold."""
        return self.r_hat < R_HAT and self.effective >= EFFECTIVE

    @property
    def reached_in_groups(self) -> bool:
        """Whether both hold with the R-hat of groups, and half taken off."""
        enough = self.effective >= EFFECTIVE and self.warm_up == HALF
        return enough and self.of_groups < R_HAT

    @property
    def lacking(self) -> float:
        """How many times as long the chains should take, at the best.

        Effective samples grow with the length of chains, and R-hat² - 1 falls with it,
        once they mix; before, both are slower.
        """
        return self._lacking(self.r_hat)

    @property
    def lacking_in_groups(self) -> float:
        """The same with the R-hat of groups."""
        return self._lacking(self.of_groups)

    def _lacking(self, r_hat: float) -> float:
        spread = (r_hat**2 - 1) / (R_HAT**2 - 1)
        return max(1.0, EFFECTIVE / self.effective, spread)


def looked_at(chains: np.ndarray, warm_up: float = 0.0) -> Convergence:
    """R-hat and effective samples.

    Args:
        chains: Points, shape [step, chain, column].
        warm_up: Share of the steps to take off at the start.
    """
    from arviz_stats.base import array_stats

    kept = chains[int(warm_up * len(chains)) :]
    kept = kept[:: math.ceil(len(kept) / LOOKED_AT)]
    columns = kept.transpose(2, 1, 0)
    r_hat = [array_stats.rhat(column, method="rank") for column in columns]
    bulk = [array_stats.ess(column, method="bulk") for column in columns]
    group = np.repeat(np.arange(GROUPS), chains.shape[1] // GROUPS)
    nested = [
        array_stats.rhat_nested(column[: len(group)], superchain_ids=group)
        for column in columns
    ]
    # Chains of which none ever moved have none of these.
    return Convergence(
        r_hat=_finite(np.max(r_hat), math.inf),
        effective=_finite(np.min(bulk), 1.0),
        warm_up=warm_up,
        of_groups=_finite(np.max(nested), math.inf),
    )


def _finite(value: float, otherwise: float) -> float:
    return float(value) if np.isfinite(value) else otherwise


class Stopwatch:
    """Seconds of the processor and of the clock, less those of looking."""

    def __init__(self) -> None:
        self._start = self._read()
        self._looking = np.zeros(2)

    @staticmethod
    def _read() -> np.ndarray:
        return np.array([time.process_time(), time.perf_counter()])

    def read(self) -> tuple[float, float]:
        """Of the processor, which other work hardly disturbs, and of the clock [s]."""
        processor, clock = self._read() - self._start - self._looking
        return float(processor), float(clock)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Lets nothing inside count."""
        before = self._read()
        yield
        self._looking = self._looking + self._read() - before


class Watched:
    """Watches chains grow, and says when to stop.

    Args:
        watch: Runs while the sampler does.
        limit: Most seconds of the processor.

    Attributes:
        last: What the chains had come to at the last look.
        seconds: Of the processor until then [s].
        clock: Of the clock until then [s].
        seconds_in_groups: Of the processor until they had converged in groups [s].
    """

    def __init__(self, watch: Stopwatch, limit: float) -> None:
        self.watch, self.limit = watch, limit
        self.last, self.seconds, self.clock = Convergence(), 0.0, 0.0
        self.seconds_in_groups: float | None = None
        self._next, self._over = float(FIRST_LOOK), False

    def enough(self, steps: int, chains: Callable[[], np.ndarray]) -> bool:
        """Whether the chains have converged, or the time is over.

        Args:
            steps: Number of steps that were kept.
            chains: Gives them, shape [step, chain, column].
        """
        late = self.watch.read()[0] >= self.limit
        if self._over or not (late or steps >= self._next):
            return self._over
        self.seconds, self.clock = self.watch.read()
        with self.watch.paused():
            self._next = max(steps + 1, GROWTH * steps)
            if steps >= FIRST_LOOK:
                looks = [looked_at(chains(), share) for share in WARM_UPS]
                self.last = min(looks, key=lambda c: (not c.reached, c.lacking))
                if self.seconds_in_groups is None and any(
                    look.reached_in_groups for look in looks
                ):
                    self.seconds_in_groups = self.seconds
        self._over = late or self.last.reached
        return self._over
