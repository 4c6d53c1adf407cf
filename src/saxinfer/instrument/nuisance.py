r"""What the instrument adds to a curve: scale, background, power law, errors.

The priors are set on quantities that no model enters: shares of the measured
intensity. With s the structure's curve and an overbar for the mean over ln q,

.. math:: I = \ell D \, \frac{s + b + p(q)}{\overline{s + b + p}}, \quad
          b = s_\text{end} (1 - w) / w, \quad
          p(q) \propto q^{-n}, \; p_\text{start} = (s_\text{start} + b)\,\pi/(1-\pi),

where D is the measured mean, ``level`` = l corrects it, ``signal_share`` = w is the
structure's share of the intensity at the upper end of q (above one: the background
was over-subtracted), and ``power_law_share`` = pi is the share of a low-q power law at
the lower end. Ends are the outermost tenth of the points, three at least.

The error term says that both error bars and models are wrong:
sigma_eff² = (a sigma)² + (f I)², with ``sigma_factor`` a and ``model_error`` f.
"""

from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.parameter import Parameter, ParameterSpace

__all__ = [
    "ESTIMATED_SIGMA",
    "MEASURED_SIGMA",
    "TRAINING",
    "Ends",
    "Intensity",
    "compose",
    "log_q_weights",
]

_LEVEL = Parameter(
    "level", "1", 0.2, 5, "Mean intensity over the measured mean.", "log-uniform"
)
_SIGNAL = Parameter(
    "signal_share", "1", 1e-6, 1.1, "Structure's share at the upper end of q.", "share"
)
# Most curves have none: one in seven has more than a hundredth.
_POWER = Parameter(
    "power_law_share",
    "1",
    1e-14,
    0.95,
    "Low-q power law's share at the lower end of q.",
    "log-uniform",
)
_EXPONENT = Parameter("power_law_exponent", "1", 3, 4, "Exponent of the power law.")
_SIGMA = Parameter(
    "sigma_factor",
    "1",
    0.01,
    100,
    "Factor on the error bars of the file.",
    "log-cauchy",
    width=0.1,
)
_ERROR = Parameter("model_error", "1", 0, 1, "Relative error of the model.", "excess")

# Priors where the file gives errors, and where they had to be estimated.
MEASURED_SIGMA = ParameterSpace((_LEVEL, _SIGNAL, _POWER, _EXPONENT, _SIGMA, _ERROR))
ESTIMATED_SIGMA = ParameterSpace(
    (_LEVEL, _SIGNAL, _POWER, _EXPONENT, replace(_SIGMA, width=0.7), _ERROR)
)

# What networks are trained on: power laws and errors of every size are as frequent as
# can be, because a network only proposes, and must have seen what it is to propose.
TRAINING = ParameterSpace(
    (
        _LEVEL,
        _SIGNAL,
        replace(_POWER, low=1e-4),
        _EXPONENT,
        _SIGMA,
        replace(_ERROR, low=3e-4, prior="log-uniform"),
    )
)


@dataclass(frozen=True)
class Ends:
    """How many points count as the lower and the upper end of a curve."""

    count: int

    @classmethod
    def of(cls, points: int) -> "Ends":
        """A tenth of the points, three at least."""
        return cls(max(3, points // 10))


@dataclass(frozen=True, eq=False)
class Intensity:
    """A curve with its parts, all in the unit of ``level``.

    Attributes:
        total: Structure, background and power law together.
        scale: Factor on the structure's curve.
        background: Flat background.
        power_law: Power law at the smallest q.
    """

    total: Float[Tensor, "batch q"]
    scale: Float[Tensor, " batch"]
    background: Float[Tensor, " batch"]
    power_law: Float[Tensor, " batch"]

    def raised(self, factor: Float[Tensor, " batch"]) -> "Intensity":
        """The same curves, ``factor`` times as high."""
        return Intensity(
            total=factor[:, None] * self.total,
            scale=factor * self.scale,
            background=factor * self.background,
            power_law=factor * self.power_law,
        )


def compose(
    structure: Float[Tensor, "batch q"],
    q: Float[Tensor, "*curves q"],
    weights: Float[Tensor, "*curves q"],
    nuisance: Float[Tensor, "batch nuisance"],
) -> Intensity:
    """Adds background and power law to a structure's curve and scales the sum.

    Args:
        structure: Curve of the structure [arbitrary], positive.
        q: Scattering vector [1/nm].
        weights: Weights of the points in a mean over ln q; they sum to one.
        nuisance: Columns as in ``MEASURED_SIGMA``.

    Returns:
        Curve with mean ``level`` over ln q, and its parts.
    """
    level, signal, power, exponent = nuisance[:, :4].unbind(-1)
    count = Ends.of(structure.shape[1]).count
    mean = _mean(structure, weights)
    shape = structure / mean[:, None]
    background = shape[:, -count:].mean(-1) * (1 - signal) / signal
    start = shape[:, :count].mean(-1) + background
    slope = torch.exp((q[..., :1] / q).log() * exponent[:, None])
    low = start.clamp(min=0) * power / (1 - power) / slope[:, :count].mean(-1)
    total = torch.addcmul(shape + background[:, None], low[:, None], slope)
    factor = level / _mean(total, weights)
    return Intensity(
        total=total * factor[:, None],
        scale=factor / mean,
        background=factor * background,
        power_law=factor * low,
    )


def _mean(curve: Tensor, weights: Tensor) -> Tensor:
    """Weighted sum over q; as a product where all rows have the same weights."""
    return curve @ weights if weights.ndim == 1 else (curve * weights).sum(-1)


def log_q_weights(q: Float[Tensor, "*curves q"]) -> Float[Tensor, "*curves q"]:
    """Trapezoid weights of a mean over ln q; they sum to one."""
    x = q.log()
    step = torch.zeros_like(x)
    step[..., 1:-1] = x[..., 2:] - x[..., :-2]
    step[..., 0] = x[..., 1] - x[..., 0]
    step[..., -1] = x[..., -1] - x[..., -2]
    return step / step.sum(-1, keepdim=True)
