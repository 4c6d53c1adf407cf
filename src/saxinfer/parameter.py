r"""The unknowns: in which unit, within which bounds, with which prior.

Every prior is written by its quantile function, so that one map serves all of
inference: a latent vector of independent standard normal numbers ``z`` becomes the
vector of physical parameters,

.. math:: \theta_i = b_i \, Q_i(\Phi(z_i)),

where ``Q`` is the quantile function, ``Phi`` the normal distribution function and
``b`` a base: one, an earlier parameter, or one minus an earlier parameter. A spread
sampled as a ratio to its mean and fractions that sum to one are thus the same thing.
Whatever ``z`` is, the parameters lie within their bounds; the prior in ``z`` is the
standard normal; no result can ever be out of range.
"""

import functools
import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Bool, Float
from torch import Generator, Tensor

__all__ = ["LATENT_LIMIT", "Parameter", "ParameterSpace"]

Prior = Literal["uniform", "log-uniform", "log-cauchy", "share", "excess"]

# Beyond it the normal distribution function rounds to 1 in single precision.
LATENT_LIMIT = 5.0


# A base of zero has parts of zero: it is divided by this instead.
SMALLEST = 1e-300

# The ``share`` prior changes from log-uniform to uniform here, with this much mass
# below.
SHARE_KNEE, SHARE_BELOW = 0.7, 0.4

# The ``excess`` prior changes from uniform to log-uniform here, likewise.
EXCESS_KNEE, EXCESS_BELOW = 0.05, 0.6


@dataclass(frozen=True)
class Parameter:
    """One physical unknown.

    Attributes:
        name: Field term in snake case, without the unit (``radius_mean``).
        unit: Unit as printed; "1" for a ratio.
        low: Lower bound of the prior [``unit``], or of the ratio to ``base``.
        high: Upper bound of the prior, likewise.
        meaning: One sentence for the axis label and the report.
        prior: ``uniform``, ``log-uniform``, ``log-cauchy`` (the logarithm is Cauchy
            distributed about 0 with half-width ``width``, within the bounds), or
            ``share`` (uniform above ``SHARE_KNEE`` with probability 0.6, log-uniform
            below it else: mostly all of it, possibly next to nothing), or ``excess``
            (uniform below ``EXCESS_KNEE`` with probability 0.6, log-uniform above it
            else: mostly little, possibly all).
        base: What the prior is relative to: "" (nothing), the name of an earlier
            parameter, or "1 - name".
        width: Half-width of the log-cauchy prior [1].
        window: Bounds in ``unit`` that a user has narrowed the prior to, or None.
    """

    name: str
    unit: str
    low: float
    high: float
    meaning: str
    prior: Prior = "uniform"
    base: str = ""
    width: float = 0.1
    window: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(
                f"{self.name}: low must be below high, got "
                f"{self.low:g} and {self.high:g} {self.unit}."
            )
        if self.prior not in ("uniform", "excess") and self.low <= 0:
            raise ValueError(
                f"{self.name}: a {self.prior} prior needs a positive lower bound, "
                f"got {self.low:g} {self.unit}."
            )

    @property
    def fixed(self) -> bool:
        """Whether a user has set the parameter to one value."""
        return self.window is not None and self.window[0] == self.window[1]


@dataclass(frozen=True)
class ParameterSpace:
    """An ordered set of parameters with a prior.

    Example:
        >>> space = ParameterSpace((Parameter("radius", "nm", 1, 9, "Radius."),))
        >>> space.theta_from_latent(torch.zeros(1, 1, dtype=torch.float64))
        tensor([[5.]], dtype=torch.float64)
        >>> space.sample(4).shape
        torch.Size([4, 1])
    """

    parameters: tuple[Parameter, ...]

    def __post_init__(self) -> None:
        for index, parameter in enumerate(self.parameters):
            base = parameter.base.removeprefix("1 - ")
            if base and base not in self.names[:index]:
                raise ValueError(
                    f"{parameter.name}: its base '{base}' must be an earlier "
                    f"parameter; these are {', '.join(self.names[:index]) or 'none'}."
                )

    def __iter__(self) -> Iterator[Parameter]:
        return iter(self.parameters)

    def __len__(self) -> int:
        return len(self.parameters)

    @functools.cached_property
    def names(self) -> tuple[str, ...]:
        """Names of all parameters, in order."""
        return tuple(p.name for p in self.parameters)

    @functools.cached_property
    def free(self) -> tuple[str, ...]:
        """Names of the parameters that are not fixed, in order."""
        return tuple(p.name for p in self.parameters if not p.fixed)

    def narrow(self, name: str, low: float, high: float) -> "ParameterSpace":
        """Confines a parameter to ``low`` .. ``high`` [its unit]; equal bounds fix it.

        Raises:
            ValueError: If there is no such parameter, or if the window is empty or
                lies outside of what the prior allows.
        """
        if name not in self.names:
            raise ValueError(
                f"no free parameter '{name}'. The parameters are "
                f"{', '.join(self.names)}."
            )
        index = self.names.index(name)
        old = self.parameters[index]
        lowest, highest = self.bounds(name)
        if not lowest <= low <= high <= highest:
            raise ValueError(
                f"{name}: {low:g} to {high:g} {old.unit} is not a range within the "
                f"prior's {lowest:g} to {highest:g} {old.unit}. Give a range inside."
            )
        new = replace(old, window=(low, high))
        return ParameterSpace(
            (*self.parameters[:index], new, *self.parameters[index + 1 :])
        )

    def bounds(self, name: str) -> tuple[float, float]:
        """Smallest and largest value that the prior allows [the parameter's unit]."""
        parameter = self.parameters[self.names.index(name)]
        low, high = parameter.low, parameter.high
        if parameter.base:
            base_low, base_high = self.bounds(parameter.base.removeprefix("1 - "))
            if parameter.base.startswith("1 - "):
                base_low, base_high = 1 - base_high, 1 - base_low
            low, high = low * base_low, high * base_high
        if parameter.window is not None:
            low, high = max(low, parameter.window[0]), min(high, parameter.window[1])
        return low, high

    def theta_from_latent(
        self, latent: Float[Tensor, "batch free"]
    ) -> Float[Tensor, "batch parameter"]:
        """Maps latent numbers (standard normal under the prior) to parameters."""
        share = torch.special.ndtr(latent.clamp(-LATENT_LIMIT, LATENT_LIMIT))
        columns: list[Tensor] = []
        free = iter(share.unbind(-1))
        for parameter in self:
            base = self._base(parameter, columns, latent)
            if parameter.fixed:
                value = torch.full_like(base, parameter.window[0])  # type: ignore[index]
            else:
                low, high = _limits(parameter, base)
                value = base * _quantile(parameter, next(free), low, high)
            columns.append(value)
        return torch.stack(columns, -1)

    def latent_from_theta(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch free"]:
        """Inverse of :meth:`theta_from_latent`; values at a bound map to the limit."""
        columns = list(theta.unbind(-1))
        latent = []
        for index, parameter in enumerate(self):
            if parameter.fixed:
                continue
            base = self._base(parameter, columns[:index], theta)
            low, high = _limits(parameter, base)
            share = _cumulative(
                parameter, columns[index] / base.clamp(min=SMALLEST), low, high
            )
            edge = torch.special.ndtr(share.new_tensor(-LATENT_LIMIT))
            latent.append(torch.special.ndtri(share.clamp(edge, 1 - edge)))
        return torch.stack(latent, -1) if latent else theta[:, :0]

    def log_jacobian(
        self, latent: Float[Tensor, "batch free"]
    ) -> Float[Tensor, " batch"]:
        """Log determinant of d theta / d latent over the free parameters."""
        theta = self.theta_from_latent(latent)
        columns = list(theta.unbind(-1))
        total = latent.new_zeros(latent.shape[0])
        free = iter(latent.unbind(-1))
        for index, parameter in enumerate(self):
            if parameter.fixed:
                continue
            z = next(free)
            base = self._base(parameter, columns[:index], theta)
            low, high = _limits(parameter, base)
            value = columns[index] / base.clamp(min=SMALLEST)
            density = _log_density(parameter, value, low, high)
            normal = -0.5 * z.square() - 0.5 * math.log(2 * math.pi)
            total = total + normal - density + base.log()
        return total

    def admits(self, theta: Float[Tensor, "batch parameter"]) -> Bool[Tensor, " batch"]:
        """Whether the prior allows a point, windows and ratios included."""
        columns = list(theta.unbind(-1))
        inside = torch.ones(theta.shape[0], dtype=torch.bool, device=theta.device)
        for index, parameter in enumerate(self):
            base = self._base(parameter, columns[:index], theta)
            slack = 1e-9 * (parameter.high - parameter.low)
            ratio = columns[index] / base.clamp(min=SMALLEST)
            inside &= (ratio >= parameter.low - slack) & (
                ratio <= parameter.high + slack
            )
            if parameter.window is not None:
                low, high = parameter.window
                slack = 1e-9 * abs(high)
                inside &= (columns[index] >= low - slack) & (
                    columns[index] <= high + slack
                )
        return inside

    def sample(
        self, count: int, generator: Generator | None = None
    ) -> Float[Tensor, "count parameter"]:
        """Draws ``count`` points from the prior, in the parameters' units, float64."""
        latent = torch.randn(
            count, len(self.free), generator=generator, dtype=torch.float64
        )
        return self.theta_from_latent(latent)

    def _base(
        self, parameter: Parameter, columns: list[Tensor], like: Tensor
    ) -> Tensor:
        """What the prior of a parameter is relative to, given the earlier columns."""
        if not parameter.base:
            return like.new_ones(like.shape[0])
        column = columns[self.names.index(parameter.base.removeprefix("1 - "))]
        return 1 - column if parameter.base.startswith("1 - ") else column


def _limits(parameter: Parameter, base: Tensor) -> tuple[Tensor, Tensor]:
    """Bounds of the ratio to the base, once the user's window is applied."""
    low = torch.full_like(base, parameter.low)
    high = torch.full_like(base, parameter.high)
    if parameter.window is not None:
        low = torch.maximum(low, parameter.window[0] / base.clamp(min=SMALLEST))
        high = torch.minimum(high, parameter.window[1] / base.clamp(min=SMALLEST))
        # An empty window leaves a sliver at the bound; `admits` says no to it.
        high = torch.maximum(high, low * (1 + 1e-9) + 1e-12)
    return low, high


def _cauchy(parameter: Parameter, value: Tensor) -> Tensor:
    """Distribution function of the log-cauchy prior without its bounds."""
    return torch.atan(value.log() / parameter.width) / math.pi + 0.5


def _quantile(parameter: Parameter, u: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Value below which the share ``u`` of the prior lies."""
    if parameter.prior == "uniform":
        return low + (high - low) * u
    if parameter.prior == "log-uniform":
        return low * (high / low) ** u
    if parameter.prior == "share":
        below = low * (SHARE_KNEE / low) ** (u / SHARE_BELOW).clamp(max=1)
        rise = ((u - SHARE_BELOW) / (1 - SHARE_BELOW)).clamp(min=0)
        return below + (high - SHARE_KNEE) * rise
    if parameter.prior == "excess":
        below = low + (EXCESS_KNEE - low) * (u / EXCESS_BELOW).clamp(max=1)
        rise = ((u - EXCESS_BELOW) / (1 - EXCESS_BELOW)).clamp(min=0)
        return below * (high / EXCESS_KNEE) ** rise
    start, end = _cauchy(parameter, low), _cauchy(parameter, high)
    share = start + (end - start) * u
    return torch.exp(parameter.width * torch.tan(math.pi * (share - 0.5)))


def _cumulative(
    parameter: Parameter, value: Tensor, low: Tensor, high: Tensor
) -> Tensor:
    """Share of the prior below ``value``."""
    value = torch.minimum(torch.maximum(value, low), high)
    if parameter.prior == "uniform":
        return (value - low) / (high - low)
    if parameter.prior == "log-uniform":
        return (value / low).log() / (high / low).log()
    if parameter.prior == "share":
        below = (value.clamp(max=SHARE_KNEE) / low).log() / (SHARE_KNEE / low).log()
        above = (value.clamp(min=SHARE_KNEE) - SHARE_KNEE) / (high - SHARE_KNEE)
        return SHARE_BELOW * below + (1 - SHARE_BELOW) * above
    if parameter.prior == "excess":
        below = (value.clamp(max=EXCESS_KNEE) - low) / (EXCESS_KNEE - low)
        above = (value.clamp(min=EXCESS_KNEE) / EXCESS_KNEE).log()
        above = above / (high / EXCESS_KNEE).log()
        return EXCESS_BELOW * below + (1 - EXCESS_BELOW) * above
    start, end = _cauchy(parameter, low), _cauchy(parameter, high)
    return (_cauchy(parameter, value) - start) / (end - start)


def _log_density(
    parameter: Parameter, value: Tensor, low: Tensor, high: Tensor
) -> Tensor:
    """Log prior density of the ratio to the base."""
    if parameter.prior == "uniform":
        return -(high - low).log()
    if parameter.prior == "log-uniform":
        return -value.log() - (high / low).log().log()
    if parameter.prior == "share":
        below = SHARE_BELOW / (value * (SHARE_KNEE / low).log())
        above = (1 - SHARE_BELOW) / (high - SHARE_KNEE)
        return torch.where(value < SHARE_KNEE, below, above).log()
    if parameter.prior == "excess":
        below = EXCESS_BELOW / (EXCESS_KNEE - low)
        above = (1 - EXCESS_BELOW) / (value * (high / EXCESS_KNEE).log())
        return torch.where(value < EXCESS_KNEE, below, above).log()
    start, end = _cauchy(parameter, low), _cauchy(parameter, high)
    spread = math.pi * parameter.width * (1 + (value.log() / parameter.width).square())
    return -value.log() - spread.log() - (end - start).log()
