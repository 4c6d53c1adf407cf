"""Curves whose parameters are known: drawn from the prior, seen by an instrument.

Each curve has a random stream of its own, from the seed and its row alone, so that a
hundred curves are the first half of two hundred. No training uses these streams.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.curve import Curve
from saxinfer.instrument.tiers import POINTS, Tier, draw_setting, measure
from saxinfer.structures import get_structure

__all__ = ["Column", "Draw", "Prior", "drawn", "prior_of", "seed_of"]

# Purposes of random streams of one row.
DRAWING, FITTING, RANKING = 0, 1, 2


@dataclass(frozen=True)
class Column:
    """One quantity that is to be found.

    Attributes:
        name: As in a posterior.
        unit: As printed; "1" for a ratio.
        low: Smallest value of the prior [``unit``].
        high: Largest value of the prior [``unit``].
    """

    name: str
    unit: str
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class Prior:
    """What curves are drawn from.

    Attributes:
        columns: Quantities that are judged.
        cube: From rows of them to the unit cube in which the joint posterior is
            judged; None to stretch every column's range.
    """

    columns: tuple[Column, ...]
    cube: Callable[[Float[Tensor, "row column"]], Float[Tensor, "row axis"]] | None = (
        None
    )

    @property
    def names(self) -> tuple[str, ...]:
        """Of all columns."""
        return tuple(column.name for column in self.columns)

    def in_cube(self, values: Float[Tensor, "row column"]) -> Float[Tensor, "row axis"]:
        """Maps rows of values to the unit cube."""
        if self.cube is not None:
            return self.cube(values)
        low = values.new_tensor([column.low for column in self.columns])
        high = values.new_tensor([column.high for column in self.columns])
        return (values - low) / (high - low)


@dataclass(frozen=True, eq=False)
class Draw:
    """A curve, and what it was made from.

    Attributes:
        row: Its number.
        truth: Values of the prior's columns.
        curve: As it would be measured.
        model_error: True relative error of the model, f [1]; 0 where it has none.
    """

    row: int
    truth: Float[Tensor, " column"]
    curve: Curve
    model_error: float = 0.0

    @property
    def noise(self) -> float:
        """Median relative standard error of a point, as stated [1]; NaN if none is."""
        if self.curve.sigma is None:
            return math.nan
        size = self.curve.intensity.abs().clamp(min=1e-300)
        return float((self.curve.sigma / size).median())

    @property
    def decades(self) -> float:
        """Decades of q that the curve covers [1]."""
        return float((self.curve.q[-1] / self.curve.q[0]).log10())


def seed_of(seed: int, row: int, purpose: int) -> int:
    """Seed of one random stream of one row."""
    entropy = np.random.SeedSequence(seed, spawn_key=(row, purpose))
    return int(entropy.generate_state(1, np.uint64)[0] >> 1)


def prior_of(model: str) -> Prior:
    """All columns of a model; the cube is that of its free parameters.

    Raises:
        ValueError: If there is no such model.
    """
    structure = get_structure(model)
    space = structure.space
    own = [Column(p.name, p.unit, *space.bounds(p.name)) for p in space]
    rest = [Column(p.name, p.unit, p.low, p.high) for p in structure.dependent]

    def cube(values: Tensor) -> Tensor:
        latent = space.latent_from_theta(values[:, : len(space)])
        share: Tensor = torch.special.ndtr(latent)
        return share

    return Prior((*own, *rest), cube)


def drawn(model: str, tier: Tier, seed: int, row: int) -> Draw:
    """A curve that nobody has seen: parameters, instrument and noise are drawn.

    Args:
        model: Name of the structure.
        tier: Which instruments.
        seed: Of the set of curves.
        row: Number of the curve in it.
    """
    generator = Generator().manual_seed(seed_of(seed, row, DRAWING))
    structure = get_structure(model)
    theta = structure.space.sample(1, generator)
    fewest, most = POINTS[tier]
    share = float(torch.rand(1, generator=generator))
    points = round(fewest * (most / fewest) ** share)
    setting = draw_setting(tier, 1, points, generator)
    seen = structure.intensity(setting.q, theta).clamp(min=1e-300)
    measured = measure(seen, setting, generator)
    return Draw(
        row=row,
        truth=torch.cat([theta, structure.dependent_values(theta)], 1)[0],
        curve=Curve(
            q=measured.q[0],
            intensity=measured.intensity[0],
            sigma=measured.sigma[0],
            name=f"{model}, {tier} tier, seed {seed}, curve {row}",
        ),
        model_error=float(setting.nuisance[0, 5]),
    )
