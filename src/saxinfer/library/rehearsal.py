"""Finds out beforehand whether the box can hold what the prior asks for.

A model tells at no cost whether a box can hold a structure, so that the curves of a
library can be tried in no time. If some fail, the share of the prior that does not is
found by trying many, and the parameters that narrow to it.
"""

import math

import numpy as np
from numpy import ndarray
from torch import Tensor

from saxinfer.library.drawn_curves import rings_of, told
from saxinfer.library.draws import drawn_parameters
from saxinfer.library.error import LibraryError
from saxinfer.library.recipe import Recipe

__all__ = ["rehearse"]

# Most curves that are tried, and as many to find out what to narrow.
MOST, MANY = 4000, 600

# How much worse it is to let one in that fails than to keep one out that does not: in
# the first round of narrowing, and by which factor it grows from round to round.
PENALTY, GROWTH, ROUNDS = 0.25, 4.0, 8


def rehearse(recipe: Recipe) -> None:
    """Tries the curves of a recipe, before anything is written.

    Raises:
        LibraryError: If the box cannot hold some, with what to narrow, or cannot be
            trusted at the recipe's q.
    """
    if recipe.box is None:
        drawn_parameters(recipe.space, recipe.seed, range(recipe.block))
        return
    try:
        rings_of(recipe)
    except ValueError as error:
        raise LibraryError(" ".join(str(error).split())) from None
    theta, reasons = _tried(recipe, min(recipe.count, MOST))
    if any(reasons):
        index = next(n for n, reason in enumerate(reasons) if reason)
        raise LibraryError(
            f"curve {index} ({told(recipe, theta[index])}) cannot be drawn: "
            f"{reasons[index]}{_advice(recipe)}"
        )


def _tried(recipe: Recipe, count: int) -> tuple[Tensor, list[str]]:
    """Parameters of the first curves, and why each cannot be drawn, or ""."""
    theta = drawn_parameters(recipe.space, recipe.seed, range(count))
    return theta, [_refusal(recipe, row) for row in theta]


def _refusal(recipe: Recipe, theta: Tensor) -> str:
    """Why the box cannot hold a structure, or ""."""
    assert recipe.box is not None
    try:
        recipe.structure.refuse_unfit(theta, recipe.box.grid)
    except ValueError as error:
        return " ".join(str(error).split())
    return ""


def _advice(recipe: Recipe) -> str:
    """The ranges to type behind -p, if narrowing parameters one by one helps."""
    ranges: dict[str, str] = {}
    narrowed = recipe
    for number in range(ROUNDS):
        theta, reasons = _tried(narrowed, MANY)
        if not any(reasons):
            return f" Or narrow the prior: {' '.join(ranges.values())}."
        penalty = -PENALTY * GROWTH**number
        gain = np.where([not reason for reason in reasons], 1.0, penalty)
        found = _narrowing(narrowed, theta.numpy(), gain)
        if found is not None:
            name, low, high = found
            ranges[name] = f"-p {name}={low:g}..{high:g}"
            narrowed = narrowed.narrowed(name, low, high)
    return ""


def _narrowing(
    recipe: Recipe, theta: ndarray, gain: ndarray
) -> tuple[str, float, float] | None:
    """The parameter, and the range of it, within which the sum of gains is largest."""
    best, found = 0.0, None
    for column, parameter in enumerate(recipe.space):
        order = np.argsort(theta[:, column])
        start, stop, total = _heaviest_stretch(gain[order])
        if parameter.fixed or total <= best:
            continue
        values, (low, high) = theta[order, column], recipe.space.bounds(parameter.name)
        if start > 0:
            low = float(values[start])
        if stop < len(values):
            high = float(values[stop - 1])
        low, high = _rounded(low, up=True), _rounded(high, up=False)
        if low < high and stop - start < len(values):
            best, found = total, (parameter.name, low, high)
    return found


def _heaviest_stretch(gain: ndarray) -> tuple[int, int, float]:
    """Start, stop and sum of the stretch with the largest sum."""
    before = np.concatenate([[0.0], np.cumsum(gain)])
    lowest = np.minimum.accumulate(before)
    stop = int(np.argmax(before - lowest))
    start = int(np.argmin(before[: stop + 1]))
    return start, stop, float(before[stop] - before[start])


def _rounded(value: float, *, up: bool) -> float:
    """As it is if it is short, else two digits, towards the inside."""
    if float(f"{value:g}") == value:
        return value
    unit = 10.0 ** (math.floor(math.log10(abs(value))) - 1) if value else 1.0
    return float(f"{(math.ceil if up else math.floor)(value / unit) * unit:.12g}")
