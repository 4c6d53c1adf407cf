r"""Is a measured curve like those that an estimator was trained on?

A curve is described by what the network's embedding makes of it, sixty-four numbers,
and by its logarithm, smoothed at ten places of its own range of q. (The embedding alone
is blind to much nonsense: it was taught to tell parameters apart.) Where these lie
depends first of all on the instrument: the range of q, the stated noise, and how rough
the curve is, for the hard tier knows model errors of 100 %. Given these, five numbers
x, the description c of a simulated curve is taken to be normal about a quadratic in x.
The distance

.. math:: d^2 = (c - B x)^T S^{-1} (c - B x), \qquad
          \delta = \frac{\ln d^2 - b x}{\exp(v x)}

is made comparable between instruments by a second quadratic, for mean and spread of its
logarithm. The p-value is the rank of delta among those of curves that had no part in
B, S, b and v: exact, whatever the embedding does, for curves drawn as these were, the
standard and the hard tier half each.

All of it is a few thousand numbers in ``domain.safetensors`` beside the weights, made
from the weights and a seed alone (:func:`survey`).

References:
    Lee, Lee, Lee & Shin, NeurIPS 2018: Mahalanobis distance of a network's features.
    Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World (2005): ranks.
"""

import functools
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from jaxtyping import Float
from safetensors import safe_open
from safetensors.torch import save_file
from scipy.interpolate import make_interp_spline
from torch import Generator, Tensor

from saxinfer.curve import Curve
from saxinfer.inference.npe import PosteriorNetwork
from saxinfer.instrument.tiers import POINTS, Tier, draw_setting, measure
from saxinfer.preprocess.features import BINS, features
from saxinfer.preprocess.prepare import prepare
from saxinfer.structures.base import Structure

__all__ = [
    "FILE",
    "NODES",
    "SURVEYED",
    "Familiarity",
    "Surroundings",
    "read_surroundings",
    "survey",
    "write_surroundings",
]

FILE = "domain.safetensors"

# Tiers, and curves of each: for B and S, for b and v, and to rank among.
TIERS: tuple[Tier, ...] = ("standard", "hard")
SURVEYED = {"centre": 2048, "spread": 512, "ranked": 1024}

# Points of a curve that are worked out, where its structure does not tell how many it
# takes.
NODES = 600

# Places of a curve's own range of q at which its logarithm is smoothed.
SMOOTHED = 10

# Second differences of a third of ln I below this are as good as none.
SMOOTHEST = 0.003

# Curves of the same number of points.
ALIKE = 16

SEED = 11


@dataclass(frozen=True)
class Familiarity:
    """How a curve ranks among those of the training.

    Attributes:
        p: Share of curves at least as far out, this one included.
    """

    p: float


@dataclass(frozen=True, eq=False)
class Surroundings:
    """Where the descriptions of an estimator's own curves lie.

    Attributes:
        centre: Description expected of an instrument.
        whitening: Makes its deviations uncorrelated, of unit variance.
        distance: Mean of ln d² expected of an instrument.
        spread: Logarithm of its spread.
        ranked: Delta of curves that had no part in these, in order.
    """

    centre: Float[Tensor, "term number"]
    whitening: Float[Tensor, "number number"]
    distance: Float[Tensor, " term"]
    spread: Float[Tensor, " term"]
    ranked: Float[Tensor, " curve"]

    def familiarity(
        self, network: PosteriorNetwork, seen: Float[Tensor, "1 channel bin"]
    ) -> Familiarity:
        """Ranks a curve.

        Args:
            network: The network of the estimator.
            seen: Features of the curve.
        """
        delta = float(self._delta(_description(network, seen), _terms(seen))[0])
        beyond = int((self.ranked >= delta).sum())
        return Familiarity((1 + beyond) / (1 + len(self.ranked)))

    def _delta(
        self,
        described: Float[Tensor, "curve number"],
        terms: Float[Tensor, "curve term"],
    ) -> Float[Tensor, " curve"]:
        gap = self._log_distance(described, terms) - terms @ self.distance
        return gap * torch.exp(-(terms @ self.spread))

    def _log_distance(self, described: Tensor, terms: Tensor) -> Tensor:
        deviation = (described - terms @ self.centre) @ self.whitening
        return deviation.square().sum(1).clamp(min=1e-9).log()


def survey(
    structure: Structure,
    network: PosteriorNetwork,
    most: int = SURVEYED["centre"],
    progress: Callable[[int, int, str], None] = lambda done, total, note: None,
) -> Surroundings:
    """Draws curves of both tiers and says where their descriptions lie.

    Args:
        structure: The model that the network was trained for.
        network: The network.
        most: Largest number of curves of each tier and use.
        progress: Called after every few curves with curves done, all curves, and a
            note.
    """
    generator = Generator().manual_seed(SEED)
    described: dict[str, Tensor] = {}
    terms: dict[str, Tensor] = {}
    counts = {part: min(count, most) for part, count in SURVEYED.items()}
    before, total = 0, 2 * sum(counts.values())
    for part, count in counts.items():
        parts = []
        for tier in TIERS:
            told = functools.partial(_told, progress, total, before)
            parts.append(drawn_features(structure, tier, count, generator, told))
            before += count
        seen = torch.cat(parts)
        described[part] = _description(network, seen)
        terms[part] = _terms(seen)
    centre = _fitted(terms["centre"], described["centre"])
    deviation = described["centre"] - terms["centre"] @ centre
    values, axes = torch.linalg.eigh(torch.cov(deviation.double().T))
    none = centre.new_zeros(len(centre))
    found = Surroundings(
        centre=centre,
        whitening=(axes / values.clamp(min=1e-8).sqrt()).float(),
        distance=none,
        spread=none,
        ranked=none,
    )
    logs = found._log_distance(described["spread"], terms["spread"])
    distance = _fitted(terms["spread"], logs[:, None])[:, 0]
    gaps = (logs - terms["spread"] @ distance).abs().clamp(min=1e-3).log()
    spread = _fitted(terms["spread"], gaps[:, None])[:, 0]
    found = Surroundings(centre, found.whitening, distance, spread, none)
    ranked = found._delta(described["ranked"], terms["ranked"]).sort().values
    return Surroundings(centre, found.whitening, distance, spread, ranked)


def drawn_features(
    structure: Structure,
    tier: Tier,
    count: int,
    generator: Generator,
    told: Callable[[int], None] = lambda done: None,
) -> Float[Tensor, "curve channel bin"]:
    """Features of curves of a tier, drawn and prepared as measured ones are.

    Args:
        structure: The model.
        tier: Which instruments.
        count: Number of curves.
        generator: Source of randomness.
        told: Called after every few curves with their number so far.
    """
    found: list[Tensor] = []
    while len(found) < count:
        found.extend(_drawn(structure, tier, generator))
        told(min(len(found), count))
    return torch.cat(found[:count])


def _told(
    progress: Callable[[int, int, str], None], total: int, before: int, done: int
) -> None:
    progress(before + done, total, "curves drawn that the network is at home in")


def _drawn(
    structure: Structure, tier: Tier, generator: Generator
) -> Iterator[Float[Tensor, "1 channel bin"]]:
    """Some curves with the same number of points."""
    fewest, most = POINTS[tier]
    share = float(torch.rand(1, generator=generator))
    points = round(fewest * (most / fewest) ** share)
    theta = structure.space.sample(ALIKE, generator)
    setting = draw_setting(tier, ALIKE, points, generator)
    curve = _curves(structure, setting.q.float(), theta.float()).double()
    measured = measure(curve.clamp(min=1e-300), setting, generator)
    rows = zip(measured.q, measured.intensity, measured.sigma, strict=True)
    for q, intensity, sigma in rows:
        # A curve beyond numbers is refused when it is read.
        if not bool(intensity.isfinite().all() & sigma.isfinite().all()):
            continue
        made = prepare(Curve(q, intensity, sigma))
        yield features(made.curve.q[None], made.curve.intensity[None], made.sigma[None])


def _curves(
    structure: Structure,
    q: Float[Tensor, "curve q"],
    theta: Float[Tensor, "curve parameter"],
) -> Float[Tensor, "curve q"]:
    """Curves of a structure, interpolated where all their points would take hours.

    That is where nobody knows how fast they turn, which leaves them slow to make. A
    description has fewer bins than there are nodes.
    """
    count = q.shape[1]
    if count <= NODES or bool(structure.reach(theta).isfinite().all()):
        return structure.intensity(q, theta)
    nodes = q[:, torch.linspace(0, count - 1, NODES).round().long()]
    logs = structure.intensity(nodes, theta).double().clamp(min=1e-300).log()
    rows = zip(q.double().numpy(), nodes.double().numpy(), logs.numpy(), strict=True)
    found = [make_interp_spline(np.log(x), y)(np.log(at)) for at, x, y in rows]
    return torch.from_numpy(np.exp(np.stack(found))).to(theta.dtype)


def _fitted(
    terms: Float[Tensor, "curve term"], values: Float[Tensor, "curve column"]
) -> Float[Tensor, "term column"]:
    """Least squares."""
    found: Tensor = torch.linalg.lstsq(terms.double(), values.double()).solution
    return found.float()


def _description(
    network: PosteriorNetwork, seen: Float[Tensor, "curve channel bin"]
) -> Float[Tensor, "curve number"]:
    """What a curve looks like: to the network, and smoothed."""
    with torch.no_grad():
        context: Tensor = network.embedding(seen)
    value, occupied = seen[:, 0], (seen[:, 2] > 0).float()
    place = torch.arange(BINS) / BINS
    first, last = _ends(occupied)
    share = (place - first[:, None]) / (last - first).clamp(min=1 / BINS)[:, None]
    centre = torch.linspace(0, 1, SMOOTHED)[:, None]
    near = torch.exp(-0.5 * ((share[:, None] - centre) * SMOOTHED).square())
    near = near * occupied[:, None] + 1e-12
    smooth = (near * value[:, None]).sum(-1) / near.sum(-1)
    return torch.cat([context, smooth], 1)


def _ends(occupied: Float[Tensor, "curve bin"]) -> tuple[Tensor, Tensor]:
    """First and last bin with points, as shares of all."""
    place = torch.arange(BINS) / BINS
    first = torch.where(occupied > 0, place, math.inf).amin(1).clamp(max=1)
    last = torch.where(occupied > 0, place, -math.inf).amax(1).clamp(min=0)
    return first, last


def _terms(seen: Float[Tensor, "curve channel bin"]) -> Float[Tensor, "curve term"]:
    """What is known of the instrument, with squares and products.

    Ends of q, share of bins with points, mean of ln error, logarithm of the roughness.
    """
    value, occupied = seen[:, 0], (seen[:, 2] > 0).float()
    count = occupied.sum(1).clamp(min=1)
    error = (seen[:, 1] * occupied).sum(1) / count
    turn = (value[:, 2:] - 2 * value[:, 1:-1] + value[:, :-2]).abs()
    three = occupied[:, 2:] * occupied[:, 1:-1] * occupied[:, :-2]
    rough = (turn * three).sum(1) / three.sum(1).clamp(min=1)
    rough = (rough + SMOOTHEST).log() / 3
    linear = torch.stack([count / BINS, error, *_ends(occupied), rough], 1)
    squares = [linear[:, i : i + 1] * linear[:, i:] for i in range(linear.shape[1])]
    return torch.cat([torch.ones_like(linear[:, :1]), linear, *squares], 1)


def write_surroundings(place: Path, found: Surroundings, estimator: str) -> None:
    """Writes ``domain.safetensors``.

    Args:
        place: Folder of the estimator.
        found: What :func:`survey` returned.
        estimator: Short hash of the weights that it was made with.
    """
    tensors = {f.name: getattr(found, f.name).contiguous() for f in fields(found)}
    save_file(tensors, place / FILE, metadata={"estimator": estimator})


def read_surroundings(place: Path, estimator: str) -> Surroundings | None:
    """What was written, or None if there is none, or if it belongs to other weights.

    Args:
        place: Folder of the estimator.
        estimator: Short hash of its weights.
    """
    path = place / FILE
    if not path.exists():
        return None
    with safe_open(path, "pt") as file:
        if (file.metadata() or {}).get("estimator") != estimator:
            return None
        return Surroundings(
            **{f.name: file.get_tensor(f.name) for f in fields(Surroundings)}
        )
