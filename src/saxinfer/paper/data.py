r"""The data set of the paper's experiment, and what either method is shown of it.

Settings are drawn from the prior of ``cellulose``; each is drawn once as a structure on
a periodic square, transformed and averaged over rings. A square of edge L holds fields
that are smooth beyond 1 / mu only if L >= 60 / mu, so the prior of ``mu`` starts at
60 / L; all else is the model's prior. The standard error of a point is its speckle.

Two inputs are compared, each the same for both methods: curves in the model's own unit
(``absolute``), and curves of which only the shape is known (``unknown``), divided by
their mean over ln q for the trees, with a free scale for the fit.

References:
    Chakraborty, Accelerated phase identification using deep learning for retrieving
    physical parameters from SAXS data (2025), section 2.1.1: the data set.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray

from saxinfer.instrument.nuisance import log_q_weights
from saxinfer.library import Box, Recipe, open_library
from saxinfer.library.drawn_curves import rings_of
from saxinfer.scattering.drawn_field import WAVES
from saxinfer.scattering.grid import Grid
from saxinfer.structures import get_structure

__all__ = [
    "MODEL",
    "PIXEL",
    "SCALES",
    "Column",
    "Experiment",
    "ExperimentError",
    "LabelledCurves",
    "Scale",
    "Split",
    "paper_recipe",
    "read_curves",
    "stored_recipe",
]

Scale = Literal["absolute", "unknown"]

SCALES: Final[tuple[Scale, Scale]] = ("absolute", "unknown")

MODEL: Final = "cellulose"

PIXEL: Final = 0.125
"""Edge of a pixel [nm]: Nyquist is twice the band limit of the random field."""

# Nine crystals of the largest mean size and spread at the smallest area fraction take
# a square of 91 nm; mu is then from 0.625 1/nm on.
FEWEST_PIXELS = 768

# Share of the curves that are never trained on.
TEST_SHARE = 0.2


class ExperimentError(Exception):
    """What stops the experiment; the text is one sentence."""


def paper_recipe(
    curves: int = 10_000, *, pixels: int = 3072, points: int = 500, seed: int = 43
) -> Recipe:
    """The data set of the paper: settings, box, prior of mu, q.

    Args:
        curves: Number of settings, one curve each.
        pixels: Pixels along an edge of the box.
        points: Number of q of a curve.
        seed: Seed of settings and structures.

    Raises:
        ValueError: If the box is too small for the model, or for so many q.

    Example:
        >>> recipe = paper_recipe()
        >>> recipe.box.grid.edge, recipe.windows
        (384.0, (('mu', 0.15625, 1.0),))
    """
    if pixels < FEWEST_PIXELS:
        raise ValueError(
            f"the box must hold nine crystals and most waves of the random field, for "
            f"which {FEWEST_PIXELS} pixels of {PIXEL} nm are needed, got {pixels}."
        )
    lowest, highest = get_structure(MODEL).space.bounds("mu")
    grid = Grid(pixels, PIXEL)
    recipe = Recipe(
        model=MODEL,
        count=curves,
        seed=seed,
        engine="structure",
        windows=(("mu", max(lowest, WAVES / grid.edge), highest),),
        box=Box(pixels, PIXEL, 2, points),
    )
    # Whether the box has so many rings is better known before half an hour of curves.
    rings_of(recipe)
    return recipe


def stored_recipe(path: Path) -> Recipe:
    """How an existing library was made.

    Raises:
        LibraryError: If it cannot be read, or is not complete.
        ValueError: If it does not serve for this experiment.
    """
    recipe = Recipe.from_json(str(open_library(path).attrs["recipe"]))
    if (recipe.model, recipe.engine, recipe.noise) != (MODEL, "structure", "none"):
        raise ValueError(
            f"{path} holds curves of '{recipe.model}' by the {recipe.engine} engine "
            f"with noise '{recipe.noise}', but the experiment is about drawn curves of "
            f"'{MODEL}' with their own speckle. Make some with 'saxinfer simulate "
            f"{MODEL} --engine structure', or leave --library out."
        )
    return recipe


@dataclass(frozen=True)
class Experiment:
    """What fixes every number of the experiment.

    Attributes:
        recipe: Of the data set.
        test_curves: How many of the curves held out are fitted.
        seed: Seed of the split, the trees and the fits.
        grid_search: Whether the paper's tuning of the trees is made as well.

    Raises:
        ValueError: If there are too few curves.
    """

    recipe: Recipe
    test_curves: int = 200
    seed: int = 42
    grid_search: bool = True

    def __post_init__(self) -> None:
        if not 3 <= self.test_curves <= self.held_out:
            raise ValueError(
                f"of {self.recipe.count} curves {self.held_out} are held out for "
                f"tests, and from 3 on of these can be fitted, but "
                f"{self.test_curves} were asked for. Take fewer test curves or more "
                "curves."
            )

    @property
    def held_out(self) -> int:
        """Number of curves that are never trained on."""
        return round(TEST_SHARE * self.recipe.count)

    @property
    def windows(self) -> dict[str, tuple[float, float]]:
        """Narrowed ranges of the prior, by parameter [its unit]."""
        return {name: (low, high) for name, low, high in self.recipe.windows}


@dataclass(frozen=True, eq=False)
class Split:
    """Rows of the curves that are trained on, held out, and of these fitted."""

    train: Int[ndarray, " train"]
    test: Int[ndarray, " test"]
    fitted: Int[ndarray, " fitted"]

    @classmethod
    def of(cls, experiment: Experiment) -> "Split":
        """Randomly selected rows; those that are fitted are a random part again."""
        rng = np.random.default_rng(experiment.seed)
        order = rng.permutation(experiment.recipe.count)
        test = order[: experiment.held_out]
        return cls(order[len(test) :], test, test[: experiment.test_curves])


@dataclass(frozen=True)
class Column:
    """One of the ten quantities to be predicted, with the range of its prior."""

    name: str
    unit: str
    low: float
    high: float


@dataclass(frozen=True, eq=False)
class LabelledCurves:
    """Curves with the parameters that they were drawn from.

    Attributes:
        q: Scattering vector [1/nm].
        intensity: Curves in the model's own unit [nm³].
        sigma: Speckle of each point [nm³].
        truth: The ten columns, each in its unit.
        columns: Their names, units and prior ranges.
    """

    q: Float[ndarray, " q"]
    intensity: Float[ndarray, "curve q"]
    sigma: Float[ndarray, "curve q"]
    truth: Float[ndarray, "curve column"]
    columns: tuple[Column, ...]

    @property
    def bounds(self) -> Float[ndarray, "column end"]:
        """Ends of the columns' prior ranges, each in its unit."""
        return np.array([(column.low, column.high) for column in self.columns])

    def inputs(self, scale: Scale) -> Float[ndarray, "curve q"]:
        """What the trees are shown: curves as they are, or without their scale."""
        if scale == "absolute":
            return self.intensity
        weights = log_q_weights(torch.from_numpy(self.q)).numpy()
        return np.asarray(self.intensity / (self.intensity @ weights)[:, None])

    def scale_error(
        self, rows: Int[ndarray, " chosen"], speckle: Float[ndarray, " q"]
    ) -> float:
        """How far whole curves are off their closed forms, root mean square [1].

        The fractions of the phases in a box are not those of the ensemble, which
        raises or lowers the whole curve.

        Args:
            rows: Of the curves that are looked at.
            speckle: Relative standard error of each point, which is subtracted.
        """
        weight = speckle**-2
        ratio = self.intensity[rows] / self.closed_form(rows)
        off = ratio @ weight / weight.sum() - 1
        square = float(np.mean(off**2)) - 1 / float(weight.sum())
        return math.sqrt(max(square, 0.0))

    def closed_form(self, rows: Int[ndarray, " chosen"]) -> Float[ndarray, "chosen q"]:
        """What the drawn curves scatter about [nm³]."""
        structure = get_structure(MODEL)
        theta = torch.from_numpy(self.truth[rows, : len(structure.space)])
        return structure.intensity(torch.from_numpy(self.q), theta).numpy()


def read_curves(path: Path) -> LabelledCurves:
    """Reads a complete library into memory.

    Raises:
        LibraryError: If it cannot be read, or is not complete.
        ValueError: If it does not serve for this experiment.
    """
    recipe, found = stored_recipe(path), open_library(path)
    dependent = recipe.structure.dependent
    own = tuple(
        Column(p.name, p.unit, *recipe.space.bounds(p.name)) for p in recipe.space
    )
    columns = (*own, *(Column(p.name, p.unit, p.low, p.high) for p in dependent))

    def values(name: str) -> ndarray:
        return np.array(found[name].values, dtype=float)

    return LabelledCurves(
        q=values("q"),
        intensity=values("intensity"),
        sigma=values("sigma"),
        truth=np.stack([values(column.name) for column in columns], 1),
        columns=columns,
    )
