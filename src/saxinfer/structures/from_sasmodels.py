"""Any form factor of sasmodels as a structure, ``@`` structure factors included.

What is unknown, in which unit and within which limits is read from the model's own
table; lengths are in nm here. As a table of limits is no prior, and as the scale of a
curve is unknown:

- a quantity that cannot be negative, as no length can, and has no upper limit is
  log-uniform from a tenth of its default to ten times that, within its limits; one with
  two limits is uniform between them, or log-uniform if they are far apart; any other is
  uniform about its default;
- the density of the solvent and that of the first other phase keep their defaults;
- the first quantity that may be polydisperse gets a log-normal spread, ``NAME_pd``,
  which is the standard deviation of its logarithm, 0.01 to 0.3; all others are equal;
- numbers that choose between cases, orientation and magnetism keep their defaults.

A derivative of a curve is a difference of curves, which costs two for each unknown. It
is slow: tens to thousands of curves a second.
"""

import functools
import math
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from jaxtyping import Float, Int
from numpy import ndarray
from torch import Tensor

from saxinfer.parameter import Parameter, ParameterSpace
from saxinfer.structures.base import Structure

if TYPE_CHECKING:
    from sasmodels.kernel import KernelModel
    from sasmodels.modelinfo import ModelInfo
    from sasmodels.modelinfo import Parameter as TableRow

__all__ = ["PREFIX", "FromSasmodels"]

PREFIX = "sasmodels:"

# Distance of two nodes of a distribution at most, in standard deviations, and for a
# length so many to a half turn of the curve at the largest q; and most nodes.
SPREAD_STEP, EACH_TURN, MOST_NODES = 0.5, 2, 500

# How far a distribution reaches in standard deviations of the logarithm, beyond where
# its product with this power of the value is largest: that of a small sphere.
SPREAD_REACH, POWER = 5.0, 6

# Relative step of a difference.
STEP = 1e-5

# Smallest intensity of a curve, in units of its largest.
LEAST = 1e-12

# A range between limits this far apart is log-uniform.
WIDE = 30.0


@dataclass(frozen=True)
class _Unknown:
    """One unknown, and by what its value is multiplied for sasmodels."""

    parameter: Parameter
    factor: float


class FromSasmodels(Structure):
    """A model of sasmodels.

    Args:
        name: What sasmodels calls it, such as ``cylinder`` or ``sphere@hardsphere``.

    Raises:
        ValueError: If sasmodels is not installed, or has no such model.
    """

    def __init__(self, name: str) -> None:
        info = _info(name)
        unknowns = tuple(_unknowns(info))
        if not unknowns:
            raise ValueError(
                f"'{PREFIX}{name}' has no unknown but its scale: there is nothing to "
                "infer. Take another model."
            )
        self._model = name
        self._factors = tuple(unknown.factor for unknown in unknowns)
        self.name = f"{PREFIX}{name}"
        self.title = f"{info.title.strip().rstrip('.')} (sasmodels)"
        self.references = ("SasView's sasmodels, https://www.sasview.org",)
        self.space = ParameterSpace(tuple(unknown.parameter for unknown in unknowns))
        # Column of the spread; what it is a spread of stands before it.
        names = self.space.names
        self._spread = next((i for i, n in enumerate(names) if n.endswith("_pd")), None)

    def __reduce__(self) -> tuple[type["FromSasmodels"], tuple[str]]:
        # Compiled kernels stay where they are; a process of its own loads its own.
        return FromSasmodels, (self._model,)

    def intensity(
        self, q: Float[Tensor, "*curves q"], theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch q"]:
        """Intensity at the defaults of what is fixed, a unit of scale [1/cm].

        Raises:
            ValueError: If the model has to be compiled and cannot be.
        """
        grid, rows = (part.detach().double() for part in (q, theta))
        found = self._curves(grid, rows).to(theta.dtype)
        if not (torch.is_grad_enabled() and theta.requires_grad):
            return found
        for index, column in enumerate(theta.unbind(-1)):
            step = torch.zeros_like(rows)
            step[:, index] = STEP * rows[:, index].abs().clamp(min=1e-3)
            # With as many nodes as the curve itself has: others would differ by more.
            more, less = (
                self._curves(grid, moved, like=rows)
                for moved in (rows + step, rows - step)
            )
            change = more - less
            slope = (change / (2 * step[:, index, None])).to(theta.dtype)
            # Nothing is added but the derivative.
            found = found + slope * (column - column.detach())[:, None]
        return found

    def _curves(self, q: Tensor, theta: Tensor, like: Tensor | None = None) -> Tensor:
        """The same, with no derivative; what has no value counts as next to nothing.

        Args:
            q: One grid or one a row [1/nm].
            theta: Values.
            like: Values whose distributions have as many nodes; ``theta`` if left out.
        """
        # Loaded and compiled once, before threads share it.
        _model(self._model)
        count = max(1, min(torch.get_num_threads(), len(theta)))
        parts = list(torch.arange(len(theta)).tensor_split(count))
        grids = [q if q.ndim == 1 else q[rows] for rows in parts]
        nodes = self._nodes(q, theta if like is None else like)
        # Compiled code runs beside that of other threads.
        with ThreadPoolExecutor(count) as pool:
            some = [theta[rows] for rows in parts], [nodes[rows] for rows in parts]
            found = list(pool.map(self._some, grids, *some))
        curves = np.concatenate(found).reshape(len(theta), q.shape[-1])
        # Some models leave their range within these limits.
        curves = np.where(np.isfinite(curves), curves, 0.0)
        floor = LEAST * curves.max(-1, keepdims=True).clip(min=LEAST)
        return torch.from_numpy(np.maximum(curves, floor))

    def _some(self, q: Tensor, theta: Tensor, nodes: Tensor) -> Float[ndarray, "row q"]:
        """Curves as sasmodels gives them, with kernels of their own."""
        from sasmodels.direct_model import call_kernel

        model, kernel, last = _model(self._model), None, b""
        found = np.empty((len(theta), q.shape[-1]))
        rows = zip(theta.tolist(), nodes.tolist(), strict=True)
        for row, (values, count) in enumerate(rows):
            grid = np.ascontiguousarray(0.1 * (q if q.ndim == 1 else q[row]).numpy())
            if kernel is None or grid.tobytes() != last:
                kernel, last = model.make_kernel([grid]), grid.tobytes()
            with np.errstate(all="ignore"):
                found[row] = call_kernel(kernel, self._settings(values, count))
        return found

    def _nodes(self, q: Tensor, theta: Tensor) -> Int[Tensor, " row"]:
        """Number of nodes of the distribution in each row; sasmodels drops negatives.

        Fringes of a length are resolved up to the largest q.
        """
        if self._spread is None:
            return torch.zeros(len(theta), dtype=torch.int64)
        value, spread = theta[:, self._spread - 1], theta[:, self._spread]
        step = torch.full_like(spread, SPREAD_STEP)
        if self.space.parameters[self._spread - 1].unit == "nm":
            turn = math.pi / (EACH_TURN * q.amax(-1) * value.abs())
            step = torch.minimum(step, turn / spread)
        count = (2 * _reach(spread) / step).ceil().long() + 1
        return count.clamp(max=MOST_NODES)

    def _settings(self, values: list[float], nodes: int) -> dict[str, Any]:
        """Arguments of sasmodels for one curve."""
        settings: dict[str, Any] = {"scale": 1.0, "background": 0.0}
        columns = zip(self.space.names, values, self._factors, strict=True)
        for name, value, factor in columns:
            settings[name] = value * factor
            if name.endswith("_pd"):
                spread = torch.tensor(value, dtype=torch.float64)
                settings |= {
                    f"{name}_n": nodes,
                    f"{name}_nsigma": float(_reach(spread)),
                    f"{name}_type": "lognormal",
                }
        return settings


def _reach(spread: Tensor) -> Tensor:
    """How far a distribution reaches to either side of its median, in that spread.

    For sasmodels the spread of the logarithm is that of the value over its median too.
    """
    return torch.expm1(spread * (SPREAD_REACH + POWER * spread)) / spread


@functools.cache
def _info(name: str) -> "ModelInfo":
    """The table of a model."""
    try:
        from sasmodels.core import list_models, load_model_info
    except ImportError as error:
        raise ValueError(
            f"'{PREFIX}{name}' needs sasmodels. Install it with "
            "pip install 'saxinfer[sasmodels]'."
        ) from error
    known = list_models()
    parts = re.split(r"[@+*]", name)
    if missing := [part for part in parts if part not in known]:
        raise ValueError(
            f"sasmodels has no model '{missing[0]}'. Its {len(known)} models are "
            f"{', '.join(known)}."
        )
    return load_model_info(name)


@functools.cache
def _model(name: str) -> "KernelModel":
    """The compiled model, in double precision."""
    from sasmodels.core import load_model

    try:
        return load_model(name, dtype="double", platform="dll")
    except (OSError, RuntimeError) as error:
        raise ValueError(
            f"sasmodels could not compile '{name}': it needs a C compiler. Install "
            "one (gcc on Linux, Xcode's tools on macOS, tinycc from pip on Windows). "
            f"It said: {' '.join(str(error).split())[:200]}"
        ) from error


def _unknowns(info: "ModelInfo") -> Iterator[_Unknown]:
    """What is unknown, in the order of the table."""
    densities = [p for p in info.parameters.call_parameters if p.type == "sld"]
    solvents = [p for p in densities if "solvent" in p.name]
    others = [p for p in densities if p not in solvents]
    held = {p.name for p in (*solvents, *others[:1])}
    if any(p.name == "radius_effective_mode" for p in info.parameters.call_parameters):
        # It follows from the particle.
        held.add("radius_effective")
    spread = ""
    for each in info.parameters.call_parameters:
        skipped = each.name in {"scale", "background"} | held
        case = each.is_control or bool(each.choices)
        if skipped or case or each.type in ("orientation", "magnetic"):
            continue
        if each.name[-1].isdigit() and _beyond_default(info, each):
            continue
        yield _unknown(each)
        if each.polydisperse and each.type == "volume" and not spread:
            spread = f"{each.name}_pd"
            meaning = f"Log-normal spread of {each.name}."
            law = Parameter(spread, "1", 0.01, 0.3, meaning, "log-uniform")
            yield _Unknown(law, 1.0)


def _beyond_default(info: "ModelInfo", each: "TableRow") -> bool:
    """Whether it is of a layer that the default number of layers does not reach."""
    table = {p.id: p for p in info.parameters.kernel_parameters}
    for base in table.values():
        numbered = re.fullmatch(re.escape(base.id) + r"(\d+)", each.name)
        if base.length > 1 and numbered:
            control = table.get(base.length_control)
            layers = 1.0 if control is None else float(control.default)
            return int(numbered[1]) > max(1, round(layers))
    return False


def _unknown(each: "TableRow") -> _Unknown:
    """Unit, limits and prior of one."""
    unit, factor = _in_nm(each.units or "")
    low, high = (float(edge) / factor for edge in each.limits)
    middle = float(each.default) / factor
    if "nm" in unit and middle > 0:
        low = max(low, 0.0)
    name = each.name.replace("_", " ")
    words = " ".join((each.description or name).split())
    meaning = words[0].upper() + words[1:].rstrip(".") + "."
    if low >= 0 and middle > 0 and not (math.isfinite(high) and high < WIDE * middle):
        span = max(low, 0.1 * middle), min(high, 10 * middle)
        law = Parameter(each.name, unit, *span, meaning, "log-uniform")
    elif math.isfinite(low) and math.isfinite(high):
        law = Parameter(each.name, unit, low, high, meaning)
    else:
        width = max(abs(middle), 1.0)
        span = max(low, middle - 3 * width), min(high, middle + 3 * width)
        law = Parameter(each.name, unit, *span, meaning)
    return _Unknown(law, factor)


def _in_nm(unit: str) -> tuple[str, float]:
    """The unit with lengths in nm, and its size in the unit of the table."""
    power = 0
    for sign, exponent in re.findall(r"(/?)Ang(?:\^(\d+))?", unit):
        power += int(exponent or 1) * (-1 if sign else 1)
    if unit == "1e-6/Ang^2":
        # Densities stay as they are known.
        return "10⁻⁶/Å²", 1.0
    plain = unit.lower() in ("", "none")
    return ("1" if plain else unit.replace("Ang", "nm").replace("^", "")), 10.0**power
