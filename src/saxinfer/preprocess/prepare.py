"""From a curve as loaded to the points that are fitted.

The range of q is applied, errors are estimated where none were measured, and more
points than any analysis needs are averaged in groups of neighbours.
"""

from dataclasses import dataclass, replace
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.curve import Curve, Remark
from saxinfer.instrument.groups import Groups
from saxinfer.instrument.observation import Observation
from saxinfer.instrument.tiers import Q_MAX, Q_MIN
from saxinfer.preprocess.noise import estimated_sigma

__all__ = ["FEWEST", "MOST", "Prepared", "prepare"]

# Fewer points than the first are refused, more than the second are averaged.
FEWEST, MOST = 10, 400

# Of more points than this, the model is not worked out at each.
MEMBERS = 4000

# Standard errors by which a group must differ from a flat one.
SURE = 3.0


@dataclass(frozen=True, eq=False)
class Prepared:
    """A curve ready to be fitted.

    Attributes:
        curve: The points that are fitted, as a curve with errors.
        sigma: Their standard errors.
        sigma_source: Whether the file gave them.
        groups: Of what the points are the means; None if nothing was averaged.
    """

    curve: Curve
    sigma: Float[Tensor, " q"]
    sigma_source: Literal["measured", "estimated"]
    groups: Groups | None = None

    def observation(self) -> Observation:
        """What a likelihood sees of the curve.

        Raises:
            ValueError: If the mean intensity over ln q is not positive.
        """
        curve = self.curve
        return Observation.of(
            curve.q,
            curve.intensity,
            self.sigma,
            curve.resolution,
            self.sigma_source,
            self.groups,
        )


def prepare(
    curve: Curve, q_range: tuple[float | None, float | None] | None = None
) -> Prepared:
    """Applies the range of q, fills in errors, averages what is too dense.

    Args:
        curve: The curve as loaded.
        q_range: Smallest and largest q to use [1/nm]; None for no limit.

    Raises:
        ValueError: If fewer than ten points are left.
    """
    low, high = q_range or (None, None)
    wanted = (Q_MIN if low is None else low, Q_MAX if high is None else high)
    low, high = max(wanted[0], Q_MIN), min(wanted[1], Q_MAX)
    inside = (curve.q >= low) & (curve.q <= high)
    count = int(inside.sum())
    if count < FEWEST:
        raise ValueError(
            f"{count} of {len(curve)} points lie between {low:.4g} and {high:.4g} "
            f"1/nm, {FEWEST} are needed. Widen --q-range, or check the unit of q."
        )
    remarks = curve.remarks
    cut = int(((curve.q < Q_MIN) | (curve.q > Q_MAX)).sum())
    if cut and q_range is None:
        remarks += (
            Remark(
                f"{cut} of {len(curve)} points lie outside of {Q_MIN:g} to {Q_MAX:g} "
                "1/nm, where the models are not meant, and were not fitted."
            ),
        )
    used = replace(
        curve,
        q=curve.q[inside],
        intensity=curve.intensity[inside],
        sigma=None if curve.sigma is None else curve.sigma[inside],
        resolution=None if curve.resolution is None else curve.resolution[inside],
        dropped=curve.dropped + len(curve) - count,
        remarks=remarks,
    )
    measured = used.sigma is not None
    sigma = used.sigma if used.sigma is not None else estimated_sigma(used.intensity)
    groups = None
    if count > MOST:
        used, sigma, groups = _averaged(used, sigma)
    if not measured and not any(r.kind == "sigma" for r in used.remarks):
        text = "The file gives no errors; they were estimated from the scatter."
        used = replace(used, remarks=(*used.remarks, Remark(text, "sigma")))
    source: Literal["measured", "estimated"] = "measured" if measured else "estimated"
    return Prepared(used, sigma, source, groups)


def _averaged(curve: Curve, sigma: Tensor) -> tuple[Curve, Tensor, Groups]:
    """Means of groups of neighbours, weighed by their precision.

    Groups are as even in a coordinate half way between index and ln q as whole points
    allow, so that neither a linear nor a logarithmic grid loses its sparse end.
    """
    count = len(curve)
    place = torch.linspace(0, 1, count, dtype=curve.q.dtype)
    log_q = (curve.q / curve.q[0]).log() / (curve.q[-1] / curve.q[0]).log()
    cell = (place + log_q) / 2 * MOST * 0.999
    index = torch.unique_consecutive(cell.long(), return_inverse=True)[1]
    size = int(index[-1]) + 1
    # Weights from the running mean of the errors: one lucky point rules no group.
    number = _sums(torch.ones_like(sigma), index)
    precision = 1 / (sigma + (_sums(sigma, index) / number)[index]).square()
    share = precision / _sums(precision, index)[index]

    def mean(values: Tensor) -> Tensor:
        return _sums(share * values, index)

    error = _sums((share * sigma).square(), index).sqrt()
    intensity = mean(curve.intensity)
    text = f"{count} points were averaged to {size} in groups of neighbours."
    reduced = replace(
        curve,
        q=mean(curve.q),
        intensity=intensity,
        sigma=None if curve.sigma is None else error,
        resolution=None if curve.resolution is None else mean(curve.resolution),
        remarks=(*curve.remarks, Remark(text)),
    )
    members = _members(share, curve.intensity, sigma, index)
    groups = Groups(curve.q, share, index, curve.resolution, members)
    return reduced, error, groups if count <= MEMBERS else _pooled(groups, cell)


def _sums(values: Tensor, index: Tensor) -> Tensor:
    """Sums over groups."""
    return values.new_zeros(int(index[-1]) + 1).index_add(0, index, values)


def _members(share: Tensor, intensity: Tensor, sigma: Tensor, index: Tensor) -> Tensor:
    """Effective number of points in each mean, for errors relative to the curve.

    An error of f I at every point is one of f sqrt(sum w² I²) of the mean: more than
    that of a flat curve where a group spans a fringe. What the noise adds to the sum is
    taken off; a group counts as flat unless it differs by ``SURE`` standard errors.
    """
    flat = _sums(share.square(), index)
    mean = _sums(share * intensity, index).square()
    weight, variance = share.square(), sigma.square()
    square = _sums(weight * (intensity.square() - variance), index)
    noise = 4 * intensity.square() * variance + 2 * variance.square()
    error = _sums(weight.square() * noise, index).sqrt()
    uneven = square > mean * flat + SURE * error
    return torch.where(uneven, mean / square, 1 / flat).clamp(min=1.0)


def _pooled(groups: Groups, cell: Tensor) -> Groups:
    """Groups of a great many points, tenths of each taken as one."""
    index = torch.unique_consecutive((10 * cell).long(), return_inverse=True)[1]
    share = _sums(groups.share, index)

    def mean(values: Tensor) -> Tensor:
        return _sums(groups.share * values, index) / share

    first = torch.cat([index.new_ones(1), torch.diff(index)]) > 0
    resolution = groups.resolution
    return replace(
        groups,
        q=mean(groups.q),
        share=share,
        index=groups.index[first],
        resolution=None if resolution is None else mean(resolution),
    )
