"""Recipes: all that determines a library, and nothing that does not.

Two libraries of one recipe hold the same numbers, bit for bit, wherever and by however
many workers they are made, as long as the machines round alike.
"""

import json
import math
from dataclasses import asdict, dataclass, replace
from functools import cached_property
from typing import Any, Literal, get_args

import numpy as np
import torch

from saxinfer.instrument.tiers import Q_MAX, Q_MIN
from saxinfer.parameter import ParameterSpace
from saxinfer.scattering.grid import Grid
from saxinfer.structures import Structure, get_structure

__all__ = ["FEWEST_POINTS", "Box", "Engine", "Noise", "Recipe", "Window"]

Engine = Literal["closed-form", "structure"]
Noise = Literal["none", "standard", "hard"]

# Name, lowest and highest value [unit of the parameter].
Window = tuple[str, float, float]

FEWEST_POINTS = 10

# Curves that are worked out and stored together. Batched products differ in the last
# bit with the size of the batch, so it is one number for every run.
BLOCK = {"closed-form": 250, "structure": 20}

# Boxes of moderate cost, by dimension: pixels along an edge, and their size [nm].
BOXES = {2: (1024, 0.125), 3: (128, 0.25)}


@dataclass(frozen=True)
class Box:
    """What structures are drawn in, and how their curves are taken from it.

    Attributes:
        pixels: Number of pixels along an edge.
        pixel: Edge of a pixel [nm].
        dimension: 2 or 3.
        rings: Number of rings of wavevectors that spectra are averaged over, where
            the recipe names no q.
        average: Number of realisations that a curve is the mean of.
    """

    pixels: int
    pixel: float
    dimension: int
    rings: int
    average: int = 1

    def __post_init__(self) -> None:
        if self.average < 1:
            raise ValueError(
                f"a curve is the mean of at least 1 realisation, got {self.average}."
            )
        if self.rings < FEWEST_POINTS:
            raise ValueError(
                f"curves need at least {FEWEST_POINTS} rings, got {self.rings}."
            )
        self.grid  # noqa: B018  # refuses what is no grid

    @property
    def grid(self) -> Grid:
        """The periodic box."""
        return Grid(self.pixels, self.pixel, self.dimension)

    @classmethod
    def usual(cls, model: str, pixels: int | None, pixel: float | None) -> "Box":
        """A box for a model, with rings about one step apart.

        Args:
            model: Name of the model.
            pixels: Pixels along an edge; None for the usual number.
            pixel: Edge of a pixel [nm]; None for the usual one.

        Raises:
            ValueError: If there is no such model, or if it cannot be drawn.
        """
        structure = get_structure(model)
        middle = structure.space.theta_from_latent(torch.zeros(1, len(structure.space)))
        dimension = structure.suggested_grid(middle[0].double()).dimension
        grid = Grid(
            pixels or BOXES[dimension][0], pixel or BOXES[dimension][1], dimension
        )
        # From two steps of the box up to a sixth of Nyquist.
        rings = max(FEWEST_POINTS, grid.pixels // 12 - 2)
        return cls(grid.pixels, grid.pixel, dimension, rings)


@dataclass(frozen=True)
class Recipe:
    """Which curves a library holds.

    Attributes:
        model: Name of the model.
        count: Number of curves.
        seed: Seed of all randomness.
        engine: ``closed-form``, or ``structure``: drawn in ``box`` and transformed.
        windows: Narrowed ranges of parameters [their units]; equal ends fix one.
        q: Scattering vectors [1/nm]; may be empty for the structure engine, which
            then takes rings over what the box can be trusted for.
        noise: ``none``, or the tier of standard instruments that measure the curves.
        box: For the structure engine.

    Raises:
        ValueError: If a name is unknown, or a number is out of range.

    Example:
        >>> recipe = Recipe("sphere", 10, q=tuple(0.1 * n for n in range(1, 20)))
        >>> Recipe.from_json(recipe.as_json()) == recipe
        True
    """

    model: str
    count: int
    seed: int = 0
    engine: Engine = "closed-form"
    windows: tuple[Window, ...] = ()
    q: tuple[float, ...] = ()
    noise: Noise = "none"
    box: Box | None = None

    def __post_init__(self) -> None:
        if self.count < 1:
            raise ValueError(f"a library needs at least 1 curve, got {self.count}.")
        if not 0 <= self.seed < 2**63:
            raise ValueError(f"seed must be from 0 to 2^63 - 1, got {self.seed}.")
        _refuse_unknown("engine", self.engine, get_args(Engine))
        _refuse_unknown("noise", self.noise, get_args(Noise))
        names = get_structure(self.model).space.names
        known = [name for name in names if any(w[0] == name for w in self.windows)]
        strange = [window for window in self.windows if window[0] not in names]
        in_order = [w for name in known for w in self.windows if w[0] == name]
        windows = tuple((n, float(a), float(b)) for n, a, b in in_order + strange)
        object.__setattr__(self, "windows", windows)
        self.space  # noqa: B018  # refuses windows outside of the prior
        self._refuse_unfit_q()

    def _refuse_unfit_q(self) -> None:
        if (self.engine == "structure") != (self.box is not None):
            raise ValueError("a box goes with the structure engine, and only with it.")
        if not self.q and self.box is not None:
            return
        q = np.asarray(self.q, dtype=float)
        if len(q) < FEWEST_POINTS:
            raise ValueError(
                f"curves need at least {FEWEST_POINTS} points of q, got {len(q)}."
            )
        if not (np.isfinite(q).all() and (np.diff(q) > 0).all()):
            raise ValueError("q must rise from point to point.")
        if q[0] < Q_MIN * (1 - 1e-9) or q[-1] > Q_MAX * (1 + 1e-9):
            raise ValueError(
                f"q must lie within {Q_MIN:g} to {Q_MAX:g} 1/nm, where curves are "
                f"known to be right, but goes from {q[0]:.4g} to {q[-1]:.4g} 1/nm."
            )

    @cached_property
    def structure(self) -> Structure:
        """The model."""
        return get_structure(self.model)

    @cached_property
    def space(self) -> ParameterSpace:
        """The model's parameters within the windows."""
        space = get_structure(self.model).space
        for name, low, high in self.windows:
            space = space.narrow(name, low, high)
        return space

    @property
    def block(self) -> int:
        """How many curves are worked out and stored together."""
        return BLOCK[self.engine]

    @property
    def blocks(self) -> int:
        """Number of blocks; the last one may be cut."""
        return math.ceil(self.count / self.block)

    def held(self, block: int) -> int:
        """Number of curves in a block."""
        return min(self.block, self.count - block * self.block)

    def narrowed(self, name: str, low: float, high: float) -> "Recipe":
        """The recipe with another window for one parameter [its unit]."""
        others = tuple(window for window in self.windows if window[0] != name)
        return replace(self, windows=(*others, (name, low, high)))

    def as_json(self) -> str:
        """All fields, and the size of a block."""
        return json.dumps({**asdict(self), "block": self.block}, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> "Recipe":
        """The recipe that :meth:`as_json` wrote."""
        fields: dict[str, Any] = json.loads(text)
        fields.pop("block", None)
        fields["windows"] = tuple(tuple(window) for window in fields["windows"])
        fields["q"] = tuple(fields["q"])
        fields["box"] = Box(**fields["box"]) if fields["box"] else None
        return cls(**fields)

    def difference(self, stored: str) -> str:
        """Says in which field a stored recipe is another one; "" if in none."""
        mine, other = json.loads(self.as_json()), json.loads(stored)
        for name in mine:
            if mine[name] == other.get(name):
                continue
            if name == "q":
                return "q: it has another grid than is asked for"
            has, asked = _told(other.get(name)), _told(mine[name])
            return f"{name}: it has {has}, but {asked} is asked for"
        return ""


def _told(value: object) -> str:
    """A value of a recipe, short."""
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    if isinstance(value, list):
        return " ".join(f"{n}={a:g}..{b:g}" for n, a, b in value) or "none"
    return "none" if value is None else str(value)


def _refuse_unknown(what: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise ValueError(f"Unknown {what} '{name}'. Known: {', '.join(known)}.")
