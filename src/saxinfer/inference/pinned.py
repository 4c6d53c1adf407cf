r"""A posterior whose tight parameters follow from the loose ones.

Where a curve tells some parameters far better than others, its posterior is a thin
sheet, bent as the well known ones, T, depend on the rest, L. No mixture in all of them
covers it: tails of the sheet are missed without a sign. The marginal posterior of L is
wide and smooth, however, and given L the others have one narrow mode. So L is drawn
from a mixture, the mode of T given L is climbed to, and T is drawn from a Student t
distribution there,

.. math:: q(L, T) = q(L) \, t(T \mid m(L), V(L)),

whose density is known exactly, as m and V follow from L without chance: both come from
steps of Fisher scoring, from where the nearest known places of the sheet lead.

Where known places say that there are two modes given L, two are climbed to, and t is a
sum of two. There may be more than that: a share of all draws comes from a mixture in
all columns, and every draw is weighed with the density of both.

References:
    Tierney & Kadane, J. Am. Stat. Assoc. 81, 82 (1986), and Rue, Martino & Chopin,
    J. R. Stat. Soc. B 71, 319 (2009): conditional modes, and normals there.
    Veach & Guibas, SIGGRAPH 95, 419 (1995): several proposals, weighed by their sum.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.climb import Summits
from saxinfer.inference.direct import Batch
from saxinfer.inference.expansion import expansion
from saxinfer.inference.mixture import (
    StudentMixture,
    student_log_density,
    student_steps,
)
from saxinfer.inference.target import Target

__all__ = ["Guarded", "Modes", "Pinned"]

# Places no more than this much worse than the best [nats] lie on the sheet.
NEAR = 12.0

# Largest conditional standard deviation, in latent units, and number of tight columns.
TIGHT, MOST = 0.2, 3

# Steps of the climb to a conditional mode.
STEPS = 2

# Places that are looked from for each mode; latent distance squared that a better fit
# by one nat is worth; the farthest that the nearest one leads, and that a step goes.
STARTS, WORTH, FARTHEST, LONGEST = 3, 0.1, 1.0, 0.5

# Largest share of good places, by so many nats, that one mode may miss, by so many of
# its scales.
GOOD, MISSED, FAR = 8.0, 0.05, 5.0

# Starts closer than this are of the same mode, in latent units, and modes closer than
# so many scales.
SAME, NEXT = 0.03, 2.0

# Power of the modes' evidence that their shares follow, and the least share.
POWER, LEAST = 0.7, 0.05

# Largest gain of a step that is believed [nats].
FORESIGHT = 5.0

# Latent distance from the centre beyond which nothing is looked for.
EDGE = 4.5

# Widening of the scale matrix, and what is added to a correlation matrix.
WIDEN, TINY = 1.15, 1e-10

# Share of the draws that come from a mixture in all columns.
GUARD = 0.15


@dataclass(frozen=True, eq=False)
class Modes:
    """What the tight columns are drawn from: a sum of Student t distributions.

    Attributes:
        middles: Conditional modes.
        factors: Lower Cholesky factors of the scale matrices.
        shares: Of each mode; they sum to one.
    """

    middles: Float[Tensor, "batch mode tight"]
    factors: Float[Tensor, "batch mode tight tight"]
    shares: Float[Tensor, "batch mode"]

    def rows(self, rows: slice) -> "Modes":
        """Some of the batch."""
        return Modes(self.middles[rows], self.factors[rows], self.shares[rows])

    def sample(self, generator: Generator) -> Float[Tensor, "batch tight"]:
        """A draw for each row."""
        rows = torch.arange(len(self.shares))
        which = torch.multinomial(self.shares, 1, generator=generator)[:, 0]
        step = student_steps(self.factors[rows, which], generator)
        return self.middles[rows, which] + step

    def squares(
        self, tight: Float[Tensor, "batch tight"]
    ) -> Float[Tensor, "batch mode"]:
        """Squared distances from the modes, in their scales."""
        gap = (tight[:, None] - self.middles)[..., None]
        scaled = torch.linalg.solve_triangular(self.factors, gap, upper=False)
        square: Tensor = scaled[..., 0].square().sum(-1)
        return square

    def log_density(
        self, tight: Float[Tensor, "batch tight"]
    ) -> Float[Tensor, " batch"]:
        """Log density with which the columns are drawn."""
        each = student_log_density(self.squares(tight), self.factors)
        return torch.logsumexp(self.shares.log() + each, 1)


@dataclass(frozen=True, eq=False)
class Pinned:
    """The posterior of the loose columns, with draws of the tight ones.

    Attributes:
        target: The exact posterior.
        tight: Columns that follow from the others.
        places: Where the sheet is known.
        slopes: How the tight columns and the level follow the loose ones there.
        offsets: How far from each place their conditional mode is.
        branches: Conditional modes that are climbed to, one or two.
    """

    target: Target
    tight: list[int]
    places: Summits
    slopes: Float[Tensor, "place held loose"]
    offsets: Float[Tensor, "place held"]
    branches: int = 1

    @classmethod
    def of(cls, target: Target, known: Summits, tight: list[int]) -> "Pinned":
        """Pins some columns, in two branches where one misses known places.

        Args:
            target: The exact posterior.
            known: Where the sheet is known.
            tight: The columns to pin.
        """
        one = cls(target, tight, known, *_led(target, known, tight))
        good = known.density > known.density.max() - GOOD
        points = known.points[good]
        missed = one.modes(points).squares(points[:, tight])[:, 0] > FAR**2
        if len(points) == 1 or float(missed.double().mean()) <= MISSED:
            return one
        return replace(one, branches=2)

    @classmethod
    def candidates(cls, target: Target, places: Summits) -> "Iterator[Pinned]":
        """Ways to pin what is tight, the fewest columns first.

        Those of the structure that are known best, one, two or three, each without and
        with the structure's share at the upper end of q, which is known as well in some
        curves, and has a flat tail in others.

        Args:
            target: The exact posterior.
            places: Where modes and ridges are.
        """
        on = places.density > places.density.max() - NEAR
        known = places.rows(on.nonzero()[:, 0])
        tight: list[int] = []
        while len(tight) < MOST:
            column = _tightest(target, known.curvature, tight)
            if column is None:
                return
            tight = sorted([*tight, column])
            yield cls.of(target, known, tight)
            yield cls.of(target, known, [*tight, target.width + 1])

    def grown(self, points: Float[Tensor, "point dimension"]) -> "Pinned":
        """The same with more known places of the sheet.

        Args:
            points: Latent vectors on it.
        """
        new = Summits(points, *expansion(self.target.by_shape, points))
        slopes, offsets = _led(self.target, new, self.tight)
        return replace(
            self,
            places=self.places.joined(new),
            slopes=torch.cat([self.slopes, slopes]),
            offsets=torch.cat([self.offsets, offsets]),
        )

    @property
    def dimension(self) -> int:
        """Number of all latent parameters."""
        return self.target.dimension

    @property
    def proposed(self) -> list[int]:
        """The loose columns."""
        return _others(self.target, self.tight)

    @property
    def cost(self) -> int:
        """Curves that are worked out for each draw."""
        moving = len(set(self.tight) & set(self.target.moving))
        return self.branches * (STARTS + STEPS * (1 + moving)) + 1

    def drawn_rest(
        self, latent: Float[Tensor, "batch dimension"], generator: Generator
    ) -> tuple[
        Float[Tensor, "batch dimension"],
        Float[Tensor, " batch"],
        Float[Tensor, "batch amount"],
    ]:
        """As that of the target; the tight columns are drawn too.

        Args:
            latent: Vectors; only their loose columns matter.
            generator: Source of randomness.
        """
        modes, moved = self.modes(latent), latent.clone()
        moved[:, self.tight] = modes.sample(generator)
        chance = modes.log_density(moved[:, self.tight])
        moved, values, amounts = self.target.drawn_rest(moved, generator)
        return moved, values - chance, amounts

    def modes(self, latent: Float[Tensor, "batch dimension"]) -> Modes:
        """Conditional modes of the tight columns; only the loose ones matter."""
        held, size = [*self.tight, self.target.width], len(self.tight)
        points = self._starts(latent).flatten(0, 1)
        shape = self.target.by_shape
        for _ in range(STEPS):
            density, gradient, curvature = expansion(shape, points, held)
            step = torch.linalg.solve(curvature, gradient[..., None])[..., 0]
            gain = 0.5 * (step * gradient).sum(-1)
            points = points.clone()
            moved = points[:, held] + step.nan_to_num(0.0).clamp(-LONGEST, LONGEST)
            points[:, held] = moved.clamp(-EDGE, EDGE)
        factor = _scales(curvature, size)
        log_det = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
        evidence = density + gain.clamp(max=FORESIGHT) + log_det
        split = (len(latent), self.branches)
        return _shared(
            points[:, self.tight].view(*split, size),
            factor.view(*split, size, size),
            evidence.nan_to_num(nan=-math.inf).view(split),
        )

    def _starts(self, latent: Tensor) -> Tensor:
        """The vectors, their tight columns as the best of some near places leads.

        With two branches, there are two of each: the second is the best of those whose
        tight columns are elsewhere.
        """
        held, known = [*self.tight, self.target.width], self.places
        loose = self.proposed
        square = torch.cdist(latent[:, loose], known.points[:, loose]).square()
        worse = known.density.max() - known.density
        count = min(self.branches * STARTS, len(worse))
        near = (square + WORTH * worse).topk(count, largest=False).indices
        gap = latent[:, None, loose] - known.points[near][..., loose]
        step = (self.slopes[near] @ gap[..., None])[..., 0] + self.offsets[near]
        tried = latent[:, None].repeat(1, count, 1)
        led = known.points[near][..., held] + step.clamp(-FARTHEST, FARTHEST)
        tried[..., held] = led.clamp(-EDGE, EDGE)
        moved, density = self.target.by_shape.levelled(tried.flatten(0, 1))
        moved = moved.view(-1, count, latent.shape[1])
        density = density.nan_to_num(nan=-math.inf).view(-1, count)
        rows, best = torch.arange(len(latent)), density.argmax(1)
        chosen = moved[rows, best]
        if self.branches == 1:
            return chosen[:, None]
        gap = moved[..., self.tight] - chosen[:, None, self.tight]
        same = gap.abs().amax(-1) < SAME
        other = torch.where(same, -math.inf, density).argmax(1)
        return torch.stack([chosen, moved[rows, other]], 1)


@dataclass(frozen=True, eq=False)
class Guarded:
    """Draws of which most come from the sheet, the others from all columns.

    Attributes:
        pinned: The posterior of the loose columns.
        loose: Proposes them.
        guard: Proposes the columns ``pinned.target.proposed``.
    """

    pinned: Pinned
    loose: StudentMixture
    guard: StudentMixture

    def __call__(self, count: int, generator: Generator) -> Batch:
        """Draws, with their log density under both together."""
        pinned, target = self.pinned, self.pinned.target
        few = round(GUARD * count)
        room = self.loose.means.new_zeros(count, target.dimension)
        room[:few, target.proposed] = self.guard.sample(few, generator)
        room[few:, pinned.proposed] = self.loose.sample(count - few, generator)
        modes = pinned.modes(room)
        sheet = modes.rows(slice(few, None))
        room[few:, pinned.tight] = sheet.sample(generator)
        points, values, amounts = target.drawn_rest(room, generator)
        along = self.loose.log_density(room[:, pinned.proposed])
        along = along + modes.log_density(room[:, pinned.tight])
        every = self.guard.log_density(room[:, target.proposed])
        chance = torch.logaddexp(along + math.log(1 - GUARD), every + math.log(GUARD))
        return Batch(points, values, amounts, chance)


def _scales(curvature: Float[Tensor, "row held held"], size: int) -> Tensor:
    """Cholesky factors of scale matrices of the first columns, the others free.

    Far from the sheet curvatures are of any size: the unit of each column is taken out.
    """
    identity = torch.eye(curvature.shape[1], dtype=curvature.dtype)
    finite = curvature.isfinite().all(-1).all(-1)[:, None, None]
    curvature = torch.where(finite, curvature, identity)
    unit = curvature.diagonal(dim1=-2, dim2=-1).clamp(min=1.0).rsqrt()
    scaled = unit[:, :, None] * curvature * unit[:, None] + TINY * identity
    inverse = torch.cholesky_inverse(torch.linalg.cholesky(scaled))[:, :size, :size]
    found: Tensor = unit[:, :size, None] * torch.linalg.cholesky(WIDEN * inverse)
    return found


def _shared(middles: Tensor, factors: Tensor, evidence: Tensor) -> Modes:
    """Shares of modes by their evidence; one that is met twice counts once."""
    count = evidence.shape[1]
    if count == 1:
        return Modes(middles, factors, torch.ones_like(evidence))
    shares = torch.softmax(POWER * evidence.clamp(min=-1e300), 1)
    shares = LEAST + (1 - count * LEAST) * shares
    both = Modes(middles, factors, shares)
    apart = both.squares(middles[:, 1])[:, :1] > NEXT**2
    first = torch.cat([torch.ones_like(apart), apart], 1)
    shares = torch.where(first, shares, 1e-9)
    return Modes(middles, factors, shares / shares.sum(1, keepdim=True))


def _led(target: Target, known: Summits, tight: list[int]) -> tuple[Tensor, Tensor]:
    """Slopes and offsets of the tight columns and the level at known places."""
    held, loose = [*tight, target.width], _others(target, tight)
    own = known.curvature[:, held][:, :, held]
    across = known.curvature[:, held][:, :, loose]
    slopes = -torch.linalg.solve(own, across)
    offsets = torch.linalg.solve(own, known.gradient[:, held, None])[..., 0]
    return slopes, offsets


def _others(target: Target, tight: list[int]) -> list[int]:
    """All proposed columns but the tight ones."""
    return [column for column in target.proposed if column not in tight]


def _tightest(
    target: Target, curvature: Float[Tensor, "place dimension dimension"], so: list[int]
) -> int | None:
    """The column known best given all others, those taken so far and the level free.

    The instrument's columns are left out: what is known of them has flat tails.
    """
    held, loose = [*so, target.width], _others(target, so)
    across = curvature[:, loose][:, :, held]
    own = curvature[:, held][:, :, held]
    left = curvature[:, loose][:, :, loose]
    left = left - across @ torch.linalg.solve(own, across.mT)
    spread = left.diagonal(dim1=1, dim2=2).clamp(min=1e-12).rsqrt().median(0).values
    known = {loose[i]: s for i, s in enumerate(spread.tolist()) if s <= TIGHT}
    moving = [column for column in known if column in target.moving]
    return min(moving, key=known.__getitem__, default=None)
