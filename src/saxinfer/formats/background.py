"""Subtracting the scattering of solvent, can or air from a curve."""

from dataclasses import replace
from pathlib import Path
from typing import Final

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.curve import Curve, Remark
from saxinfer.formats.error import FormatError
from saxinfer.formats.table import FEWEST_POINTS

__all__ = ["subtract"]

_SAME_Q: Final = 1e-6  # relative; text files round q at the sixth digit


def subtract(curve: Curve, background: Curve, scale: float = 1.0) -> Curve:
    """Returns the curve minus a background, with the errors of both.

    I = I_curve − scale · I_background,  σ² = σ_curve² + scale² · σ_background²

    Where the two were measured at different q, the background is interpolated
    linearly, and its errors with it: between two points with weights 1−w and w the
    variance is (1−w)² σ₀² + w² σ₁². Points outside of the background's range are
    left out.

    Args:
        curve: What was measured with the sample.
        background: What was measured without it, in the same unit of intensity.
        scale: Factor of the background (ratio of transmissions or volume fractions).

    Returns:
        The difference, on those q of ``curve`` that the background covers; without
        errors if one of the two has none.

    Raises:
        FormatError: If fewer than ten points of the curve lie within the background.
    """
    inside = _within(curve.q, background.q)
    if int(inside.sum()) < FEWEST_POINTS:
        raise FormatError(
            f"{Path(curve.file).name or curve.name}: at least {FEWEST_POINTS} points "
            f"must lie within the background '{background.name}' (q = "
            f"{background.q[0]:.4g} to {background.q[-1]:.4g} 1/nm), but "
            f"{int(inside.sum())} of {len(curve)} do."
        )
    kept = _restricted(curve, inside)
    intensity, variance, interpolated = _at(kept.q, background)
    sigma = None
    if kept.sigma is not None and variance is not None:
        sigma = (kept.sigma**2 + scale**2 * variance).sqrt()
    remarks = _remarks(curve, background, kept, interpolated)
    return replace(
        kept,
        intensity=kept.intensity - scale * intensity,
        sigma=sigma,
        dropped=curve.dropped + len(curve) - len(kept),
        remarks=(
            *curve.remarks,
            Remark(f"The background '{background.name}' was subtracted ({scale:g} x)."),
            *remarks,
        ),
    )


def _within(q: Float[Tensor, "q"], other: Float[Tensor, "p"]) -> Tensor:
    return (q >= other[0] * (1 - _SAME_Q)) & (q <= other[-1] * (1 + _SAME_Q))


def _restricted(curve: Curve, inside: Tensor) -> Curve:
    return replace(
        curve,
        q=curve.q[inside],
        intensity=curve.intensity[inside],
        sigma=None if curve.sigma is None else curve.sigma[inside],
        resolution=None if curve.resolution is None else curve.resolution[inside],
    )


def _at(
    q: Float[Tensor, "q"], background: Curve
) -> tuple[Float[Tensor, "q"], Float[Tensor, "q"] | None, bool]:
    """Returns intensity and variance of the background at q, and if interpolated."""
    right = torch.searchsorted(background.q, q).clamp(1, len(background) - 1)
    left = right - 1
    step = background.q[right] - background.q[left]
    weight = ((q - background.q[left]) / step).clamp(0, 1)
    # A point of the background that is the same q, but for rounding, is taken as is.
    weight = torch.where(_near(q, background.q[left]), 0.0, weight)
    weight = torch.where(_near(q, background.q[right]), 1.0, weight)
    interpolated = bool(((weight > 0) & (weight < 1)).any())
    i_left, i_right = background.intensity[left], background.intensity[right]
    intensity = (1 - weight) * i_left + weight * i_right
    if background.sigma is None:
        return intensity, None, interpolated
    s_left, s_right = background.sigma[left], background.sigma[right]
    variance = ((1 - weight) * s_left) ** 2 + (weight * s_right) ** 2
    return intensity, variance, interpolated


def _near(q: Float[Tensor, "q"], other: Float[Tensor, "q"]) -> Tensor:
    return (q - other).abs() <= _SAME_Q * q


def _remarks(
    curve: Curve, background: Curve, kept: Curve, interpolated: bool
) -> list[Remark]:
    remarks = []
    if interpolated:
        text = "The background was interpolated linearly at the q of the curve."
        remarks.append(Remark(text))
    outside = len(curve) - len(kept)
    if outside:
        text = f"{outside} points outside of the background's range are left out."
        remarks.append(Remark(text))
    if (curve.sigma is None) != (background.sigma is None):
        which = "curve" if curve.sigma is None else "background"
        text = f"The {which} has no error bars, so the difference has none."
        remarks.append(Remark(text, "sigma"))
    if curve.intensity_unit != background.intensity_unit:
        text = (
            f"The curve states its intensity in {curve.intensity_unit}, the background "
            f"in {background.intensity_unit}."
        )
        remarks.append(Remark(text))
    known = {(remark.text, remark.kind) for remark in curve.remarks}
    for remark in background.remarks:
        if remark.kind in ("axis", "slit") and (remark.text, remark.kind) not in known:
            remarks.append(Remark(f"Of the background: {remark.text}", remark.kind))
    return remarks
