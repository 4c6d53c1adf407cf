r"""Where a fitted curve differs from the measured one by more than chance.

The error term sigma_eff² = (a sigma)² + (f I)² is free: it grows until the sum of
squares is what it should be, and no test of that sum sees anything. What it cannot hide
is a misfit with a shape. So the residuals r = (D - t) / sigma_eff about the posterior
mean t are held against shapes that a wrong model or a broken measurement has:

- *steps*: the intensity beyond some q is a little higher or lower;
- *backgrounds* that are not flat: rising, falling, a hump;
- *smooth departures* of any form, by a basis of splines that multiply the curve;
- *neighbours* that are alike.

**Profiling.** What parameters can follow is not seen. With C the posterior covariance
of t / sigma_eff, averaged over the prior and its curves,

.. math:: \mathrm{cov}(r) = 1 - \mathrm{E}[C] \equiv P ,

exactly, for any prior and any dependence of t on the parameters: with e = t_true - t,
cov(eps + e) = 1 + 2 E[e eps'] + E[C], and E[e eps'] = -E[dt/dD] = -E[C] by Stein's
identity. C is taken from tangents J at a few draws of the posterior, C = J (J'J +
1)^{-1} J' in latent coordinates, whose prior is the unit normal. The score of a shape d
(over sigma_eff) is z = d'r / sqrt(d'Pd); shapes that parameters follow almost wholly
are left out.

**The null distribution** is simulated for this very fit: r from N(0, P), divided by the
factor by which it would have changed sigma_eff, from the posterior covariance of
ln sigma_eff. Each family's p is a rank among these, the smallest of them is ranked
again among the smallest of each simulated curve: the whole test has the level that is
asked of it, however many shapes are looked for and however alike they are.

References:
    Rao, Proc. Camb. Phil. Soc. 44, 50 (1948): score tests. Stein, Ann. Stat. 9, 1135
    (1981). Westfall & Young, Resampling-Based Multiple Testing (1993): smallest p.
    Eilers & Marx, Stat. Sci. 11, 89 (1996): B-splines for smooth departures.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.shapes import POWERS, backgrounds, splines, steps
from saxinfer.inference.target import Target

__all__ = ["FAMILIES", "Drawn", "Misfit", "examine", "tangents"]

FAMILIES = ("step", "background", "shape", "neighbours")

# Curves that are simulated; draws of the posterior at which tangents are taken.
REPLICATES, PLACES = 3000, 4

# Distances of neighbours that are compared [points].
LAGS = (1, 2, 4)

# A shape of which parameters follow more than the rest of this share is not tested.
LEFT = 0.1

# Larger residuals count as this: one wild point makes no shape.
LARGEST = 4.0

# Step of the finite differences in latent units.
DIFFERENCE = 1e-4

# Directions in which ln sigma_eff varies: two numbers make it, and a little of t.
SCALES = 3


@dataclass(frozen=True, eq=False)
class Drawn:
    """Draws of the posterior with what they say of the curve, over its level.

    Attributes:
        latent: Latent vectors, equally weighted.
        curves: Model curves [1].
        errors: Effective standard errors [1].
    """

    latent: Float[Tensor, "draw dimension"]
    curves: Float[Tensor, "draw q"]
    errors: Float[Tensor, "draw q"]


@dataclass(frozen=True)
class Misfit:
    """What was found by looking for shapes in the residuals.

    Attributes:
        p: Chance of a smallest p like this where the model is right.
        of_family: p-value of each of ``FAMILIES`` by itself.
        reason: What stands out most, where, and how large, in one sentence without its
            full stop.
    """

    p: float
    of_family: dict[str, float]
    reason: str


def examine(target: Target, drawn: Drawn, generator: Generator) -> Misfit:
    """Looks for misfits that have a shape.

    Args:
        target: The posterior of the curve.
        drawn: Draws from it.
        generator: Source of the simulated residuals.
    """
    data = target.observation
    model = drawn.curves.mean(0)
    log_error = drawn.errors.log()
    error = log_error.mean(0).exp()
    slopes = tangents(target, drawn.latent[:PLACES]) / error
    null = _Null.of(slopes, (log_error - log_error.mean(0)) / math.sqrt(len(log_error)))
    looked = _Looked.of(data.q, model, error, null)
    residuals = ((data.intensity - model) / error)[None]
    every = torch.cat([residuals.float(), null.draw(REPLICATES, generator)])
    every = every.clamp(-LARGEST, LARGEST)
    scores = looked.scores(every)
    alone = torch.stack([_ranked(column) for column in scores.unbind(1)], 1)
    p = float(_ranked(-alone.amin(1))[0])
    found = dict(zip(FAMILIES, alone[0].tolist(), strict=True))
    return Misfit(p, found, looked.reason(every[0], found))


def _ranked(score: Float[Tensor, " curve"]) -> Float[Tensor, " curve"]:
    """Share of the curves, itself included, whose score is as large as each one's."""
    ordered = score.sort().values
    below = torch.searchsorted(ordered, score.contiguous(), right=False)
    return (len(score) - below).double() / len(score)


def tangents(
    target: Target, latent: Float[Tensor, "place dimension"]
) -> Float[Tensor, "place column q"]:
    """Derivatives of the model curve by all that is not the error model.

    Args:
        target: The posterior.
        latent: Where.

    Returns:
        Slopes by the structure's latent numbers, the level, the background and the
        power law, over the measured level [1].
    """
    places, size = latent.shape
    width = target.width
    shifts = DIFFERENCE * torch.eye(size, dtype=latent.dtype)[: width + 4]
    # Towards the middle: the limits of the latent numbers lie outside.
    sign = torch.where(latent > 0, -1.0, 1.0).to(latent.dtype)[:, None, : width + 4]
    moved = latent[:, None] + shifts * sign.mT
    inner = torch.cat([latent[:, None], moved[:, :width]], 1)
    curves = target.curve(inner.flatten(0, 1), width + 1).view(places, width + 1, -1)
    rest = curves[:, :1].expand(-1, 4, -1)
    every = torch.cat([curves, rest], 1).flatten(0, 1)
    points = torch.cat([latent[:, None], moved], 1).flatten(0, 1)
    total = target.intensity(every, target.nuisance(points)).total
    total = total.view(places, width + 5, -1)
    slopes = (total[:, 1:] - total[:, :1]) / (DIFFERENCE * sign.mT)
    if target.narrowed:
        # Beyond a window stands another curve, which is no derivative.
        allowed = target.space.admits(target.theta(points)).view(places, -1)
        slopes = torch.where(allowed[:, 1:, None], slopes, 0.0)
    return slopes


@dataclass(frozen=True, eq=False)
class _Null:
    """Residuals of a curve that the model describes.

    Attributes:
        followed: Rows whose products are C, one set for each place.
        pull: From unit normal parameters to what the prior keeps them from following.
        scales: Rows whose products are the posterior covariance of ln sigma_eff.
        left: Diagonal of P.
    """

    followed: Float[Tensor, "place column q"]
    pull: Float[Tensor, "place column column"]
    scales: Float[Tensor, "scale q"]
    left: Float[Tensor, " q"]

    @classmethod
    def of(cls, slopes: Tensor, log_errors: Tensor) -> "_Null":
        """From tangents, and deviations of ln sigma_eff over the root of their number.

        Args:
            slopes: Tangents over the error.
            log_errors: One row for each draw.
        """
        one = torch.eye(slopes.shape[1], dtype=slopes.dtype)
        half = torch.linalg.cholesky(slopes @ slopes.mT + one)
        solve = torch.linalg.solve_triangular
        followed = solve(half, slopes, upper=False)
        axes = torch.linalg.eigh(log_errors @ log_errors.T).eigenvectors
        return cls(
            followed=followed,
            pull=solve(half.mT, one.expand_as(half), upper=True),
            scales=axes[:, -SCALES:].T @ log_errors,
            left=(1 - followed.square().sum(1).mean(0)).clamp(min=0),
        )

    def left_of(self, rows: Float[Tensor, "row q"]) -> Float[Tensor, "row q"]:
        """What parameters leave of the rows: P times each."""
        along = (rows @ self.followed.mT) @ self.followed
        return rows - along.mean(0)

    def draw(self, count: int, generator: Generator) -> Float[Tensor, "curve q"]:
        """Residuals as they come out of a fit, in single precision."""
        places, columns, points = self.followed.shape
        each = math.ceil(count / places)
        # As large as the tangents are, only what they follow is small enough for this.
        followed, pull = self.followed.float(), self.pull.float()
        noise = torch.randn(places, each, points, generator=generator)
        start = torch.randn(places, each, columns, generator=generator)
        along = (noise @ followed.mT - start @ pull) @ followed
        residuals = (noise - along).flatten(0, 1)[:count]
        scales = self.scales.float()
        grown = ((residuals.square() - self.left.float()) @ scales.T) @ scales
        return residuals * torch.exp(-grown.clamp(-1, 1))


@dataclass(frozen=True, eq=False)
class _Lines:
    """Shapes of one kind, each by itself.

    Attributes:
        rows: Shapes over the error, times what makes their scores of unit variance.
        size: Amplitude of a shape for a score of one.
        shapes: The shapes themselves, over the model curve [1].
        place: Which of those that were made each is.
    """

    rows: Float[Tensor, "line q"]
    size: Float[Tensor, " line"]
    shapes: Float[Tensor, "line q"]
    place: Float[Tensor, " line"]

    @classmethod
    def of(cls, shapes: Tensor, model: Tensor, error: Tensor, null: _Null) -> "_Lines":
        """Shapes in units of the intensity, without those that are followed."""
        rows = shapes / error
        seen = (rows * null.left_of(rows)).sum(1)
        keep = seen > LEFT * rows.square().sum(1)
        size = seen[keep].rsqrt()
        return cls(
            rows=rows[keep] * size[:, None],
            size=size,
            shapes=shapes[keep] / model,
            place=keep.nonzero()[:, 0].double(),
        )

    def scores(self, residuals: Tensor) -> Float[Tensor, "curve line"]:
        """One score for each line; a single zero where there is none."""
        if len(self.rows) == 0:
            return residuals.new_zeros(len(residuals), 1)
        return residuals @ self.rows.to(residuals.dtype).T


@dataclass(frozen=True, eq=False)
class _Looked:
    """All shapes that are looked for in one curve.

    Attributes:
        q: Scattering vector [1/nm].
        relative: Error over the model curve [1].
        steps: Steps.
        backgrounds: Backgrounds that are not flat.
        smooth: Rows whose squared scores add up to chi-square.
    """

    q: Float[Tensor, " q"]
    relative: Float[Tensor, " q"]
    steps: _Lines
    backgrounds: _Lines
    smooth: Float[Tensor, "row q"]

    @classmethod
    def of(cls, q: Tensor, model: Tensor, error: Tensor, null: _Null) -> "_Looked":
        """Makes the shapes for a curve and its errors."""
        basis = torch.linalg.qr((model * splines(q) / error).T).Q.T
        share, axes = torch.linalg.eigh(basis @ null.left_of(basis).T)
        keep = share > LEFT
        rows = axes[:, keep].T @ basis
        return cls(
            q=q,
            relative=error / model,
            steps=_Lines.of(model * steps(q), model, error, null),
            backgrounds=_Lines.of(backgrounds(q), model, error, null),
            smooth=rows / share[keep].sqrt()[:, None],
        )

    def scores(self, residuals: Float[Tensor, "curve q"]) -> Float[Tensor, "curve 4"]:
        """One number a family; the larger the worse."""
        lines = [
            part.scores(residuals).abs().amax(1)
            for part in (self.steps, self.backgrounds)
        ]
        smooth = (residuals @ self.smooth.to(residuals.dtype).T).square().sum(1)
        return torch.stack([*lines, smooth, _alike(residuals)], 1)

    def reason(self, residuals: Float[Tensor, " q"], p: dict[str, float]) -> str:
        """The family with the smallest p in words; of equal ones the most telling."""
        strength = self._strength(residuals[None])
        family = min(FAMILIES, key=lambda name: (p[name], -strength[name]))
        if family == "step":
            return self._step(residuals)
        if family == "background":
            return self._background(residuals)
        if family == "shape":
            return self._departure(residuals)
        return (
            "Neighbouring residuals have the same sign more often than by chance: the "
            "model's shape differs from the curve's, or the points were smoothed"
        )

    def _strength(self, residuals: Tensor) -> dict[str, float]:
        """About -ln p of each family, where simulation cannot tell them apart."""
        found = dict(zip(FAMILIES, self.scores(residuals)[0].tolist(), strict=True))
        degrees = max(1, len(self.smooth))
        cube = (max(found["shape"], 0.0) / degrees) ** (1 / 3)
        normal = (cube - 1 + 2 / (9 * degrees)) * math.sqrt(4.5 * degrees)
        tried = {
            "step": (found["step"], len(self.steps.rows)),
            "background": (found["background"], len(self.backgrounds.rows)),
            "shape": (max(normal, 0.0), 1),
            "neighbours": (max(found["neighbours"], 0.0), len(LAGS)),
        }
        return {
            name: 0.5 * score**2 - math.log(max(1, count))
            for name, (score, count) in tried.items()
        }

    def _step(self, residuals: Tensor) -> str:
        scores = self.steps.scores(residuals[None])[0]
        best = int(scores.abs().argmax())
        size = float(scores[best] * self.steps.size[best])
        first = int(self.steps.shapes[best].argmax())
        q = float((self.q[first - 1] * self.q[first]).sqrt())
        return (
            f"The intensity steps {'up' if size > 0 else 'down'} by {_percent(size)} "
            f"at q = {q:.3g} 1/nm, as where two settings of an instrument were joined"
        )

    def _background(self, residuals: Tensor) -> str:
        part = self.backgrounds
        scores = part.scores(residuals[None])[0]
        best = int(scores.abs().argmax())
        shape = float(scores[best] * part.size[best]) * part.shapes[best]
        worst = int((shape / self.relative).abs().argmax())
        kind = int(part.place[best])
        up = float(scores[best]) > 0
        what = "hump" if up else "dip"
        if kind < len(POWERS):
            what = "rise" if up == (POWERS[kind] > 0) else "fall"
        said = {
            "hump": "there is a hump that the model does not have",
            "dip": "there is a dip that the model does not have",
            "rise": "the background rises with q",
            "fall": "the background falls with q",
        }[what]
        return (
            f"Beside the model {said}, {_percent(float(shape[worst]))} of the "
            f"intensity at q = {float(self.q[worst]):.3g} 1/nm"
        )

    def _departure(self, residuals: Tensor) -> str:
        scores = residuals.double() @ self.smooth.T
        departure = scores @ self.smooth
        worst = int(departure.abs().argmax())
        size = float(departure[worst] * self.relative[worst])
        return (
            f"The curve lies {'above' if size > 0 else 'below'} the model by "
            f"{_percent(size)} around q = {float(self.q[worst]):.3g} 1/nm: the "
            "model's shape differs from the curve's"
        )


def _percent(share: float) -> str:
    """Size of a share with two digits, "5.5 %"."""
    size = 100 * abs(share)
    return f"{size:.0f} %" if size >= 10 else f"{size:.2g} %"


def _alike(residuals: Float[Tensor, "curve q"]) -> Float[Tensor, " curve"]:
    """How alike neighbours are, in standard deviations of independent ones."""
    count = residuals.shape[1]
    norm = residuals.square().sum(1).clamp(min=1e-30)
    products = [
        (residuals[:, lag:] * residuals[:, :-lag]).sum(1) / norm for lag in LAGS
    ]
    return math.sqrt(count) * torch.stack(products).amax(0)
