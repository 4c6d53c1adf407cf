r"""A Markov chain for each curve: a place in its posterior that is not forgotten.

Of a few samples of a network the best one explains a precise curve badly, and at the
next visit all is drawn anew. So each curve keeps one latent vector. At a visit it first
takes some steps of its own, normal ones of random size that are accepted by Metropolis'
rule. Then it is one of K + 1 candidates, the others being samples of the network, and
one of them is picked by its weight p(x, z) / q(z | x) (iterated sampling-importance
resampling). Both leave the posterior as it is, whatever the network: the chain's place
is a sample of the posterior in the end, and the network learns to expect it there.

References:
    Andrieu, Lee & Vihola, Bernoulli 24, 842 (2018): iterated resampling. Naesseth,
    Lindsten & Blei, NeurIPS 2020: a network that climbs the score at a chain's places.
    Metropolis et al., J. Chem. Phys. 21, 1087 (1953).
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

__all__ = ["Places", "candidates_weighed", "stepped"]

# Steps of its own at a visit, and the decades of their size below the network's spread.
STEPS, DECADES = 2, 2.0

Value = Callable[[Float[Tensor, "curve sample latent"]], Float[Tensor, "curve sample"]]


@dataclass(frozen=True, eq=False)
class Places:
    """Where chains are.

    Attributes:
        latent: Latent vectors.
        value: Log prior plus log likelihood [nat]; -inf where there is none.
    """

    latent: Float[Tensor, "curve latent"]
    value: Float[Tensor, " curve"]


def stepped(
    latent: Float[Tensor, "curve latent"],
    value: Value,
    spread: Float[Tensor, "curve latent"],
    generator: Generator,
) -> Places:
    """Lets chains take steps of their own.

    Args:
        latent: Where they are.
        value: Log prior plus log likelihood of several vectors for each curve [nat].
        spread: Standard deviation of the network's samples: the largest size of a step.
        generator: Source of randomness.
    """
    count, width = latent.shape
    now = Places(latent, _finite(value(latent[:, None])[:, 0]))
    for _ in range(STEPS):
        chance = torch.rand(2, count, generator=generator, dtype=torch.float64)
        size = 10 ** (-DECADES * chance[:1].T.to(latent.dtype))
        normal = torch.randn(count, width, generator=generator, dtype=latent.dtype)
        moved = now.latent + size * spread * normal
        found = _finite(value(moved[:, None])[:, 0])
        taken = found - now.value > chance[1].log()
        now = Places(
            torch.where(taken[:, None], moved, now.latent),
            torch.where(taken, found, now.value),
        )
    return now


def candidates_weighed(
    value: Float[Tensor, "curve candidate"],
    density: Float[Tensor, "curve candidate"],
    generator: Generator,
) -> tuple[Float[Tensor, "curve candidate"], Tensor]:
    """Normalised weights of candidates, and which one is picked; the last is the chain.

    Args:
        value: Log prior plus log likelihood [nat].
        density: Log density in the network [nat].
        generator: Source of randomness.
    """
    log_weight = _finite(value) - density
    share = torch.softmax(_finite(log_weight), -1).nan_to_num(0.0)
    # Where nothing has a weight the chain stays.
    lost = share.sum(-1) == 0
    certain = share.clone()
    certain[:, -1] = torch.where(lost, 1.0, certain[:, -1])
    return share, torch.multinomial(certain, 1, generator=generator)[:, 0]


def _finite(value: Tensor) -> Tensor:
    found: Tensor = torch.where(value.isfinite(), value, -math.inf)
    return found
