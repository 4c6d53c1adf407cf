"""The exact posterior of one curve, in latent coordinates, batched.

A latent vector holds the free parameters of the structure, then the six nuisances of
the instrument; all are standard normal under the prior. Where the structure can, and
the user has not narrowed what it needs, its parameters are in coordinates that a curve
can tell apart; the others, which no curve sees, keep their prior.
"""

import functools
import math
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.height import best_level, draw_height
from saxinfer.instrument.nuisance import Intensity, compose
from saxinfer.instrument.observation import Observation, log_likelihood
from saxinfer.instrument.sampling import Sampling
from saxinfer.parameter import ParameterSpace
from saxinfer.structures.base import Structure

__all__ = ["Target"]

# A curve's smallest value.
SMALLEST = 1e-280

# Levels that the data know are drawn from a normal this much wider than their
# conditional posterior.
WIDER = 1.15


@dataclass(frozen=True, eq=False)
class Target:
    """Log posterior density of a curve, up to the evidence.

    Attributes:
        structure: The model.
        space: Its parameters, with what the user fixed or narrowed.
        observation: The measured curve.
        absolute: Whether the intensity is in the model's own unit: the scale is then
            known to be one, the level follows from all else, and what no shape tells
            is told by the height of the curve.
        scale_error: Standard deviation of ln scale, if the intensity is; the level's
            latent coordinate then stands for it.
    """

    structure: Structure
    space: ParameterSpace
    observation: Observation
    absolute: bool = False
    scale_error: float = 0.0

    @property
    def width(self) -> int:
        """Number of latent parameters of the structure."""
        return len(self.space.free)

    @property
    def dimension(self) -> int:
        """Number of all latent parameters."""
        return self.width + len(self.observation.nuisances)

    @functools.cached_property
    def narrowed(self) -> bool:
        """Whether the user narrowed or fixed any parameter."""
        return any(p.window is not None for p in self.space)

    @functools.cached_property
    def untangled(self) -> bool:
        """Whether the parameters are in the structure's own coordinates."""
        whole = {p.name: p.window is None for p in self.space}
        entangled = self.structure.entangled
        return all(whole[name] for name in entangled)

    @functools.cached_property
    def by_shape(self) -> "Target":
        """The posterior where only the shape is known, if the height is drawn given it.

        Its modes are where those of this one are; without such a height, this one.
        """
        if not (self.absolute and self.untangled and self.structure.unseen):
            return self
        return replace(self, absolute=False, scale_error=0.0)

    @functools.cached_property
    def drawn(self) -> list[int]:
        """Columns that are drawn given all others: those unseen, and the level."""
        unseen = self.structure.unseen if self.untangled else ()
        return [*(self.space.free.index(name) for name in unseen), self.width]

    @functools.cached_property
    def proposed(self) -> list[int]:
        """All other columns."""
        return [i for i in range(self.dimension) if i not in self.drawn]

    @functools.cached_property
    def moving(self) -> list[int]:
        """Columns that move the structure's curve."""
        return [i for i in self.proposed if i < self.width]

    def theta(
        self, latent: Float[Tensor, "batch dimension"]
    ) -> Float[Tensor, "batch parameter"]:
        """Parameters of the structure in their units."""
        own = latent[:, : self.width]
        if self.untangled and self.structure.entangled:
            own = self.structure.latent(self._coordinates(latent))[:, self._free]
        return self.space.theta_from_latent(own)

    @functools.cached_property
    def _free(self) -> list[int]:
        return [self.space.names.index(name) for name in self.space.free]

    def _coordinates(self, latent: Tensor) -> Tensor:
        """Coordinates of all parameters, those that are fixed in the middle."""
        full = latent.new_zeros(len(latent), len(self.space))
        full[:, self._free] = latent[:, : self.width]
        return full

    @functools.cached_property
    def sampling(self) -> Sampling:
        """Where the structure is evaluated."""
        return Sampling(self.observation, self.structure.smooth_to)

    def curve(
        self, latent: Float[Tensor, "batch dimension"], alike: int = 1
    ) -> Float[Tensor, "batch q"]:
        """The structure's curve at the measured points; nuisances are ignored.

        Args:
            latent: Vectors.
            alike: So many neighbouring rows are evaluated at the same nodes.
        """
        theta = self.theta(latent)
        if self.narrowed:
            # A forbidden point has no curve; any other stands in, with density -inf.
            allowed = self.space.admits(theta)[:, None]
            middle = self.structure.space.theta_from_latent(
                theta.new_zeros(1, len(self.structure.space))
            )
            theta = torch.where(allowed, theta, middle)
        reach = self.structure.reach(theta).view(-1, alike).amax(1)
        rungs = self.sampling.rung(reach).repeat_interleave(alike)
        # Two batches cost more than some nodes too many in one.
        rungs = rungs + (rungs.max() - rungs) % 2
        curves = theta.new_empty(len(theta), len(self.observation.q))
        for rung in sorted(set(rungs.tolist())):
            rows = (rungs == rung).nonzero()[:, 0]
            curves[rows] = self._sampled(theta[rows], rung)
        return curves.clamp(min=SMALLEST)

    def _sampled(self, theta: Tensor, rung: int) -> Tensor:
        """Curves at the measured points, worked out on one grid."""
        kink = self.structure.kink(theta)
        if kink is None or not self.sampling.crosses(rung):
            raw = self.structure.intensity(self.sampling.nodes(rung), theta)
            return self.sampling.at_points(raw, rung)
        sides = functools.partial(self.structure.sides, theta=theta)
        return self.sampling.across(sides, kink, rung)

    def intensity(
        self,
        curve: Float[Tensor, "batch q"],
        nuisance: Float[Tensor, "batch nuisance"],
    ) -> Intensity:
        """Adds the instrument, in units of the measured level."""
        data = self.observation
        parts = compose(curve, data.q, data.weights, nuisance)
        if self.absolute:
            return parts.raised(self._scale(nuisance) / (parts.scale * data.level))
        return parts

    def _scale(self, nuisance: Tensor) -> Tensor:
        """The scale that a level stands for, where it is known to an error."""
        low, high = self.observation.nuisances.bounds("level")
        share = (nuisance[:, 0] / low).log() / math.log(high / low)
        edge = share.new_tensor(1e-15)
        steps: Tensor = torch.special.ndtri(share.clamp(edge, 1 - edge))
        return (self.scale_error * steps).exp()

    def nuisance(
        self, latent: Float[Tensor, "batch dimension"]
    ) -> Float[Tensor, "batch nuisance"]:
        """Values of the nuisances."""
        return self.observation.nuisances.theta_from_latent(latent[:, self.width :])

    def evaluate(
        self, latent: Float[Tensor, "batch dimension"]
    ) -> tuple[Float[Tensor, " batch"], Float[Tensor, "batch amount"]]:
        """Log posterior densities of points.

        Args:
            latent: Vectors.

        Returns:
            Log prior plus log likelihood, -inf where the user's windows forbid, and
            scale, background and power law [unit of the intensity].
        """
        nuisance = self.nuisance(latent)
        parts = self.intensity(self.curve(latent), nuisance)
        density = self._density(latent, parts.total, nuisance)
        return density, self._amounts(parts)

    def drawn_rest(
        self, latent: Float[Tensor, "batch dimension"], generator: Generator
    ) -> tuple[
        Float[Tensor, "batch dimension"],
        Float[Tensor, " batch"],
        Float[Tensor, "batch amount"],
    ]:
        """Draws the ``drawn`` columns given the others.

        What no curve sees is drawn from its prior, the level, or the height where the
        scale is known, from its conditional posterior. Given all else the curve is
        linear in these, and they are known far better than anything else: a proposal
        that had to guess them would seldom be right. The conditional is normal in good
        approximation; what it is not, the density that is returned puts right.

        Args:
            latent: Vectors; their ``drawn`` columns are ignored.
            generator: Source of randomness.

        Returns:
            The vectors with their new columns, the log posterior density less the log
            density with which the columns were drawn, and the amounts of ``evaluate``.
        """
        nuisance = self.nuisance(latent)
        nuisance[:, 0] = 1.0
        parts = self.by_shape.intensity(self.curve(latent), nuisance)
        bounds = self.observation.nuisances.bounds("level")
        level, known = best_level(
            parts.total, self.observation, nuisance[:, 4:5], nuisance[:, 5:6], bounds
        )
        if self.by_shape is not self:
            return self._drawn_height(latent, parts, level, known, generator)
        best, slope = self.latent_level(level)
        known = known * slope.square()
        sd = WIDER ** (known / (known + 1)) / (known + 1).sqrt()
        centre = best * known / (known + 1)
        draw = torch.randn(
            len(latent), len(self.drawn), generator=generator, dtype=best.dtype
        )
        moved = latent.clone()
        moved[:, self.drawn[:-1]] = draw[:, :-1]
        moved[:, self.width] = centre + sd * draw[:, -1]
        nuisance = self.nuisance(moved)
        raised = self._scale(nuisance) if self.absolute else nuisance[:, 0]
        parts = parts.raised(raised)
        density = self._density(moved, parts.total, nuisance)
        chance = -0.5 * (draw.square() + math.log(2 * math.pi)).sum(-1) - sd.log()
        return moved, density - chance, self._amounts(parts)

    def _drawn_height(
        self,
        latent: Tensor,
        parts: Intensity,
        level: Tensor,
        known: Tensor,
        generator: Generator,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """The ``drawn_rest`` where the height tells what no shape does.

        Args:
            latent: Vectors.
            parts: Their curves.
            level: What the data want these raised by.
            known: Inverse variance of ln level.
            generator: Source of randomness.
        """
        heights = self.structure.heights(self._coordinates(latent))
        assert heights is not None
        before = self.structure.log_height(self.theta(latent))
        present = parts.scale * self.observation.level
        best = before + (level * present).log()
        variance = WIDER**2 / known
        found = draw_height(
            heights, best, (variance + self.scale_error**2).sqrt(), generator
        )
        # What is left of the gap is put down to the scale, as far as that may be off.
        precision = 1 + self.scale_error**2 / variance
        centre = self.scale_error / variance * (best - found.height) / precision
        draw = torch.randn(len(latent), generator=generator, dtype=best.dtype)
        moved = latent.clone()
        moved[:, self.drawn[0]] = found.latent
        moved[:, self.width] = centre + draw / precision.sqrt()
        nuisance = self.nuisance(moved)
        scale = self._scale(nuisance)
        parts = parts.raised((found.height - before).exp() * scale / present)
        density = self._density(moved, parts.total, nuisance)
        chance = -0.5 * (draw.square() + math.log(2 * math.pi)) + 0.5 * precision.log()
        amounts = self._amounts(replace(parts, scale=scale / self.observation.level))
        return moved, density - chance - found.chance, amounts

    def latent_level(
        self, level: Float[Tensor, " batch"]
    ) -> tuple[Float[Tensor, " batch"], Float[Tensor, " batch"]]:
        """Latent coordinates of levels, and the slope of ln level in them."""
        if self.absolute:
            if not self.scale_error:
                return torch.zeros_like(level), torch.zeros_like(level)
            error = torch.full_like(level, self.scale_error)
            return level.log() / error, error
        low, high = self.observation.nuisances.bounds("level")
        # ln of a log-uniform level has the slope ln(high / low) phi.
        share = (level.clamp(low, high) / low).log() / math.log(high / low)
        edge = torch.special.ndtr(share.new_tensor(-4.0))
        best = torch.special.ndtri(share.clamp(edge, 1 - edge))
        normal = torch.exp(-0.5 * best.square()) / math.sqrt(2 * math.pi)
        slope: Tensor = math.log(high / low) * normal
        return best, slope

    def log_density(
        self, latent: Float[Tensor, "batch dimension"]
    ) -> Float[Tensor, " batch"]:
        """Log prior plus log likelihood; -inf where the user's windows forbid."""
        return self.evaluate(latent)[0]

    def _amounts(self, parts: Intensity) -> Tensor:
        """Scale, background and power law in the unit of the measured intensity."""
        amounts = torch.stack([parts.scale, parts.background, parts.power_law], -1)
        return self.observation.level * amounts

    def _density(self, latent: Tensor, total: Tensor, nuisance: Tensor) -> Tensor:
        """Log prior plus log likelihood of a model curve."""
        likelihood = log_likelihood(
            total, self.observation, nuisance[:, 4], nuisance[:, 5]
        )
        prior = -0.5 * (latent.square() + math.log(2 * math.pi)).sum(-1)
        return self.allowed(latent, likelihood + prior)

    def allowed(
        self, latent: Float[Tensor, "batch dimension"], density: Float[Tensor, " batch"]
    ) -> Float[Tensor, " batch"]:
        """The density, or -inf where it is none or the user's windows forbid."""
        allowed = density.isfinite()
        if self.narrowed:
            allowed = allowed & self.space.admits(self.theta(latent))
        return torch.where(allowed, density, -math.inf)

    def levelled(
        self, latent: Float[Tensor, "batch dimension"]
    ) -> tuple[Float[Tensor, "batch dimension"], Float[Tensor, " batch"]]:
        """Sets the level of each vector to what fits the data best.

        Returns:
            The vectors with their new level, and their log posterior densities.
        """
        if self.absolute:
            return latent, self.log_density(latent)
        nuisance = self.nuisance(latent)
        unit = nuisance.clone()
        unit[:, 0] = 1.0
        total = self.intensity(self.curve(latent), unit).total
        data = self.observation
        weight = 1 / data.variance(total, nuisance[:, 4:5], nuisance[:, 5:6])
        best = (weight * total * data.intensity).sum(-1)
        best = best / (weight * total.square()).sum(-1)
        unit[:, 0] = best.clamp(0.21, 4.8)
        result = latent.clone()
        result[:, self.width :] = data.nuisances.latent_from_theta(unit)
        return result, self._density(result, total * unit[:, :1], unit)
