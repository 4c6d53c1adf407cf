"""Climbing from proposals to the modes of a posterior, and the mixture around them."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from saxinfer.inference.expansion import expansion
from saxinfer.inference.mixture import StudentMixture
from saxinfer.inference.target import Target

__all__ = [
    "Summits",
    "alike",
    "apart",
    "approach",
    "climb",
    "content",
    "distinct",
    "laplace",
    "reflected",
    "with_mirrors",
]

# Legs of the race: how many climbers go on, and for how many steps.
LEGS = ((32, 10), (8, 30))

# A climber stands still when a step gains less than this log density.
STILL = 1e-3

# After so many steps, climbers this far below the best rest [nats]. Of those that reach
# what counts, the slowest were 350 below after three steps.
PATIENCE, HOPELESS = 3, 600.0

# A best climb with a larger model error or factor on the errors is no good fit: other
# starts may find a better one.
WELL = (0.06, 1.5)

# Precision of the normals around anchors, and the most steps of an approach.
PULL, APPROACH_STEPS = 12.0, 6

# Of climbers this close to a better one [its standard deviations], and no further below
# it [nats], only that one goes on: they would meet.
BEHIND, BELOW = 1.0, 3.0

# Largest gain in log density that a step without looking is believed.
FORESIGHT = 5.0

# Latent distance from the centre beyond which nobody climbs.
EDGE = 4.5

# Widening of the curvature's scale matrix in the first proposal.
WIDEN = 1.1

# Two modes are one if closer than this many standard deviations.
APART = 1.0

# A place leads to a higher one if it foresees this share of the gain, less some nats.
BELIEVED, SLACK = 0.5, 2.0

# Modes whose Laplace evidence is this much below the best are left out [nats].
NEGLIGIBLE = 20.0


@dataclass(frozen=True, eq=False)
class Summits:
    """Points with what the log posterior density does around them.

    Attributes:
        points: Latent vectors.
        density: Log posterior density.
        gradient: Its gradient.
        curvature: Its expected curvature, positive definite.
    """

    points: Float[Tensor, "point dimension"]
    density: Float[Tensor, " point"]
    gradient: Float[Tensor, "point dimension"]
    curvature: Float[Tensor, "point dimension dimension"]

    def rows(self, index: Int[Tensor, " row"]) -> "Summits":
        """Some of the points."""
        return Summits(
            self.points[index],
            self.density[index],
            self.gradient[index],
            self.curvature[index],
        )

    def joined(self, other: "Summits") -> "Summits":
        """These points and those of another."""
        return Summits(
            torch.cat([self.points, other.points]),
            torch.cat([self.density, other.density]),
            torch.cat([self.gradient, other.gradient]),
            torch.cat([self.curvature, other.curvature]),
        )

    def highest(self, count: int) -> "Summits":
        """The points of the largest density."""
        return self.rows(torch.argsort(self.density, descending=True)[:count])

    def replaced(self, index: Int[Tensor, " row"], new: "Summits") -> "Summits":
        """Takes ``new`` for the points of an index."""
        return Summits(
            self.points.index_copy(0, index, new.points),
            self.density.index_copy(0, index, new.density),
            self.gradient.index_copy(0, index, new.gradient),
            self.curvature.index_copy(0, index, new.curvature),
        )


def distinct(
    target: Target,
    points: Float[Tensor, "point dimension"],
    density: Float[Tensor, " point"],
    count: int,
) -> Float[Tensor, "start dimension"]:
    """Good points that lie apart.

    Every second one is the best that is left, the others ever the farthest from those
    chosen so far.

    Args:
        target: The posterior.
        points: Latent vectors to choose from.
        density: Their log posterior densities.
        count: How many to choose.

    Raises:
        ValueError: If none has a density.
    """
    order = torch.argsort(density, descending=True)
    best = order[: max(4 * count, len(order) // 8)]
    pool, value = points[best], density[best]
    pool = pool[value.isfinite()]
    if len(pool) == 0:
        raise ValueError(
            "no proposal lies within the ranges that were given. Widen them."
        )
    chosen = [0]
    where = pool[:, target.moving]
    gap = (where - where[0]).square().sum(-1)
    while len(chosen) < min(count, len(pool)):
        # Half of the starts are simply the next best: precise data have one mode.
        if len(chosen) % 2:
            index = int(gap.argmax())
        else:
            index = next(i for i in range(len(pool)) if i not in chosen)
        chosen.append(index)
        new = (where - where[index]).square().sum(-1)
        gap = torch.minimum(gap, new)
    return pool[chosen]


def apart(summits: Summits, count: int) -> Summits:
    """The highest places, those left out that a few steps would lead to a higher one.

    Along a ridge all places are better than a lower mode: it would never be climbed to.
    """
    chosen, _ = _ordered(summits, count)
    return summits.rows(torch.tensor(chosen))


def _ordered(summits: Summits, count: int) -> tuple[list[int], list[int]]:
    """Rows from whose own expansion no better place can be foreseen, and the rest.

    Both are in the order of their density, and only so many of the first are named.
    """
    points, density = summits.points, summits.density
    chosen: list[int] = []
    rest: list[int] = []
    for index in torch.argsort(density, descending=True).tolist():
        gap = points[chosen] - points[index]
        bend = ((gap @ summits.curvature[index]) * gap).sum(1)
        foreseen = gap @ summits.gradient[index] - 0.5 * bend
        gain = density[chosen] - density[index]
        alone = bool((foreseen < BELIEVED * gain - SLACK).all())
        (chosen if alone and len(chosen) < count else rest).append(index)
    return chosen, rest


def with_mirrors(
    target: Target, points: Float[Tensor, "point dimension"]
) -> Float[Tensor, "more dimension"]:
    """Points and, where the prior allows them, their exact mirrors.

    In coordinates that a curve can tell apart a point and its mirror are one.
    """
    return torch.cat([points, _images(target, points, target.structure.mirrors)])


def _images(
    target: Target, points: Tensor, of: Callable[[Tensor], Tensor]
) -> Float[Tensor, "image dimension"]:
    """Points with other parameters that follow from theirs, as the prior allows."""
    space, width = target.space, target.width
    one = target.structure.entangled and target.untangled
    if one or len(space.free) < len(space):
        return points[:0]
    every = [points[:0]]
    for image in of(target.theta(points)):
        inside = space.admits(image)
        other = points[inside].clone()
        other[:, :width] = space.latent_from_theta(image[inside])
        every.append(other)
    return torch.cat(every)


def climb(target: Target, starts: Float[Tensor, "start dimension"]) -> Summits:
    """Climbs to the modes near the starts by damped Fisher scoring.

    It is a race: after each leg only the best go on, first one for each mode, so that
    many starts cost little and the best are followed until they stand still.
    """

    def expand(points: Tensor, rows: Tensor) -> Summits:
        return Summits(points, *expansion(target, points))

    summits = expand(starts, torch.arange(len(starts)))
    damping = torch.full((len(starts),), 1e-2, dtype=starts.dtype)
    done: list[Summits] = []
    for keep, steps in LEGS:
        if len(damping) > keep:
            chosen, rest = _ordered(summits, keep)
            order = torch.tensor(chosen + rest)
            done.append(summits.rows(order[keep:]))
            summits, damping = summits.rows(order[:keep]), damping[order[:keep]]
        summits, damping = _leg(expand, summits, damping, steps, alone=False)
    for part in done:
        summits = summits.joined(part)
    return summits


def reflected(target: Target, summits: Summits) -> Summits:
    """Adds the exact mirrors of points.

    A mirror of a start would be led to the mirror of its twin's place: that costs one
    look instead of a climb.
    """
    points = summits.points
    images = with_mirrors(target, points)[len(points) :]
    if len(images) == 0:
        return summits
    return summits.joined(Summits(images, *expansion(target, images)))


def alike(target: Target, summits: Summits, count: int) -> Summits:
    """Adds modes that are climbed to from what scatters much the same.

    Args:
        target: The posterior.
        summits: Modes.
        count: How many of them to look at, the highest that lie apart.
    """
    modes = apart(summits, count).points
    images = _images(target, modes, target.structure.lookalikes)
    return summits.joined(climb(target, images)) if len(images) else summits


def content(target: Target, summits: Summits) -> bool:
    """Whether the best climb fits the data with small errors."""
    best = summits.points[summits.density.argmax()][None]
    factor, error = target.nuisance(best)[0, 4:6].tolist()
    return bool(error <= WELL[0] and factor <= WELL[1])


def approach(
    target: Target,
    anchors: Float[Tensor, "anchor dimension"],
    steps: int = APPROACH_STEPS,
    pull: float = PULL,
) -> Summits:
    """Modes of the posterior times a normal around each anchor.

    Where the posterior is a long bent ridge, such a product has one mode, on the ridge
    and near the anchor, and is nearly normal: anchors all over the ridge together
    cover it. The pull acts on what moves the structure's curve only.

    Args:
        target: The posterior.
        anchors: Latent vectors.
        steps: Most damped steps towards each mode; none for points that are close to
            theirs: a single step is then made without looking.
        pull: Precision of the normals, in units of the prior's.
    """
    strength = anchors.new_zeros(target.dimension)
    strength[target.moving] = pull

    def expand(points: Tensor, rows: Tensor) -> Summits:
        density, gradient, curvature = expansion(target, points)
        gap = points - anchors[rows]
        density = density - 0.5 * (strength * gap.square()).sum(-1)
        gradient = gradient - strength * gap
        return Summits(points, density, gradient, curvature + torch.diag(strength))

    summits = expand(anchors, torch.arange(len(anchors)))
    if steps == 0:
        return _foreseen(summits)
    damping = torch.full((len(anchors),), 1e-2, dtype=anchors.dtype)
    return _leg(expand, summits, damping, steps)[0]


def _foreseen(summits: Summits) -> Summits:
    """Where a single undamped step would lead, without looking there."""
    step = torch.linalg.solve(summits.curvature, summits.gradient)
    gain = 0.5 * (step * summits.gradient).sum(-1)
    step = step / step.abs().amax(-1, keepdim=True).clamp(min=1.0)
    return Summits(
        (summits.points + step).clamp(-EDGE, EDGE),
        summits.density + gain.clamp(max=FORESIGHT),
        summits.gradient,
        summits.curvature,
    )


def _leg(
    expand: Callable[[Tensor, Tensor], Summits],
    summits: Summits,
    damping: Tensor,
    steps: int,
    *,
    alone: bool = True,
) -> tuple[Summits, Tensor]:
    """A number of damped steps, each taken where it gains.

    Those that stand still, or are far below the best after some steps, rest; unless
    each has a way of its own, so do those that follow another one.
    """
    moving = torch.arange(len(summits.density))
    for taken in range(1, steps + 1):
        now, slack = summits.rows(moving), damping[moving]
        scale = now.curvature.diagonal(dim1=-2, dim2=-1)
        damped = now.curvature + torch.diag_embed(slack[:, None] * scale)
        step = torch.linalg.solve(damped, now.gradient)
        # One latent unit is a standard deviation of the prior: far enough at a time.
        step = step / step.abs().amax(-1, keepdim=True).clamp(min=1.0)
        new = expand((now.points + step).clamp(-EDGE, EDGE), moving)
        better = new.density > now.density
        gain = torch.where(better, new.density - now.density, 0.0)
        summits = summits.replaced(moving[better], new.rows(better.nonzero()[:, 0]))
        resting = (better & (gain < STILL)) | (~better & (slack > 1e2))
        slack = torch.where(better, slack / 5, slack * 6).clamp(1e-7, 1e6)
        damping = damping.index_copy(0, moving, slack)
        if taken >= PATIENCE:
            found = summits.density[moving]
            resting = resting | (found < summits.density.max() - HOPELESS)
            if not alone:
                resting = resting | _following(summits.rows(moving))
        moving = moving[~resting]
        if len(moving) == 0:
            break
    return summits, damping


def _following(summits: Summits) -> Tensor:
    """Which places are next to a better one, seen from there."""
    points, density = summits.points, summits.density
    gap = points[:, None] - points
    square = torch.einsum("ijk,jkl,ijl->ij", gap, summits.curvature, gap)
    lead = density - density[:, None]
    near = (square < BEHIND**2) & (lead > 0) & (lead < BELOW)
    return near.any(1)


def laplace(summits: Summits) -> StudentMixture:
    """Mixture of the distinct modes, each weighed by its Laplace evidence."""
    modes, density = summits.points, summits.density
    factor = torch.linalg.cholesky(summits.curvature)
    log_det = factor.diagonal(dim1=-2, dim2=-1).log().sum(-1)
    evidence = density - log_det
    order = torch.argsort(evidence, descending=True)
    order = order[evidence[order] >= evidence[order[0]] - NEGLIGIBLE]
    # Every mode in the coordinates in which another one is a standard normal.
    own = (modes[order, None] @ factor[order])[:, 0]
    every = torch.einsum("ij,kjl->kil", modes[order], factor[order])
    near = (every - own[:, None]).square().sum(-1) <= APART**2
    free, kept = torch.ones(len(order), dtype=torch.bool), []
    for place, index in enumerate(order.tolist()):
        if free[place]:
            kept.append(index)
            free &= ~near[place]
    identity = torch.eye(modes.shape[1], dtype=modes.dtype)
    inverse = torch.cholesky_inverse(factor[kept]) + 1e-10 * identity
    weights = torch.softmax(evidence[kept] / 2, 0)
    # Laplace evidences of skewed modes are rough: none is left without samples.
    weights = 0.8 * weights + 0.2 / len(kept)
    scales = torch.linalg.cholesky(WIDEN * inverse)
    return StudentMixture(weights, modes[kept], scales)
