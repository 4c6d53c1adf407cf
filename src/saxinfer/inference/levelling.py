r"""The curve at one set of parameters, with the instrument fitted by least squares.

With the structure's curve s given, the instrument enters linearly,

.. math:: I(q) = a\,s(q) + b + c\,q^{-n}, \quad a, c \ge 0, \quad n = 3.5,

and weighted least squares finds a, b and c. What the errors do not explain is put down
to the relative model error f, the smallest for which the mean squared residual over
sigma² + (f I)² is one. Weights follow f, and both are found in turn.

References:
    Stark & Parker, Comput. Stat. 10, 129 (1995): least squares within bounds.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from scipy.optimize import brentq, lsq_linear
from torch import Tensor

from saxinfer.inference.base import Band
from saxinfer.instrument.observation import Observation

__all__ = ["Levelled", "level"]

# Exponent of the low-q power law: the middle of its prior.
EXPONENT = 3.5

# Turns of weights and model error; relative error that the first weights assume.
TURNS, FIRST_ERROR = 6, 0.1

# No model error beyond it is told apart.
LARGEST = 100.0

# Half of a normal 90 % interval, in standard deviations.
NINETY = 1.6449


@dataclass(frozen=True, eq=False)
class Levelled:
    """A curve brought to the level of the measured one.

    Attributes:
        band: The curve, its effective errors and residuals.
        scale: Factor on the structure's curve.
        background: Flat background [unit of the intensity].
        power_law: Power law at the smallest q [unit of the intensity].
        model_error: f, the relative error that explains the residuals [1].
    """

    band: Band
    scale: float
    background: float
    power_law: float
    model_error: float


def level(structure: Float[Tensor, " q"], data: Observation) -> Levelled:
    """Fits scale, background and power law to a curve.

    Args:
        structure: Curve of the structure at the measured points, smeared; positive.
        data: The measured curve.
    """
    mean = structure.mean()
    columns = torch.stack(
        [
            structure / mean,
            torch.ones_like(data.q),
            (data.q / data.q[0]) ** -EXPONENT,
        ],
        -1,
    )
    relative = (FIRST_ERROR * data.intensity).square()
    variance = data.sigma.square() + relative
    for _ in range(TURNS):
        amounts = _least_squares(columns, data.intensity, variance)
        total = columns @ amounts
        error = _model_error(data, total)
        variance = data.sigma.square() + (error * total).square() / data.members
    spread = variance.sqrt()
    scale, background, power_law = (data.level * amounts).tolist()
    half = NINETY * spread
    return Levelled(
        band=Band(
            median=total * data.level,
            low=(total - half) * data.level,
            high=(total + half) * data.level,
            sigma=spread * data.level,
            residuals=(data.intensity - total) / spread,
        ),
        scale=scale / float(mean),
        background=background,
        power_law=power_law,
        model_error=error,
    )


def _least_squares(columns: Tensor, values: Tensor, variance: Tensor) -> Tensor:
    """Amounts of the columns; of scale and power law, none below zero."""
    weight = variance.rsqrt()
    found = lsq_linear(
        (columns * weight[:, None]).numpy(),
        (values * weight).numpy(),
        bounds=([0, -float("inf"), 0], float("inf")),
    )
    return torch.from_numpy(found.x)


def _model_error(data: Observation, total: Tensor) -> float:
    """The smallest f with which the residuals are as large as their errors."""
    square = (data.intensity - total).square()
    known = data.sigma.square()
    unit = total.square() / data.members

    def excess(f: float) -> float:
        return float((square / (known + f * f * unit)).mean()) - 1

    if excess(0.0) <= 0:
        return 0.0
    return float(brentq(excess, 0.0, LARGEST)) if excess(LARGEST) < 0 else LARGEST
