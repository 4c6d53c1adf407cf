r"""Neural posterior estimation: a conditional flow from a curve to its posterior.

An embedding reads the features of a curve, a coupling flow of rational-quadratic
splines turns its output into a density over the latent numbers of structure and
instrument. The prior of those is the standard normal, so that a curve that teaches
nothing gets it back, and no sample can leave the physical bounds.

The network proposes; :mod:`saxinfer.inference.refine` weighs its proposals with the
exact likelihood.

References:
    Papamakarios & Murray, NeurIPS 2016 (neural posterior estimation). Durkan et al.,
    NeurIPS 2019 (neural spline flows). Starostin et al., arXiv:2407.18648
    (amortised posteriors for reflectometry, corrected by the likelihood).
"""

import torch
import zuko
from jaxtyping import Float
from torch import Generator, Tensor, nn

from saxinfer.instrument.nuisance import TRAINING
from saxinfer.preprocess.features import BINS, CHANNELS
from saxinfer.structures.base import Structure

__all__ = ["NUISANCE_TARGETS", "PosteriorNetwork", "seen"]

# The level is found from the data exactly, in one division; the flow leaves it out.
NUISANCE_TARGETS = TRAINING.free[1:]

CONTEXT = 64


def seen(structure: Structure) -> list[int]:
    """Columns of a structure's coordinates that move its curve."""
    names = structure.space.names
    return [i for i, name in enumerate(names) if name not in structure.unseen]


class _Residual(nn.Module):
    """Two layers beside the identity."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.LayerNorm(width),
            nn.Linear(width, width),
            nn.SiLU(),
            nn.Linear(width, width),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Adds the layers' output to their input."""
        total: Tensor = x + self.layers(x)
        return total


class PosteriorNetwork(nn.Module):
    """Density of the latent parameters given the features of a curve.

    Attributes:
        features: Number of latent parameters: those of the structure that a curve
            sees, then the nuisances without the level.
    """

    def __init__(self, structure: Structure) -> None:
        super().__init__()
        self.features = len(seen(structure)) + len(NUISANCE_TARGETS)
        # A shift in ln q is a change of size: convolutions know that from the start.
        self.embedding = nn.Sequential(
            nn.Conv1d(CHANNELS, 24, 7, stride=2, padding=3),
            nn.SiLU(),
            nn.Conv1d(24, 48, 5, stride=2, padding=2),
            nn.SiLU(),
            nn.Conv1d(48, 48, 5, stride=2, padding=2),
            nn.SiLU(),
            nn.Flatten(),
            nn.Linear(48 * BINS // 8, 256),
            _Residual(256),
            _Residual(256),
            nn.LayerNorm(256),
            nn.Linear(256, CONTEXT),
        )
        self.flow = zuko.flows.NSF(
            features=self.features,
            context=CONTEXT,
            bins=8,
            transforms=5,
            passes=2,
            hidden_features=(112, 112),
            randperm=True,
        )

    def log_density(
        self,
        latent: Float[Tensor, "batch latent"],
        features: Float[Tensor, "batch channel bin"],
    ) -> Float[Tensor, " batch"]:
        """Log density of latent vectors, one for each curve."""
        density: Tensor = self.flow(self.embedding(features)).log_prob(latent)
        return density

    def sample(
        self,
        features: Float[Tensor, "1 channel bin"],
        count: int,
        generator: Generator,
    ) -> Float[Tensor, "count latent"]:
        """Draws latent vectors for one curve."""
        base = torch.randn(count, self.features, generator=generator)
        context = self.embedding(features).expand(count, -1)
        drawn: Tensor = self.flow(context).transform.inv(base)
        return drawn
