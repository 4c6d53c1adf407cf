"""A posterior that remembers every curve that was worked out for it."""

from dataclasses import dataclass, field

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.inference.target import Target

__all__ = ["Recorded"]


@dataclass(frozen=True, eq=False)
class Recorded(Target):
    """A target whose curves are kept until they are taken.

    Of neighbours that differ by the step of a derivative the first one is kept.

    Attributes:
        places: Latent vectors, one tensor a batch.
        curves: The curves of these batches.
    """

    places: list[Float[Tensor, "batch dimension"]] = field(default_factory=list)
    curves: list[Float[Tensor, "batch q"]] = field(default_factory=list)

    @classmethod
    def of(cls, target: Target) -> "Recorded":
        """The same posterior, with a memory."""
        return cls(
            target.structure,
            target.space,
            target.observation,
            target.absolute,
            target.scale_error,
        )

    def curve(
        self, latent: Float[Tensor, "batch dimension"], alike: int = 1
    ) -> Float[Tensor, "batch q"]:
        """As that of the target."""
        found = super().curve(latent, alike)
        self.places.append(latent[::alike])
        self.curves.append(found[::alike])
        return found

    def taken(
        self,
    ) -> tuple[Float[Tensor, "curve dimension"], Float[Tensor, "curve q"]]:
        """All that was kept since the last time; it is kept no longer."""
        places, curves = torch.cat(self.places), torch.cat(self.curves)
        self.places.clear()
        self.curves.clear()
        return places, curves
