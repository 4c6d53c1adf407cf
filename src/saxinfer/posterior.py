"""The answer: weighted samples of every quantity, with names, units and priors."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import pandas as pd
import torch
from jaxtyping import Float
from torch import Generator, Tensor

__all__ = ["CONSTRAINED_SHRINKAGE", "Posterior", "Quantity", "Summary"]

Kind = Literal["parameter", "derived", "nuisance"]

# A quantity counts as constrained by the data from this shrinkage on, if unimodal.
CONSTRAINED_SHRINKAGE = 0.3

# Two peaks of a marginal are two modes if the density between them falls below this
# share of the lower peak, and if each side holds at least this share of the mass.
VALLEY = 0.5
MODE_MASS = 0.05

# Fewer effective samples tell neither peaks nor what is constrained.
FEWEST = 25


@dataclass(frozen=True)
class Quantity:
    """One column of a posterior.

    Attributes:
        name: Field term in snake case.
        unit: Unit as printed; "1" for a ratio.
        meaning: One sentence for the axis label.
        kind: A ``parameter`` of the structure, ``derived`` from it, or a
            ``nuisance`` of the instrument and error model.
        prior_low: Smallest value the prior allows [``unit``].
        prior_high: Largest value the prior allows [``unit``].
        logarithmic: Whether its prior is flat in the logarithm.
    """

    name: str
    unit: str
    meaning: str
    kind: Kind
    prior_low: float
    prior_high: float
    logarithmic: bool = False


@dataclass(frozen=True)
class Summary:
    """What is believed of one quantity, in its unit; ``shrinkage`` is 1 - sd ratio.

    The ratio is of the logarithms where the prior is flat in the logarithm.
    """

    mean: float
    sd: float
    median: float
    q05: float
    q95: float
    shrinkage: float
    modes: int
    constrained: bool


@dataclass(frozen=True, eq=False)
class Posterior:
    """Weighted samples of parameters, derived quantities and nuisances given one curve.

    Attributes:
        quantities: Names, units and priors of the columns.
        samples: Values, each in its quantity's unit.
        weights: Weight of each sample; they sum to one.
        prior: Draws from the prior of the same quantities, equally weighted.

    Example:
        >>> radius = Quantity("radius", "nm", "Radius.", "parameter", 0, 10)
        >>> flat = torch.linspace(0, 10, 101).double()[:, None]
        >>> narrow = 5 + flat / 100
        >>> even = torch.full((101,), 1 / 101).double()
        >>> belief = Posterior((radius,), narrow, even, flat)
        >>> belief.summary("radius").constrained
        True
    """

    quantities: tuple[Quantity, ...]
    samples: Float[Tensor, "sample quantity"]
    weights: Float[Tensor, " sample"]
    prior: Float[Tensor, "draw quantity"]

    def __post_init__(self) -> None:
        if self.samples.shape[1] != len(self.quantities):
            raise ValueError(
                f"{len(self.quantities)} quantities need as many columns of samples, "
                f"got {self.samples.shape[1]}."
            )
        if abs(float(self.weights.sum()) - 1) > 1e-6:
            raise ValueError(
                f"weights must sum to one, got {float(self.weights.sum()):g}."
            )

    def __iter__(self) -> Iterator[Quantity]:
        return iter(self.quantities)

    def of_kind(self, kind: Kind) -> tuple[Quantity, ...]:
        """The quantities of one kind, in order."""
        return tuple(q for q in self.quantities if q.kind == kind)

    def column(self, name: str) -> Float[Tensor, " sample"]:
        """Samples of one quantity [its unit]."""
        return self.samples[:, self._index(name)]

    def prior_column(self, name: str) -> Float[Tensor, " draw"]:
        """Prior draws of one quantity [its unit]."""
        return self.prior[:, self._index(name)]

    @property
    def effective(self) -> float:
        """Number of equally weighted samples that tell as much (Kish)."""
        return 1 / float(self.weights.square().sum())

    def draw(
        self, count: int, generator: Generator | None = None
    ) -> Float[Tensor, "count quantity"]:
        """Equally weighted samples, drawn with replacement by weight."""
        rows = torch.multinomial(
            self.weights, count, replacement=True, generator=generator
        )
        return self.samples[rows]

    def is_fixed(self, name: str) -> bool:
        """Whether the prior allows one value only."""
        prior = self.prior_column(name)
        return bool((prior == prior[0]).all())

    def quantile(self, name: str, share: float) -> float:
        """Value below which ``share`` of the belief in one quantity lies [its unit]."""
        return _quantile(self.column(name), self.weights, share)

    def summary(self, name: str) -> Summary:
        """Mean, standard deviation, quantiles and how much the data taught."""
        values = self.column(name)
        mean = float((self.weights * values).sum())
        variance = float((self.weights * (values - mean).square()).sum())
        sd = max(variance, 0.0) ** 0.5
        modes = self.modes(name)
        shrinkage = self._shrinkage(name)
        return Summary(
            mean=mean,
            sd=sd,
            median=self.quantile(name, 0.5),
            q05=self.quantile(name, 0.05),
            q95=self.quantile(name, 0.95),
            shrinkage=shrinkage,
            modes=modes,
            constrained=(
                self.effective >= FEWEST
                and shrinkage >= CONSTRAINED_SHRINKAGE
                and modes == 1
                and not self._at_limit(name)
            ),
        )

    def _at_limit(self, name: str) -> bool:
        """Whether the interval of a derived quantity ends where its printing ends."""
        quantity = self.quantities[self._index(name)]
        if quantity.kind != "derived":
            return False
        ends = [quantity.prior_low, quantity.prior_high]
        ends += [self.quantile(name, 0.05), self.quantile(name, 0.95)]
        if quantity.logarithmic:
            ends = [math.log(max(end, 1e-300)) for end in ends]
        lowest, highest, low, high = ends
        slack = 1e-6 * abs(highest - lowest)
        return high >= highest - slack or low <= lowest + slack

    def _shrinkage(self, name: str) -> float:
        """1 - posterior sd / prior sd; of the logarithm where the prior is flat in it.

        On a linear scale an upper limit far below the prior's end would look like
        knowledge.
        """
        values, prior = self.column(name), self.prior_column(name)
        if self.quantities[self._index(name)].logarithmic:
            values, prior = (part.clamp(min=1e-300).log() for part in (values, prior))
        mean = (self.weights * values).sum()
        sd = (self.weights * (values - mean).square()).sum().clamp(min=0).sqrt()
        prior_sd = float(prior.std())
        return 1 - float(sd) / prior_sd if prior_sd > 0 else 1.0

    def modes(self, name: str) -> int:
        """Number of separate peaks of one marginal, each with 5 % of the mass or more.

        The density is a histogram over the central 99.8 % smoothed with a Gaussian of
        one eighteenth of the range; two peaks are told apart by a valley below half
        of the lower one. A few heavy samples would be a peak each: of fewer effective
        ones than ``FEWEST`` there is one.
        """
        return len(self._peaks(name))

    def solutions(self, name: str) -> tuple[tuple[float, float], ...]:
        """Median [the quantity's unit] and share of the belief of each separate peak.

        Example:
            >>> angle = Quantity("angle", "1", "Angle.", "parameter", 0, 1)
            >>> two = torch.cat([torch.linspace(0.1, 0.2, 30), torch.full((10,), 0.9)])
            >>> even, prior = torch.full((40,), 1 / 40).double(), torch.rand(9, 1)
            >>> belief = Posterior((angle,), two.double()[:, None], even, prior)
            >>> [(round(a, 2), round(b, 2)) for a, b in belief.solutions("angle")]
            [(0.15, 0.75), (0.9, 0.25)]
        """
        values = self.column(name)
        found = []
        for low, high in self._peaks(name):
            inside = (values >= low) & (values < high)
            share = float(self.weights[inside].sum())
            part = self.weights[inside] / share
            found.append((_quantile(values[inside], part, 0.5), share))
        return tuple(found)

    def _peaks(self, name: str) -> list[tuple[float, float]]:
        """Bounds of the separate peaks of one marginal; the outer ones are open."""
        values = self.column(name)
        low, high = (_quantile(values, self.weights, share) for share in (0.001, 0.999))
        if not high > low or self.effective < FEWEST:
            return [(-math.inf, math.inf)]
        bins = 72
        cell = ((values - low) / (high - low) * bins).long().clamp(0, bins - 1)
        mass = torch.zeros(bins, dtype=self.weights.dtype)
        mass.index_add_(0, cell, self.weights)
        offset = torch.arange(bins, dtype=mass.dtype)
        kernel = torch.exp(-0.5 * ((offset[:, None] - offset) / 4).square())
        density = (kernel / kernel.sum(0)) @ mass
        inner = [low + (high - low) * start / bins for start in _valleys(density, mass)]
        edges = [-math.inf, *inner, math.inf]
        return list(pairwise(edges))

    def correlation(self, names: tuple[str, ...]) -> Float[Tensor, "n n"]:
        """Correlation matrix of the named quantities; zero where one does not vary."""
        columns = torch.stack([self.column(name) for name in names], -1)
        centred = columns - (self.weights[:, None] * columns).sum(0)
        covariance = (self.weights[:, None] * centred).T @ centred
        sd = covariance.diagonal().clamp(min=0).sqrt()
        scale = torch.where(sd > 0, 1 / sd.clamp(min=1e-300), 0.0)
        return covariance * scale[:, None] * scale

    def to_pandas(self, count: int = 2000, seed: int = 0) -> pd.DataFrame:
        """Equally weighted samples as a table; columns are named ``name [unit]``."""
        generator = torch.Generator().manual_seed(seed)
        names = [f"{q.name} [{q.unit}]" for q in self.quantities]
        return pd.DataFrame(self.draw(count, generator).numpy(), columns=names)

    def _index(self, name: str) -> int:
        names = [q.name for q in self.quantities]
        if name not in names:
            raise KeyError(f"no quantity '{name}'; there are {', '.join(names)}.")
        return names.index(name)


def _quantile(values: Tensor, weights: Tensor, share: float) -> float:
    """Weighted quantile, linear between the samples."""
    order = torch.argsort(values)
    cumulative = torch.cumsum(weights[order], 0) - 0.5 * weights[order]
    target = cumulative.new_tensor(share)
    upper = int(torch.searchsorted(cumulative, target).clamp(1, len(values) - 1))
    left, right = cumulative[upper - 1], cumulative[upper]
    step = ((target - left) / (right - left).clamp(min=1e-300)).clamp(0, 1)
    low, high = values[order[upper - 1]], values[order[upper]]
    return float(low + step * (high - low))


def _valleys(density: Tensor, mass: Tensor) -> list[int]:
    """Bins of the deep valleys that part peaks with enough mass."""
    starts = [0]
    floor, peak, valley = float(density[0]), float(density[0]), 0
    for index in range(1, len(density)):
        value = float(density[index])
        if value < floor:
            floor, valley = value, index
        if floor < VALLEY * min(peak, value):
            later = float(density[index:].max())
            if floor < VALLEY * min(peak, later):
                starts.append(valley)
                peak, floor = value, value
        if value > peak:
            peak, floor = value, value
    edges = [*starts, len(mass)]
    shares = [float(mass[a:b].sum()) for a, b in pairwise(edges)]
    heavy = [s for s, share in zip(starts, shares, strict=True) if share >= MODE_MASS]
    return heavy[1:]
