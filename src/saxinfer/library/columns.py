"""What is stored of each curve besides the curve: one labelled number a column."""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.library.noise import NUISANCES
from saxinfer.library.recipe import Recipe
from saxinfer.parameter import Parameter

__all__ = ["Column", "columns_of", "values_of"]


@dataclass(frozen=True)
class Column:
    """A column with its label.

    Attributes:
        parameter: Name, unit, bounds and meaning.
        role: ``parameter`` (drawn), ``dependent`` or ``derived`` (they follow from the
            parameters), ``nuisance`` (drawn by the instrument).
    """

    parameter: Parameter
    role: Literal["parameter", "dependent", "derived", "nuisance"]

    @property
    def name(self) -> str:
        """Name of the variable in the library."""
        return self.parameter.name


def columns_of(recipe: Recipe) -> tuple[Column, ...]:
    """All columns of a library, in order."""
    model = recipe.structure
    return (
        *(Column(each, "parameter") for each in recipe.space),
        *(Column(each, "dependent") for each in model.dependent),
        *(Column(each, "derived") for each in model.derived),
        *(Column(each, "nuisance") for each in NUISANCES if recipe.noise != "none"),
    )


def values_of(
    recipe: Recipe, theta: Float[Tensor, "curve parameter"]
) -> Float[Tensor, "curve column"]:
    """The columns that follow from the parameters, the parameters first."""
    model = recipe.structure
    return torch.cat(
        [theta, model.dependent_values(theta), model.derived_values(theta)], -1
    )
