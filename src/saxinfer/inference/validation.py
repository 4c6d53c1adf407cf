"""One number that says how well a network has learnt, and when to stop for it.

The figure is the mean negative log density of the truth, in nats, over 2,000 simulated
curves that stay the same: 200 of each tier and grid that training has, drawn with a
seed of their own. Training never sees a curve twice, so that its own loss does not
flatter either; but it differs by ten nats between kinds of curves, and by half a nat
between batches of one kind. The figure does not, for it compares the same curves.

No truth counts for more than ``WORST`` nats: one curve beyond numbers must not decide.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.npe import PosteriorNetwork
from saxinfer.inference.training_curves import GRIDS, kind_of_step, simulate
from saxinfer.structures.base import Structure

__all__ = [
    "EACH",
    "LEAST",
    "SEED",
    "Validation",
    "best_of",
    "is_exhausted",
    "validation_curves",
]

# Curves of each tier and grid.
EACH = 200

# No seed that a user might give for the training starts this stream.
SEED = int(np.random.SeedSequence(3, spawn_key=(7,)).generate_state(1, np.uint64)[0])

WORST = 1e3

LEAST = 0.01
"""What an improvement must exceed [nat]: proposals better by less help no fit."""


class Validation:
    """Curves that judge a network, where the network is.

    Args:
        latent: Truth of each.
        features: What a network sees of it.
    """

    def __init__(
        self,
        latent: Float[Tensor, "curve latent"],
        features: Float[Tensor, "curve channel bin"],
    ) -> None:
        parts = (torch.split(part, EACH) for part in (latent, features))
        self._parts = list(zip(*parts, strict=True))

    def figure(self, network: PosteriorNetwork) -> float:
        """Mean negative log density of the truth [nat]; draws no random number."""
        with torch.no_grad():
            found = [network.log_density(*part) for part in self._parts]
        density = torch.cat(found).cpu().double().nan_to_num(nan=-WORST)
        return -float(density.clamp(-WORST, WORST).mean())


def validation_curves(
    structure: Structure, device: torch.device | None = None
) -> Validation:
    """Draws the curves of a model; always the same.

    Args:
        structure: The model.
        device: Where the network is; the CPU if not given.
    """
    generator = Generator().manual_seed(SEED)
    drawn = [
        simulate(structure, tier, EACH, points, generator)
        for tier, points in map(kind_of_step, range(2 * len(GRIDS)))
    ]
    latent, features = (torch.cat(part) for part in zip(*drawn, strict=True))
    usable = features.flatten(1).isfinite().all(1)
    return Validation(latent[usable].to(device), features[usable].to(device))


def best_of(figures: Sequence[float]) -> int:
    """Which figure is the smallest; the first of equal ones."""
    return min(range(len(figures)), key=figures.__getitem__)


def is_exhausted(figures: Sequence[float], patience: int | None) -> bool:
    """Whether the figure has not improved for as long as a patience lasts.

    Args:
        figures: Those so far, in order [nat].
        patience: How many without improvement are too many; None for never.

    Example:
        >>> is_exhausted([3.0, 2.0, 2.1, 1.995], patience=2)
        True
        >>> is_exhausted([3.0, 2.0, 2.1, 1.98], patience=2)
        False
    """
    best, since = float("inf"), 0
    for figure in figures:
        improved = figure < best - LEAST
        best, since = (figure, 0) if improved else (best, since + 1)
    return patience is not None and since >= patience
