r"""Polynomials that stand for a structure's curve near the solutions of one fit.

A fit evaluates thousands of curves around its solutions. There they are smooth in the
parameters, so that a polynomial in these, fitted by weighted least squares, gives the
next curve for a hundredth of the work. The parameters enter in coordinates in which
curves bend little (``Structure.smooth``), turned so that the solutions are round;
products of higher degree are taken as more curves become known.

It is never believed: what is drawn with its help is weighed with the exact curve.

References:
    Sacks, Welch, Mitchell & Wynn, Stat. Sci. 4, 409 (1989): emulators of computer
    experiments. Christen & Fox, J. Comput. Graph. Stat. 14, 795 (2005): cheap
    posteriors in front of exact ones.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import torch
from jaxtyping import Float
from torch import Tensor

__all__ = ["Emulator"]

# Largest number of terms, curves for each, and highest degree.
TERMS, CURVES, HIGHEST = 220, 3, 6

# Curves this much worse than the best [nats of log likelihood] are left out if there
# are enough others; so much worse, one counts half.
LIMIT, HALF = 60.0, 5.0

# Fewest and most curves that are fitted.
FEWEST, MOST = 600, 5000

# Least spread of a coordinate.
TINY = 1e-9

# Ridge on the scaled terms, and the farthest that terms are followed outwards.
RIDGE, FARTHEST = 1e-8, 6.0

# Beyond the good curves, those this much worse than the best [nats] or less, by this
# much [standard deviations] the polynomial is not trusted; what it costs there [nats],
# per distance and squared.
GOOD, MARGIN, SLOPE, CURVATURE = 20.0, 2.0, 5.0, 10.0


@dataclass(frozen=True, eq=False)
class Emulator:
    """Outputs as polynomials of coordinates.

    Attributes:
        middle: Centre of the curves that were fitted.
        round: From there to coordinates of unit covariance.
        low: Least value of each of these among good curves.
        high: Largest value.
        far: Largest distance of a good curve from the centre in these.
        degree: Of the polynomial.
        coefficients: One column an output.
    """

    middle: Float[Tensor, " coordinate"]
    round: Float[Tensor, "coordinate coordinate"]
    low: Float[Tensor, " coordinate"]
    high: Float[Tensor, " coordinate"]
    far: float
    degree: int
    coefficients: Float[Tensor, "term output"]

    @classmethod
    def fitted(
        cls,
        points: Float[Tensor, "curve coordinate"],
        outputs: Float[Tensor, "curve output"],
        misfit: Float[Tensor, " curve"],
    ) -> "Emulator":
        """Fits polynomials to what is known of the curves.

        Args:
            points: Their coordinates.
            outputs: Any linear function of the curves.
            misfit: Least negative log likelihood that each curve could have.
        """
        order = torch.argsort(misfit)
        worse = misfit[order] - misfit[order[0]]
        count = min(max(int((worse < LIMIT).sum()), FEWEST), MOST, len(order))
        rows, weight = order[:count], 1 / (1 + worse[:count] / HALF)
        weight = weight / weight.sum()
        middle = weight @ points[rows]
        gap = points[rows] - middle
        size = points.shape[1]
        identity = torch.eye(size, dtype=points.dtype)
        # What a user has fixed has no spread.
        scale = (weight @ gap.square()).sqrt().clamp(min=TINY)
        spread = (weight[:, None] * gap / scale).T @ (gap / scale)
        factor = torch.linalg.cholesky(spread + TINY * identity)
        inverse = torch.linalg.solve_triangular(factor, identity, upper=False)
        rounded = inverse / scale
        z = gap @ rounded.T
        good = z[worse[:count] <= GOOD]
        degree = _degree(size, count)
        terms = _terms(z.clamp(-FARTHEST, FARTHEST), degree)
        size_of = terms.square().mean(0).sqrt().clamp(min=TINY)
        scaled = terms / size_of
        weighted = weight[:, None] * scaled
        ridge = RIDGE * torch.eye(len(size_of), dtype=size_of.dtype)
        solution = torch.linalg.solve(
            weighted.T @ scaled + ridge, weighted.T @ outputs[rows]
        )
        return cls(
            middle=middle,
            round=rounded,
            low=good.amin(0) - MARGIN,
            high=good.amax(0) + MARGIN,
            far=float(good.norm(dim=1).max()) + MARGIN,
            degree=degree,
            coefficients=solution / size_of[:, None],
        )

    def __call__(
        self, points: Float[Tensor, "batch coordinate"]
    ) -> tuple[Float[Tensor, "batch output"], Float[Tensor, " batch"]]:
        """Outputs at coordinates, and what distrust takes off the log density."""
        z = (points - self.middle) @ self.round.T
        outside = (z - self.high).clamp(min=0) + (self.low - z).clamp(min=0)
        beyond = (z.norm(dim=1, keepdim=True) - self.far).clamp(min=0)
        outside = torch.cat([outside, beyond], 1)
        distrust = (SLOPE * outside + CURVATURE * outside.square()).sum(1)
        terms = _terms(z.clamp(-FARTHEST, FARTHEST), self.degree)
        return terms @ self.coefficients, distrust


def _degree(coordinates: int, curves: int) -> int:
    """The highest degree that so many curves support."""
    best = 1
    for degree in range(2, HIGHEST + 1):
        terms = math.comb(coordinates + degree, degree)
        if terms <= TERMS and CURVES * terms <= curves:
            best = degree
    return best


@lru_cache(maxsize=64)
def _products(coordinates: int, degree: int) -> tuple[tuple[Tensor, Tensor], ...]:
    """For each degree, which term of the last one is multiplied by which coordinate."""
    steps = []
    last = [0]
    for _ in range(degree):
        pairs = [
            (at, i) for at, least in enumerate(last) for i in range(least, coordinates)
        ]
        last = [i for _, i in pairs]
        steps.append((torch.tensor([at for at, _ in pairs]), torch.tensor(last)))
    return tuple(steps)


def _terms(z: Tensor, degree: int) -> Tensor:
    """All monomials up to a degree."""
    parts = [torch.ones_like(z[:, :1])]
    for term, column in _products(z.shape[1], degree):
        parts.append(parts[-1][:, term] * z[:, column])
    return torch.cat(parts, 1)
