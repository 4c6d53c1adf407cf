"""What a network believes of a curve, within what is asked of the fit."""

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.card import Estimator
from saxinfer.inference.npe import seen
from saxinfer.inference.target import Target
from saxinfer.instrument.nuisance import TRAINING
from saxinfer.preprocess.features import features

__all__ = ["PROPOSALS", "propose"]

# Number of them, and how many times more of a known scale, which no network knows of.
PROPOSALS, TIMES = 1000, 3

# Share of a power law that counts as none.
WEAK = 1e-3

# Latent limit of proposals.
EDGE = 4.5


def propose(
    target: Target, estimator: Estimator, generator: Generator
) -> Float[Tensor, "proposal dimension"]:
    """Latent vectors that the network proposes.

    The network knows the full prior and measured errors; its proposals are moved into
    the user's ranges and the nuisance priors that hold here. The level is left at its
    prior median; refinement sets it.
    """
    data, structure = target.observation, target.structure
    shown = features(data.q[None], data.intensity[None], data.sigma[None])
    number = PROPOSALS * (TIMES if target.by_shape.absolute else 1)
    drawn = estimator.network.sample(shown, number, generator).double()
    latent = drawn.clamp(-EDGE, EDGE)
    columns = seen(structure)
    count = len(columns)
    coordinates = torch.randn(
        len(latent), len(structure.space), generator=generator, dtype=latent.dtype
    )
    coordinates[:, columns] = latent[:, :count]
    theta = structure.space.theta_from_latent(structure.latent(coordinates))
    level = latent.new_zeros(len(latent), 1)
    nuisance = TRAINING.theta_from_latent(torch.cat([level, latent[:, count:]], 1))
    # Values next to a bound sit at the latent limit, where nothing moves any more.
    own = target.space.latent_from_theta(theta).clamp(-EDGE, EDGE)
    if target.untangled:
        names, free = structure.space.names, target.space.free
        for name in structure.entangled:
            own[:, free.index(name)] = coordinates[:, names.index(name)]
    extra = data.nuisances.latent_from_theta(nuisance).clamp(-EDGE, EDGE)
    # To the network a power law of a thousandth is as good as none; here most curves
    # have far less, all alike.
    weak = nuisance[:, 2] < WEAK
    one = torch.tensor([[1.0, 1.0, WEAK, 3.5, 1.0, 0.01]], dtype=extra.dtype)
    limit = torch.special.ndtr(data.nuisances.latent_from_theta(one)[0, 2])
    share = limit * torch.rand(len(extra), generator=generator, dtype=extra.dtype)
    fewer = torch.special.ndtri(share.clamp(min=1e-6))
    extra[:, 2] = torch.where(weak, fewer, extra[:, 2])
    return torch.cat([own, extra], 1)
