r"""A cheap likeness of a posterior: neighbouring points together, curves emulated.

Points of a curve that lie closer together than it can turn are put into one group. In
units of a curve that fits, a group of n points has the mean y, the scatter S about it,
and the error of a single point s, so that with the model's mean m its log likelihood is

.. math:: -\frac{n (y - m)^2 + S}{2 v} - \frac n2 \ln (2 \pi v), \qquad
          v = (a s)^2 + (f m)^2,

the exact one where errors and residuals do not trend within the group. The structure's
means come from :class:`~saxinfer.inference.emulator.Emulator`, and the level is
integrated out by Laplace's method.

It serves to look around and to decide what is worth an exact curve.
"""

import math

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from saxinfer.inference.emulator import Emulator
from saxinfer.inference.record import Recorded
from saxinfer.instrument.nuisance import Ends

__all__ = ["Sketch"]

# Largest number of points in each of so many groups, and the widest group in units of
# the inverse distance over which the density is correlated.
GROUPS, WIDEST = 96, 0.8

# The slope's means are polynomials in the exponent: their degree, and the middle.
DEGREE, MIDDLE = 4, 3.5

# Curves this much worse than the best are forgotten [nats].
FORGOTTEN = 400.0

# Rows of one part: few enough for a core's cache.
ROWS = 256

# Smallest mean of an emulated curve at its ends.
LEAST = 1e-9


class Sketch:
    """A posterior that costs tens of microseconds a point, and learns.

    Args:
        target: The exact posterior, with its curves so far.
        best: Latent vector of a good fit.
    """

    def __init__(self, target: Recorded, best: Float[Tensor, " dimension"]) -> None:
        self.target = target
        data = target.observation
        nuisance = target.nuisance(best[None])
        curve = target.curve(best[None])
        fit = target.intensity(curve, nuisance).total[0].clamp(min=1e-6)
        spread = data.variance(fit, nuisance[0, 4:5], nuisance[0, 5:6])
        self._inverse = 1 / spread
        reach = float(target.structure.reach(target.theta(best[None]))[0])
        which = _groups(data.q, WIDEST / max(reach, 1e-9))
        self._condense(fit, which)
        self._places = fit.new_empty(0, self._coordinates(best[None]).shape[1])
        self._outputs = fit.new_empty(0, self._linear.shape[1])
        self._misfits = fit.new_empty(0)
        self.learn()

    @property
    def dimension(self) -> int:
        """Number of all latent parameters."""
        return self.target.dimension

    @property
    def proposed(self) -> list[int]:
        """Columns that the density is a function of."""
        return self.target.proposed

    def learn(self) -> None:
        """Takes over the curves that the exact posterior has worked out by now."""
        if not self.target.curves:
            return
        places, curves = self.target.taken()
        usable = curves.isfinite().all(1)
        places, curves = places[usable], curves[usable]
        shape = curves / (curves @ self.target.observation.weights)[:, None]
        self._places = torch.cat([self._places, self._coordinates(places)])
        self._outputs = torch.cat([self._outputs, shape @ self._linear])
        self._misfits = torch.cat([self._misfits, self._least_misfit(shape)])
        kept = self._misfits < self._misfits.min() + FORGOTTEN
        self._places, self._outputs = self._places[kept], self._outputs[kept]
        self._misfits = self._misfits[kept]
        self._emulator = Emulator.fitted(self._places, self._outputs, self._misfits)

    def drawn_rest(
        self,
        latent: Float[Tensor, "batch dimension"],
        generator: Generator,
    ) -> tuple[
        Float[Tensor, "batch dimension"],
        Float[Tensor, " batch"],
        Float[Tensor, "batch amount"],
    ]:
        """As that of the target, but nothing is drawn: the rest is integrated out.

        Args:
            latent: Vectors.
            generator: Not used.

        Returns:
            The vectors at the level that fits best, the log density, and no amounts.
        """
        density, place = self._density(latent)
        moved = latent.clone()
        moved[:, self.target.drawn] = 0
        moved[:, self.target.width] = place
        return moved, density, latent.new_zeros(len(latent), 3)

    def log_density(
        self, latent: Float[Tensor, "batch dimension"]
    ) -> Float[Tensor, " batch"]:
        """Log posterior density of the proposed columns."""
        return self._density(latent)[0]

    def _density(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        """Log density, and the latent coordinate of the best level."""
        parts = [self._density_of_some(part) for part in torch.split(latent, ROWS)]
        density, place = zip(*parts, strict=True)
        return torch.cat(density), torch.cat(place)

    def _density_of_some(self, latent: Tensor) -> tuple[Tensor, Tensor]:
        target = self.target
        nuisance = target.nuisance(latent)
        outputs, distrust = self._emulator(self._coordinates(latent))
        unit = self._composed(outputs, nuisance)
        likelihood, known, level = self._levelled(
            unit, nuisance[:, 4:5], nuisance[:, 5:6]
        )
        place, slope = target.latent_level(level)
        known = known * slope.square()
        proposed = latent[:, self.proposed]
        prior = -0.5 * (proposed.square() + math.log(2 * math.pi)).sum(1)
        # The level's prior, a normal, times the normal that stands for the data.
        pull = known / (known + 1)
        rest = -0.5 * (pull * place.square() + torch.log1p(known))
        density = likelihood + prior + rest - distrust
        allowed = density.isfinite()
        if target.narrowed:
            allowed = allowed & target.space.admits(target.theta(latent))
        return torch.where(allowed, density, -math.inf), pull * place

    def _coordinates(self, latent: Tensor) -> Tensor:
        """In which curves bend little."""
        return self.target.structure.smooth(self.target.theta(latent))

    def _condense(self, fit: Tensor, which: Int[Tensor, " q"]) -> None:
        """Everything about the measured curve, by groups, in units of a fit."""
        data = self.target.observation
        member = torch.zeros(len(which), int(which[-1]) + 1, dtype=fit.dtype)
        member[torch.arange(len(which)), which] = 1
        weight = member * (fit / data.sigma).square()[:, None]
        precision = weight.sum(0)
        mean = weight / precision
        measured = data.intensity / fit
        self._mean = measured @ mean
        self._count = member.sum(0)
        self._scatter = (measured - self._mean[which]).square() @ member
        self._stated = self._count / precision
        self._members = data.members @ member / self._count
        self._units = float(fit.log().sum())
        scaled = mean / fit[:, None]
        self._one = scaled.sum(0)
        fall = (data.q[0] / data.q).log()
        self._fall = fall @ scaled / self._one
        ends = Ends.of(len(which)).count
        head, tail = torch.zeros(2, len(which), dtype=fit.dtype)
        head[:ends], tail[-ends:] = 1 / ends, 1 / ends
        extra = torch.stack([data.weights, head, tail], 1)
        self._linear = torch.cat([scaled, extra], 1)
        exponent = torch.linspace(3, 4, 2 * DEGREE, dtype=fit.dtype)
        slopes = torch.exp(fall * exponent[:, None])
        logs = (slopes @ torch.stack([data.weights, head], 1)).log()
        self._slopes = torch.linalg.lstsq(_powers(exponent), logs).solution

    def _least_misfit(self, shape: Tensor) -> Tensor:
        """Half of chi², scale, background and power law fitted by least squares."""
        data = self.target.observation
        extra = torch.stack(
            [torch.ones_like(data.q), (data.q[0] / data.q) ** MIDDLE], 1
        )
        weighted = shape * self._inverse
        count = len(shape)
        normal = shape.new_zeros(count, 3, 3)
        normal[:, 0, 0] = (weighted * shape).sum(1)
        normal[:, 0, 1:] = normal[:, 1:, 0] = weighted @ extra
        normal[:, 1:, 1:] = (extra * self._inverse[:, None]).T @ extra
        right = shape.new_empty(count, 3)
        right[:, 0] = weighted @ data.intensity
        right[:, 1:] = (self._inverse * data.intensity) @ extra
        scale = normal.diagonal(dim1=1, dim2=2).sqrt()
        normal = normal / (scale[:, :, None] * scale[:, None])
        normal = normal + 1e-9 * torch.eye(3, dtype=shape.dtype)
        amounts = torch.linalg.solve(normal, right / scale) / scale
        whole = (self._inverse * data.intensity.square()).sum()
        least: Tensor = 0.5 * (whole - (amounts * right).sum(1))
        return least

    def _composed(self, outputs: Tensor, nuisance: Tensor) -> Tensor:
        """Means of the model in units of the fit, of mean one over ln q."""
        signal, power, exponent = nuisance[:, 1], nuisance[:, 2], nuisance[:, 3]
        shape, mean = outputs[:, :-3], outputs[:, -3]
        head, tail = outputs[:, -2:].clamp(min=LEAST).unbind(1)
        background = tail * (1 - signal) / signal
        slope_mean, slope_head = (_powers(exponent) @ self._slopes).exp().unbind(1)
        start = (head + background).clamp(min=0)
        low = start * power / (1 - power) / slope_head
        slope = torch.exp(self._fall * exponent[:, None])
        rest = torch.addcmul(background[:, None], low[:, None], slope)
        total = torch.addcmul(shape, self._one, rest)
        mean = (mean + background + low * slope_mean).clamp(min=LEAST)
        unit: Tensor = total / mean[:, None]
        return unit

    def _levelled(
        self, unit: Tensor, factor: Tensor, error: Tensor
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Log likelihood at the best level, what is known of that, and the level."""
        bounds = self.target.observation.nuisances.bounds("level")
        count, mean = self._count, self._mean
        stated = factor.square() * self._stated
        relative = error.square() / self._members
        weight = count * unit / torch.addcmul(stated, relative, unit.square())
        level = (weight @ mean) / (weight * unit).sum(1)
        known = level
        for _ in range(2):
            model = level.clamp(*bounds)[:, None] * unit
            of_model = relative * model.square()
            inverse = torch.reciprocal(stated + of_model)
            share, gap = of_model * inverse, mean - model
            scaled = count * model * inverse
            square = inverse * (count * gap.square() + self._scatter)
            gain = (scaled * gap + share * (square - count)).sum(1)
            known = (scaled * model + 2 * count * share.square()).sum(1)
            level = level.clamp(*bounds) * (gain / known).clamp(-0.5, 0.5).exp()
        level = level.clamp(*bounds)
        model = level[:, None] * unit
        variance = torch.addcmul(stated, relative, model.square())
        square = (count * (mean - model).square() + self._scatter) / variance
        value = -0.5 * (square + count * variance.log()).sum(1)
        norm = 0.5 * math.log(2 * math.pi) * float(count.sum()) + self._units
        return value - norm, known, level


def _powers(exponent: Tensor) -> Tensor:
    """Powers of the power law's exponent less its middle."""
    order = torch.arange(DEGREE + 1, dtype=exponent.dtype)
    return (exponent[:, None] - MIDDLE) ** order


def _groups(q: Float[Tensor, " q"], widest: float) -> Int[Tensor, " q"]:
    """Number of the group of each point; none crosses the border of an end."""
    points = q.tolist()
    ends, most = Ends.of(len(points)).count, math.ceil(len(points) / GROUPS)
    which, first = [0], 0
    for index in range(1, len(points)):
        border = index in (ends, len(points) - ends)
        full = index - first >= most
        if border or full or points[index] - points[first] > widest:
            which.append(which[-1] + 1)
            first = index
        else:
            which.append(which[-1])
    return torch.tensor(which)
