"""From latent samples to quantities with units, and to the fitted curve."""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.base import Band
from saxinfer.inference.ensemble import Ensemble
from saxinfer.inference.misfit import Drawn
from saxinfer.inference.target import Target
from saxinfer.parameter import Parameter
from saxinfer.posterior import Kind, Posterior, Quantity

__all__ = ["Prediction", "posterior_of", "predict"]

# Draws: of the prior; of the prior's curves (costly, so repeated); of the fitted curve.
PRIOR_DRAWS, PRIOR_CURVES, CURVES = 4096, 64, 160

_INSTRUMENT = (
    ("scale", "Factor on the structure's curve.", True),
    ("background", "Flat background.", False),
    ("power_law", "Low-q power law at the smallest q.", True),
    ("power_law_exponent", "Exponent of the power law.", False),
    ("sigma_factor", "Factor on the error bars.", True),
    ("model_error", "Relative error of the model a point.", True),
)


def posterior_of(target: Target, sampled: Ensemble, unit: str) -> Posterior:
    """Parameters, derived quantities and nuisances of latent samples.

    Args:
        target: The posterior that was sampled.
        sampled: Its samples.
        unit: Unit of the intensity.
    """
    generator = Generator().manual_seed(0)
    size = target.dimension
    prior = torch.randn(
        PRIOR_DRAWS, size, generator=generator, dtype=sampled.points.dtype
    ).clamp(-4.9, 4.9)
    curves = prior[:PRIOR_CURVES]
    repeats = PRIOR_DRAWS // PRIOR_CURVES
    latent = sampled.points
    errors = target.nuisance(latent)[:, 3:]
    samples = torch.cat([_structural(target, latent), sampled.amounts, errors], 1)
    amounts = target.evaluate(curves)[1].repeat(repeats, 1)
    before = torch.cat(
        [_structural(target, prior), amounts, target.nuisance(prior)[:, 3:]], 1
    )
    return Posterior(
        quantities=_quantities(target, unit, before),
        samples=samples,
        weights=sampled.weights,
        prior=before,
    )


def _structural(target: Target, latent: Tensor) -> Tensor:
    """Columns of the structure: parameters, dependent, derived."""
    theta = target.theta(latent)
    structure = target.structure
    return torch.cat(
        [theta, structure.dependent_values(theta), structure.derived_values(theta)], 1
    )


def _quantities(target: Target, unit: str, prior: Tensor) -> tuple[Quantity, ...]:
    """Names, units and prior bounds of all columns."""
    structure, space = target.structure, target.space

    def quantity(p: Parameter, kind: Kind, low: float, high: float) -> Quantity:
        return Quantity(
            p.name,
            p.unit,
            p.meaning,
            kind,
            low,
            high,
            p.prior == "log-uniform",
        )

    columns = [quantity(p, "parameter", *space.bounds(p.name)) for p in space]
    columns += [quantity(p, "parameter", p.low, p.high) for p in structure.dependent]
    columns += [quantity(p, "derived", p.low, p.high) for p in structure.derived]
    units = (f"{unit} / model", unit, unit, "1", "1", "1")
    start = len(columns)
    for index, (name, meaning, logarithmic) in enumerate(_INSTRUMENT):
        values = prior[:, start + index]
        low, high = float(values.min()), float(values.max())
        columns.append(
            Quantity(name, units[index], meaning, "nuisance", low, high, logarithmic)
        )
    return tuple(columns)


@dataclass(frozen=True, eq=False)
class Prediction:
    """What the posterior says of the curve.

    Attributes:
        band: The fitted curve with its posterior-predictive band.
        squares: Sum of squared effective residuals of each posterior draw.
        model_error: Posterior median of the relative model error [1].
        sigma_factor: Posterior median of the factor on the errors [1].
        sigma_interval: Its 5 % and 95 % quantile [1].
        drawn: The draws themselves.
    """

    band: Band
    squares: Float[Tensor, " draw"]
    model_error: float
    sigma_factor: float
    sigma_interval: tuple[float, float]
    drawn: Drawn


def predict(target: Target, sampled: Ensemble, generator: Generator) -> Prediction:
    """Draws the fitted curve from the posterior, error term included."""
    rows = torch.multinomial(
        sampled.weights, CURVES, replacement=True, generator=generator
    )
    latent = sampled.points[rows]
    nuisance = target.nuisance(latent)
    total = target.intensity(target.curve(latent), nuisance).total
    data = target.observation
    error = data.variance(total, nuisance[:, 4:5], nuisance[:, 5:6]).sqrt()
    noise = torch.randn(total.shape, generator=generator, dtype=total.dtype)
    ends = torch.tensor([0.05, 0.95], dtype=total.dtype)
    low, high = torch.quantile(total + error * noise, ends, dim=0) * data.level
    median, sigma = total.median(0).values, error.median(0).values
    residuals = (data.intensity - median) / sigma
    scaled = (data.intensity - total) / error
    least, most = torch.quantile(nuisance[:, 4], ends).tolist()
    return Prediction(
        band=Band(median * data.level, low, high, sigma * data.level, residuals),
        squares=scaled.square().sum(-1),
        model_error=float(nuisance[:, 5].median()),
        sigma_factor=float(nuisance[:, 4].median()),
        sigma_interval=(least, most),
        drawn=Drawn(latent, total, error),
    )
