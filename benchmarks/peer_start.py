"""Where the peers' chains start: at the right mode, which no user would know.

Where a posterior has several modes, a start of one's own may end in a wrong one, and
the chains there may well converge. So the peers are told the best of our own samples,
at no cost of theirs. From there bumps' Levenberg-Marquardt goes to the optimum, and the
chains start around it as the covariance of that fit says (bumps' ``init='cov'``; its
default puts all of them within a millionth of one point). Along bent ridges that leads
off them, so the spread is halved until half of the chains start on the posterior, no
farther below the optimum than one expects of its samples at most. All this counts.
"""

from dataclasses import dataclass

import numpy as np
from bumps.fitproblem import CovarianceMixin
from bumps.fitters import FitDriver, MPFit
from bumps.initpop import generate

from peer_target import Sought
from reference import fitted_once

__all__ = ["Counted", "Problem", "Start", "start_of", "started"]

# The farthest that any column goes in prior standard deviations, and the least spread.
FARTHEST, LEAST = 8.0, 2.0**-10


@dataclass(frozen=True)
class Start:
    """Where a posterior is high.

    Attributes:
        point: Values of the sampled columns.
        log_density: Log prior plus log likelihood there.
    """

    point: list[float]
    log_density: float


def start_of(model: str, seed: int) -> Start:
    """The best of our own samples of a curve's posterior."""
    sought = Sought.of(model, seed, "ours")
    points = fitted_once(sought.target, model, seed).points
    values = np.concatenate(
        [sought.log_density(part) for part in np.array_split(points, 50)]
    )
    best = int(values.argmax())
    return Start(points[best].tolist(), float(values[best]))


@dataclass
class Counted:
    """A log density that counts the curves that were tried."""

    sought: Sought
    curves: int = 0

    def __call__(self, points: np.ndarray) -> np.ndarray:
        """Log densities of a batch of points."""
        self.curves += len(points)
        return self.sought.log_density(points)


class Problem(CovarianceMixin):
    """The posterior as bumps wants it, with residuals of data and prior beside it.

    For the residuals, effective errors are held, and the error term's columns kept
    where they are.

    Args:
        density: The exact log density.
        point: Where to start.

    Attributes:
        spread: Of chains around a point, over what the covariance says.
    """

    has_residuals = True
    name = "posterior"

    def __init__(self, density: Counted, point: np.ndarray) -> None:
        sought = density.sought
        self._density, self._point = density, point.copy()
        self._error = sought.error(point)
        self._centre = np.zeros(sought.size)
        self._centre[sought.error_term] = point[sought.error_term]
        self.spread = 1.0

    def cov(self, point: np.ndarray) -> np.ndarray:
        """Covariance of chains around a point."""
        found: np.ndarray = self.spread**2 * super().cov(point)
        return found

    def nllf(self, point: np.ndarray | None = None) -> float:
        """Negative log density."""
        place = self._point if point is None else np.asarray(point)
        return -float(self._density(place[None])[0])

    def residuals(self) -> np.ndarray:
        """Misfits of the data and distances from the prior's centre."""
        self._density.curves += 1
        place = np.array(self._point)
        misfit = self._density.sought.residuals(place, self._error)
        return np.hstack([misfit, place - self._centre])

    def parameter_residuals(self) -> np.ndarray:
        """None: the prior is among the residuals."""
        return np.empty(0)

    def constraints_nllf(self) -> tuple[float, list[str]]:
        """No constraints."""
        return 0.0, []

    def bounds(self) -> np.ndarray:
        """Bounds that no column gets to."""
        return np.tile([[-FARTHEST], [FARTHEST]], (1, len(self._point)))

    def getp(self) -> np.ndarray:
        """The present point."""
        return self._point.copy()

    def setp(self, point: np.ndarray) -> None:
        """Moves the present point."""
        self._point = np.array(point, dtype=np.float64)

    def labels(self) -> list[str]:
        """A name for each column."""
        return [f"x{i}" for i in range(len(self._point))]


def started(density: Counted, start: Start) -> Problem:
    """The problem at the optimum next to a start."""
    point = density.sought.with_best_error(np.array(start.point))
    driver = FitDriver(MPFit, problem=Problem(density, point), monitors=[])
    found, _ = driver.fit()
    if found is not None:
        inside = FARTHEST - 0.1
        found = density.sought.with_best_error(np.clip(found, -inside, inside))
        values = density(np.stack([point, found]))
        point = found if values[1] > values[0] else point
    problem = Problem(density, point)
    while problem.spread > LEAST and not _on_the_posterior(problem, density):
        problem.spread /= 2
    return problem


def _on_the_posterior(problem: Problem, density: Counted) -> bool:
    """Whether half of the chains start no lower than most samples are.

    Samples of a normal posterior of n columns lie n / 2 below its top in the mean.
    """
    values = density(generate(problem, init="cov"))
    return float(np.median(values)) > -problem.nllf() - len(problem.getp())
