"""Curves with known values, as a regressor learns from them.

They are simulated here, each from a draw of the prior seen by an instrument of the
standard or of the hard tier, or read from a library. Either way a curve takes the path
of a measured one, :func:`~saxinfer.preprocess.prepare.prepare` and then
:func:`~saxinfer.preprocess.features.features`, so that what holds for it holds for a
measured one of its kind. Each simulated curve depends on the seed and on its own index
only.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from numpy import ndarray
from torch import Generator, Tensor

from saxinfer.curve import Curve
from saxinfer.instrument.nuisance import log_q_weights
from saxinfer.instrument.tiers import POINTS, Tier, draw_setting, measure
from saxinfer.parameter import Parameter
from saxinfer.posterior import Kind, Quantity
from saxinfer.preprocess.features import features
from saxinfer.preprocess.prepare import Prepared, prepare
from saxinfer.structures.base import Structure

__all__ = ["Labelled", "from_library", "quantities_of", "seen_of", "simulated"]

Progress = Callable[[int, int, str], None]

# Curves between two reports of progress.
EVERY = 100


@dataclass(frozen=True, eq=False)
class Labelled:
    """Curves and the values behind them.

    Attributes:
        quantities: What is known of each curve, with the ranges it was drawn from.
        x: Features, one row a curve.
        y: Values of the quantities, each in its unit.
        source: Where the curves are from, in words.
        errors: Where their error bars are from, in words.
    """

    quantities: tuple[Quantity, ...]
    x: Float[ndarray, "curve feature"]
    y: Float[ndarray, "curve quantity"]
    source: str
    errors: str

    def __post_init__(self) -> None:
        shape = (len(self.x), len(self.quantities))
        if self.y.shape != shape:
            raise ValueError(
                f"{shape[0]} curves with {shape[1]} quantities need as many rows and "
                f"columns of values, got {self.y.shape[0]} and {self.y.shape[1]}."
            )


def quantities_of(structure: Structure) -> tuple[Quantity, ...]:
    """Parameters, dependent columns and derived quantities of a structure."""

    def described(p: Parameter, kind: Kind, low: float, high: float) -> Quantity:
        logarithmic = p.prior == "log-uniform"
        return Quantity(p.name, p.unit, p.meaning, kind, low, high, logarithmic)

    space = structure.space
    return (
        *(described(p, "parameter", *space.bounds(p.name)) for p in space),
        *(described(p, "parameter", p.low, p.high) for p in structure.dependent),
        *(described(p, "derived", p.low, p.high) for p in structure.derived),
    )


def seen_of(prepared: Prepared) -> Float[ndarray, " feature"]:
    """What a regressor sees of a prepared curve."""
    curve = prepared.curve
    channels = features(curve.q[None], curve.intensity[None], prepared.sigma[None])
    row: ndarray = channels[0].flatten().numpy()
    return row


def simulated(
    structure: Structure,
    count: int,
    seed: int,
    progress: Progress = lambda done, total, note: None,
) -> Labelled:
    """Draws curves from the prior, each seen by an instrument of its own.

    Args:
        structure: The model.
        count: Number of curves.
        seed: Seed of parameters, instruments and noise.
        progress: Called now and then with curves done, all curves, and a note.
    """
    rows, thetas = [], []
    with _one_thread():
        for index in range(count):
            theta, prepared = _drawn(structure, seed, index)
            rows.append(seen_of(prepared))
            thetas.append(theta)
            if (index + 1) % EVERY == 0 or index + 1 == count:
                progress(index + 1, count, "curves")
    return Labelled(
        quantities=quantities_of(structure),
        x=np.stack(rows),
        y=_values(structure, torch.cat(thetas)),
        source=(
            "simulated from the prior; standard and hard tier, half each "
            "(saxinfer.instrument.tiers)"
        ),
        errors="as drawn with each instrument",
    )


def from_library(
    path: Path,
    structure: Structure,
    most: int | None = None,
    progress: Progress = lambda done, total, note: None,
) -> Labelled:
    """Reads curves and their parameters from a library of ``saxinfer simulate``.

    Args:
        path: The library.
        structure: The model it was made of.
        most: Use no more than so many of its curves, the first ones.
        progress: Called now and then with curves done, all curves, and a note.

    Raises:
        ImportError: If xarray or zarr is missing.
        LibraryError: If it is no library, or not complete.
        ValueError: If it is one of another model.
    """
    from saxinfer.library import open_library

    data = open_library(path)
    model = json.loads(data.attrs["recipe"])["model"]
    if model != structure.name:
        raise ValueError(
            f"{path} is a library of '{model}', but '{structure.name}' is to be "
            f"learnt. Make one with 'saxinfer simulate {structure.name}'."
        )
    theta = torch.stack([_tensor(data[n][:most]) for n in structure.space.names], -1)
    q, intensity = _tensor(data["q"]), _tensor(data["intensity"][:most])
    stated = "sigma" in data.variables
    sigma = _tensor(data["sigma"][:most]) if stated else None
    rows = []
    for index, values in enumerate(intensity):
        errors = None if sigma is None else sigma[index]
        rows.append(seen_of(prepare(Curve(q, values, errors))))
        if (index + 1) % EVERY == 0 or index + 1 == len(intensity):
            progress(index + 1, len(intensity), "curves")
    return Labelled(
        quantities=tuple(_narrowed(each, data) for each in quantities_of(structure)),
        x=np.stack(rows),
        y=_values(structure, theta),
        source=f"library {path.name}: {data.attrs['command']}",
        errors="of the library" if stated else "estimated from the scatter of points",
    )


def _narrowed(quantity: Quantity, data: Any) -> Quantity:  # noqa: ANN401
    """A quantity within the range that a library was drawn from."""
    about = data[quantity.name].attrs
    return replace(quantity, prior_low=about["low"], prior_high=about["high"])


def _tensor(column: Any) -> Tensor:  # noqa: ANN401
    return torch.from_numpy(np.array(column, dtype=np.float64))


def _values(structure: Structure, theta: Tensor) -> ndarray:
    """All quantities of parameter vectors."""
    parts = (
        theta,
        structure.dependent_values(theta),
        structure.derived_values(theta),
    )
    values: ndarray = torch.cat(parts, 1).numpy()
    return values


@contextmanager
def _one_thread() -> Iterator[None]:
    """One curve at a time is too little for several threads, which then get in the way.

    Beside another job two can take seven times as long as one.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _drawn(structure: Structure, seed: int, index: int) -> tuple[Tensor, Prepared]:
    """One curve; drawn again in the rare case that a fit would refuse it."""
    state = np.random.SeedSequence(seed, spawn_key=(index,)).generate_state(1)
    generator = Generator().manual_seed(int(state[0]))
    while True:
        theta = structure.space.sample(1, generator)
        curve = _measured(structure, theta, generator)
        if float((curve.intensity * log_q_weights(curve.q)).sum()) > 0:
            return theta, prepare(curve)


def _measured(structure: Structure, theta: Tensor, generator: Generator) -> Curve:
    """A curve seen by an instrument of either tier."""
    tier: Tier = "standard" if torch.rand(1, generator=generator) < 0.5 else "hard"
    fewest, most = POINTS[tier]
    share = float(torch.rand(1, generator=generator))
    points = round(fewest * (most / fewest) ** share)
    setting = draw_setting(tier, 1, points, generator)
    clean = structure.intensity(setting.q, theta).clamp(min=1e-300)
    measured = measure(clean, setting, generator)
    return Curve(
        q=measured.q[0], intensity=measured.intensity[0], sigma=measured.sigma[0]
    )
