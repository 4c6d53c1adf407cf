"""From latent numbers to a structure's curve, with derivatives that are always finite.

The closed forms and the quantile functions of the priors are differentiated by PyTorch.
The coordinates that disentangle a structure's parameters are not: their map chooses
between branches, and a branch not taken spoils a derivative with 0 times infinity. It
is cheap, so that its derivative is a difference of its values.
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.inference.npe import seen
from saxinfer.structures.base import Structure
from saxinfer.structures.from_sasmodels import PREFIX

__all__ = ["coordinates_of", "parameters_of", "refuse_without_gradient"]

# Half a step of the differences, in latent units, and what no true derivative exceeds.
STEP, STEEPEST = 1e-4, 1e3


def refuse_without_gradient(structure: Structure) -> None:
    """Raises a ValueError if curves of a structure have no derivative of their own."""
    if structure.name.startswith(PREFIX):
        raise ValueError(
            f"'{structure.name}' cannot be learnt without labels: its curves have no "
            "derivatives but differences, which are too slow to learn by. Use the "
            "method 'npe', or one of the closed forms."
        )


def coordinates_of(
    structure: Structure, latent: Float[Tensor, "batch seen"]
) -> Float[Tensor, "batch parameter"]:
    """Coordinates of a structure, those that no curve sees in the middle."""
    columns = seen(structure)
    full = latent.new_zeros(len(latent), len(structure.space))
    place = torch.tensor(columns)
    return full.index_copy(1, place, latent)


def parameters_of(
    structure: Structure, coordinates: Float[Tensor, "batch parameter"]
) -> Float[Tensor, "batch parameter"]:
    """Parameters in their units, differentiable in the coordinates."""
    return structure.space.theta_from_latent(_latent(structure, coordinates))


def _latent(structure: Structure, coordinates: Tensor) -> Tensor:
    """Latent numbers of the unknowns, of which only the entangled ones change."""
    if not structure.entangled:
        return coordinates
    names = structure.space.names
    base = coordinates.detach()
    moved = structure.latent(base)
    kept = torch.ones(len(names), dtype=coordinates.dtype)
    entangled = [names.index(name) for name in structure.entangled]
    kept[entangled] = 0.0
    found = moved + kept * (coordinates - base)
    for column in entangled:
        if names[column] in structure.unseen:
            continue
        step = torch.zeros_like(base)
        step[:, column] = STEP
        change = structure.latent(base + step) - structure.latent(base - step)
        slope = (change / (2 * STEP)).nan_to_num(0.0, 0.0, 0.0)
        # A jump between branches is no slope; the curve is the same on either side.
        slope = torch.where(slope.abs() > STEEPEST, 0.0, slope) * (1 - kept)
        found = found + slope * (coordinates - base)[:, column, None]
    return found.nan_to_num(0.0, math.inf, -math.inf)
