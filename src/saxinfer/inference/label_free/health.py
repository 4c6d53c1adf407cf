r"""How well a network explains curves that it has not learnt from, and whether it ails.

The figure needs no truth: it is the mean shortfall of the importance-weighted bound on
held-back curves, with all their points and nothing softened,

.. math:: \Delta = \ln L_\text{saturated} - \mathcal L_K(x) ,

in nats. A perfect posterior has the logarithm of how much the curve narrows the prior,
some nats a parameter, and more where errors are understated; a network has its distance
from the posterior besides. No
curve counts for more than ``WORST``: one that the model cannot explain must not decide.
The same normal numbers are used each time, so that figures can be compared.

A network ails in two ways. Its posteriors shrink to points (``width``), or answers no
longer differ between curves (``spread``). A training stops for either.
"""

import math
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from saxinfer.inference.label_free.curves import Unlabelled
from saxinfer.inference.label_free.loss import (
    bound_of,
    judged,
    log_density,
    sampled,
)
from saxinfer.inference.npe import PosteriorNetwork
from saxinfer.inference.validation import SEED
from saxinfer.structures.base import Structure

__all__ = ["Health", "HeldBack"]

# Samples a curve, and curves that are worked on together.
SAMPLES, TOGETHER = 32, 32

WORST = 1e3

# A posterior narrower than this in every direction is a point; answers that differ less
# than this share of what they did have stopped telling curves apart.
NARROWEST, LEAST_SPREAD = 1e-5, 0.1

# A spread that is too small to lose [prior's sd].
ALIKE = 0.1


@dataclass(frozen=True)
class Health:
    """How a network does on held-back curves.

    Attributes:
        figure: Mean shortfall of the bound [nat].
        effective: Mean share of the samples that count, of weights at full likelihood.
        width: Geometric mean of the posterior's standard deviations [prior's sd].
        spread: Standard deviation of posterior means between curves, root mean square
            over parameters [prior's sd].
    """

    figure: float
    effective: float
    width: float
    spread: float

    def ailment(self, first: "Health | None") -> str:
        """What is wrong, in a sentence; nothing if nothing is.

        Args:
            first: How it was before, if it had learnt already.
        """
        if not all(map(math.isfinite, (self.figure, self.width, self.spread))):
            return "The network says nothing that is a number."
        if self.width < NARROWEST:
            return (
                f"The posteriors have shrunk to points ({self.width:.1g} of the "
                "prior's standard deviation)."
            )
        if first is None or first.spread < ALIKE:
            return ""
        if self.spread < LEAST_SPREAD * first.spread:
            return (
                f"The answers no longer differ between curves ({self.spread:.2g} of "
                f"the prior's standard deviation, {first.spread:.2g} at the start)."
            )
        return ""


class HeldBack:
    """Curves that judge a network without a label.

    Args:
        structure: The model.
        curves: Those that it does not learn from.
    """

    def __init__(self, structure: Structure, curves: Unlabelled) -> None:
        self._structure, self._curves = structure, curves

    def health(self, network: PosteriorNetwork) -> Health:
        """Judges a network; draws no random number that training would miss."""
        generator = Generator().manual_seed(SEED)
        parts: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
        for start in range(0, len(self._curves), TOGETHER):
            rows = range(start, min(start + TOGETHER, len(self._curves)))
            parts.append(self._some(network, list(rows), generator))
        gap, share, mean, sd = (torch.cat(part) for part in zip(*parts, strict=True))
        gap = gap.nan_to_num(WORST, WORST, WORST).clamp(-WORST, WORST)
        spread = mean.var(0, correction=0).mean().sqrt()
        return Health(
            figure=float(gap.mean()),
            effective=float(share.mean()),
            width=float(sd.clamp(min=1e-30).log().mean().exp()),
            spread=float(spread),
        )

    def _some(
        self, network: PosteriorNetwork, rows: list[int], generator: Generator
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Shortfall, share that counts, mean and sd of the latent numbers."""
        base = torch.randn(len(rows), SAMPLES, network.features, generator=generator)
        batch = list(self._curves.compared(rows, 0, None))
        with torch.no_grad():
            context = network.embedding(self._curves.features[rows])
            latent = sampled(network, context, base)
            density = log_density(network, context, latent, fixed=False)
            found = judged(self._structure, batch, latent)
        log_weight = found.likelihood + found.prior - density
        log_weight = torch.where(log_weight.isfinite(), log_weight, -math.inf)
        best = log_weight.new_zeros(len(rows))
        for alike in batch:
            best[alike.rows] = alike.points.saturated
        share = torch.softmax(log_weight, -1).square().sum(-1).reciprocal() / SAMPLES
        gap = best - bound_of(log_weight)
        latent = latent.double()
        return gap, share.nan_to_num(0.0), latent.mean(1), latent.std(1)
