"""What moved when a network that had learnt went on with other curves, label-free.

Both networks look at the curves that were held back. What is compared is what they say
of each latent number, in units of the prior's standard deviation, so that a shift means
the same for every parameter.
"""

from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from saxinfer.inference.label_free.curves import Unlabelled
from saxinfer.inference.label_free.health import Health
from saxinfer.inference.label_free.loss import sampled
from saxinfer.inference.npe import NUISANCE_TARGETS, PosteriorNetwork, seen
from saxinfer.structures.base import Structure

__all__ = ["Moved", "Shift", "moved"]

# Samples of each curve.
SAMPLES = 200

# Parts of the network whose weights are compared.
PARTS = ("embedding", "flow")


@dataclass(frozen=True)
class Shift:
    """How one latent number moved.

    Attributes:
        name: The parameter, or nuisance, that it stands for.
        mean: Mean change of the posterior mean over curves [prior's sd].
        size: Root mean square of that change [prior's sd].
        width: Posterior sd after over before, geometric mean over curves [1].
    """

    name: str
    mean: float
    size: float
    width: float


@dataclass(frozen=True)
class Moved:
    """What an adaptation did, on curves that it did not learn from.

    Attributes:
        curves: Number of these.
        before: How the network did.
        after: How it does.
        shifts: Of each latent number.
        weights: Norm of the change of the weights over their norm, by part [1].
    """

    curves: int
    before: Health
    after: Health
    shifts: tuple[Shift, ...]
    weights: dict[str, float]

    def sentences(self) -> list[str]:
        """What to tell of it: the gain, then what moved most."""
        gain = self.before.figure - self.after.figure
        said = [
            f"Shortfall on {self.curves} held-back curves: {self.before.figure:.2f} "
            f"nat before, {self.after.figure:.2f} after"
            + ("." if gain > 0 else ": nothing was gained, and nothing was changed.")
        ]
        if gain <= 0:
            return said
        for shift in sorted(self.shifts, key=lambda each: -each.size)[:3]:
            said.append(
                f"{shift.name}: posterior means moved by {shift.size:.2g} of the "
                f"prior's standard deviation ({shift.mean:+.2g} on average), widths "
                f"by a factor of {shift.width:.2g}."
            )
        return said

    def entries(self) -> dict[str, object]:
        """The same for a card."""
        return {
            "held_back_curves": self.curves,
            "before": dict(vars(self.before)),
            "after": dict(vars(self.after)),
            "shifts": {each.name: dict(vars(each)) for each in self.shifts},
            "weights": self.weights,
        }


def moved(
    structure: Structure,
    held: Unlabelled,
    before: tuple[PosteriorNetwork, Health],
    after: tuple[PosteriorNetwork, Health],
) -> Moved:
    """Compares two networks.

    Args:
        structure: The model.
        held: The curves that were held back.
        before: The network that was started from, and how it did.
        after: What became of it, likewise.
    """
    means, sds = zip(
        *(_believed(network, held) for network, _ in (before, after)), strict=True
    )
    change = means[1] - means[0]
    ratio = (sds[1] / sds[0].clamp(min=1e-12)).clamp(min=1e-12).log()
    names = [structure.space.names[column] for column in seen(structure)]
    shifts = tuple(
        Shift(name, float(each.mean()), float(each.square().mean().sqrt()), width)
        for name, each, width in zip(
            [*names, *NUISANCE_TARGETS],
            change.unbind(1),
            ratio.mean(0).exp().tolist(),
            strict=True,
        )
    )
    weights = {part: _changed(before[0], after[0], part) for part in PARTS}
    return Moved(len(held), before[1], after[1], shifts, weights)


def _believed(network: PosteriorNetwork, held: Unlabelled) -> tuple[Tensor, Tensor]:
    """Mean and standard deviation of each latent number, a row a curve."""
    generator = Generator().manual_seed(0)
    means, sds = [], []
    for features in torch.split(held.features, 32):
        base = torch.randn(
            len(features), SAMPLES, network.features, generator=generator
        )
        with torch.no_grad():
            latent = sampled(network, network.embedding(features), base)
        means.append(latent.mean(1))
        sds.append(latent.std(1))
    return torch.cat(means), torch.cat(sds)


def _changed(before: PosteriorNetwork, after: PosteriorNetwork, part: str) -> float:
    """Relative change of the weights of a part."""
    old, new = (
        torch.cat([p.detach().flatten() for p in getattr(net, part).parameters()])
        for net in (before, after)
    )
    return float((new - old).norm() / old.norm())
