"""The parameters of each curve, from the seed and the curve's index alone.

Every index has random streams of its own, one for each purpose (numpy's
``SeedSequence`` with the index as spawn key). A stream always yields one number for
each parameter, also for those that are fixed: fixing one leaves the others as they are.

References:
    O'Neill, PCG, HMC-CS-2014-0905: the hash that keeps the streams apart.
"""

from collections.abc import Sequence

import numpy as np
import torch
from jaxtyping import Float
from numpy.random import Generator, SeedSequence, default_rng
from torch import Tensor

from saxinfer.library.error import LibraryError
from saxinfer.parameter import ParameterSpace

__all__ = ["NOISE", "PARAMETERS", "STRUCTURE", "drawn_parameters", "seed_of", "stream"]

# Purposes of streams.
PARAMETERS, NOISE, STRUCTURE = 0, 1, 2

# Tries after which windows are given up on, if nothing was found for one index, and if
# nothing was found for any.
MOST_TRIES, MOST_IN_VAIN = 2000, 20_000


def seed_of(seed: int, index: int, *purpose: int) -> SeedSequence:
    """The entropy of one stream of one index."""
    return SeedSequence(seed, spawn_key=(index, *purpose))


def stream(seed: int, index: int, *purpose: int) -> Generator:
    """A source of randomness for one purpose of one index."""
    return default_rng(seed_of(seed, index, *purpose))


def drawn_parameters(
    space: ParameterSpace, seed: int, indices: Sequence[int]
) -> Float[Tensor, "curve parameter"]:
    """Draws a point of the prior for every index [units of the parameters].

    Where windows and bounds that depend on other parameters leave nothing, the stream
    of the index goes on until they do.

    Raises:
        LibraryError: If the windows leave next to nothing of the prior.
    """
    free = [space.names.index(name) for name in space.free]
    streams = [stream(seed, index, PARAMETERS) for index in indices]
    theta = torch.empty(len(indices), len(space), dtype=torch.float64)
    wanted = np.arange(len(indices))
    for tries in range(MOST_TRIES):
        if len(wanted) == len(indices) and tries * len(indices) > MOST_IN_VAIN:
            break
        normal = np.array([streams[row].standard_normal(len(space)) for row in wanted])
        found = space.theta_from_latent(torch.tensor(normal)[:, free])
        admitted = space.admits(found).numpy()
        theta[wanted[admitted]] = found[admitted]
        wanted = wanted[~admitted]
        if not len(wanted):
            return theta
    raise LibraryError(
        "many draws found no point within the ranges of -p for curve "
        f"{indices[int(wanted[0])]}: together with the bounds that depend on other "
        "parameters they leave next to nothing. Widen one."
    )
