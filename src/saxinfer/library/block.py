"""A block of curves: what is worked out, sent and stored in one piece.

A block is always worked out whole, by one thread, and cut to the library's length
afterwards: so that no number in it depends on how many curves were asked for.
"""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Tensor

from saxinfer.library.columns import values_of
from saxinfer.library.drawn_curves import drawn_curves, rings_of
from saxinfer.library.draws import drawn_parameters
from saxinfer.library.noise import generator_of, noisy
from saxinfer.library.recipe import Recipe

__all__ = ["Block", "computed", "has_sigma", "q_of"]


@dataclass(frozen=True, eq=False)
class Block:
    """Some curves of a library, with their columns.

    Attributes:
        number: Which block it is.
        columns: As ``columns_of`` the recipe says.
        intensity: Curves.
        sigma: Standard errors, or None for curves without any.
    """

    number: int
    columns: Float[ndarray, "curve column"]
    intensity: Float[ndarray, "curve q"]
    sigma: Float[ndarray, "curve q"] | None


def q_of(recipe: Recipe) -> Float[ndarray, " q"]:
    """Scattering vector of all curves of a library [1/nm]."""
    return rings_of(recipe).q if recipe.box is not None else np.array(recipe.q)


def has_sigma(recipe: Recipe) -> bool:
    """Whether the curves have standard errors."""
    return recipe.engine == "structure" or recipe.noise != "none"


def computed(recipe: Recipe, number: int) -> Block:
    """Works one block out.

    Raises:
        LibraryError: If a structure cannot be drawn.
    """
    torch.set_num_threads(1)
    held = recipe.held(number)
    indices = range(number * recipe.block, (number + 1) * recipe.block)
    theta = drawn_parameters(recipe.space, recipe.seed, indices)
    columns = values_of(recipe, theta)
    intensity, sigma = _curves(recipe, theta, indices[:held])
    if recipe.noise != "none":
        q = torch.tensor(q_of(recipe))
        found = noisy(recipe.noise, q, intensity, generator_of(recipe.seed, number))
        columns = torch.cat([columns, found.nuisance], -1)
        intensity = found.intensity
        sigma = found.sigma if sigma is None else torch.hypot(sigma, found.sigma)
    return Block(
        number=number,
        columns=columns[:held].numpy(),
        intensity=intensity[:held].numpy(),
        sigma=None if sigma is None else sigma[:held].numpy(),
    )


def _curves(
    recipe: Recipe, theta: Tensor, wanted: range
) -> tuple[Tensor, Tensor | None]:
    """Curves of a whole block; drawing those that are not wanted would take time."""
    if recipe.engine == "closed-form":
        q = torch.tensor(recipe.q, dtype=torch.float64)
        return recipe.structure.intensity(q, theta), None
    drawn = drawn_curves(recipe, theta[: len(wanted)], wanted)
    rest = len(theta) - len(wanted)
    filled = (np.pad(part, ((0, rest), (0, 0)), constant_values=1.0) for part in drawn)
    intensity, sigma = (torch.tensor(part) for part in filled)
    return intensity, sigma
