"""Of what the points of an averaged curve are the means."""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

__all__ = ["Groups"]


@dataclass(frozen=True, eq=False)
class Groups:
    """The measured points behind each mean.

    A mean over a group that spans a fringe is compared with the model's mean over the
    same points: no expansion about the group's centre would be right there.

    Attributes:
        q: Scattering vector of every member [1/nm].
        share: Weight of every member in its mean; those of a group sum to one.
        index: Number of the group that every member belongs to, ascending from 0.
        resolution: Standard deviation of q at every member [1/nm], or None.
        members: Effective number of measured points in each mean, for errors
            relative to the curve.
    """

    q: Float[Tensor, " member"]
    share: Float[Tensor, " member"]
    index: Int[Tensor, " member"]
    resolution: Float[Tensor, " member"] | None
    members: Float[Tensor, " q"]

    def __len__(self) -> int:
        """Number of groups."""
        return len(self.members)

    def matrix(self) -> Float[Tensor, "member q"]:
        """From the values of all members to their means."""
        means = self.share.new_zeros(len(self.q), len(self))
        means[torch.arange(len(self.q)), self.index] = self.share
        return means

    def spread(self) -> Float[Tensor, " q"]:
        """Standard deviation of q within each group [1/nm]."""
        means = self.matrix()
        centre = self.q @ means
        return ((self.q - centre[self.index]).square() @ means).sqrt()
