"""Curves to learn from, and nothing else: files, folders, or libraries without labels.

Each takes the path of a measured one (:func:`~saxinfer.preprocess.prepare.prepare`,
then :func:`~saxinfer.preprocess.features.features`). Here is the only place where data
come in, and nothing that is returned holds a parameter of a structure.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from jaxtyping import Float, Int
from torch import Generator, Tensor

from saxinfer.curve import Curve
from saxinfer.formats import load
from saxinfer.inference.label_free.likelihood import Points
from saxinfer.instrument.nuisance import log_q_weights
from saxinfer.preprocess.features import features
from saxinfer.preprocess.prepare import FEWEST, Prepared, prepare

__all__ = ["Alike", "Unlabelled", "from_curves", "read_unlabelled"]

# Numbers of points that a step compares: curves of one number are worked on together.
LADDER = (10, 14, 20, 28, 40, 56, 80, 112, 128, 160, 200, 256, 320, 400)

# Curves that take no part in the learning: this share of all, and no more than so many.
HELD_BACK, MOST_HELD_BACK = 0.1, 256

FEWEST_CURVES = 4


@dataclass(frozen=True, eq=False)
class Alike:
    """Curves of the same number of points, and which of a batch they are."""

    rows: Int[Tensor, " row"]
    points: Points


@dataclass(frozen=True, eq=False)
class Unlabelled:
    """Measured curves without any answer.

    Attributes:
        features: What a network sees of each.
        points: All points of each.
        source: Where they are from, in words.
        refused: How many could not be used.
    """

    features: Float[Tensor, "curve channel bin"]
    points: tuple[Points, ...]
    source: str
    refused: int = 0

    def __post_init__(self) -> None:
        if len(self.points) != len(self.features):
            raise ValueError(
                f"{len(self.points)} curves need as many rows of features, got "
                f"{len(self.features)}."
            )

    def __len__(self) -> int:
        return len(self.points)

    @property
    def digest(self) -> str:
        """Short hash of all curves."""
        summed = hashlib.sha256()
        for points in self.points:
            for part in (points.q, points.intensity, points.sigma):
                summed.update(part.numpy().tobytes())
        return summed.hexdigest()[:12]

    def some(self, rows: Sequence[int]) -> "Unlabelled":
        """Some of the curves."""
        chosen = tuple(self.points[row] for row in rows)
        return Unlabelled(self.features[list(rows)], chosen, self.source)

    def parted(self, seed: int) -> tuple["Unlabelled", "Unlabelled"]:
        """Those to learn from, and those that are held back.

        Raises:
            ValueError: If there are too few.
        """
        count = len(self)
        if count < FEWEST_CURVES:
            raise ValueError(
                f"{FEWEST_CURVES} curves are needed to learn from, got {count}. Name "
                "more files, or fit single curves with 'saxinfer fit --method "
                "label-free'."
            )
        held = min(MOST_HELD_BACK, max(1, round(HELD_BACK * count)))
        order = torch.randperm(count, generator=Generator().manual_seed(seed)).tolist()
        return self.some(sorted(order[held:])), self.some(sorted(order[:held]))

    def compared(
        self, rows: Sequence[int], most: int, generator: Generator | None
    ) -> Iterator[Alike]:
        """Points of some curves, those of one number side by side.

        Args:
            rows: Which curves.
            most: Most points of a curve.
            generator: Chooses points where there are more; None for all points.
        """
        drawn = [
            each if generator is None else _chosen(each, most, generator)
            for each in (self.points[row] for row in rows)
        ]
        sizes = [each.q.shape[1] for each in drawn]
        for size in sorted(set(sizes)):
            same = [place for place, found in enumerate(sizes) if found == size]
            yield Alike(torch.tensor(same), _side_by_side([drawn[i] for i in same]))


def _side_by_side(parts: Sequence[Points]) -> Points:
    names = vars(parts[0])
    return Points(**{n: torch.cat([getattr(p, n) for p in parts]) for n in names})


def _chosen(points: Points, most: int, generator: Generator) -> Points:
    """One point of each of as many even intervals of the index."""
    count = points.q.shape[1]
    size = max(step for step in LADDER if step <= max(LADDER[0], min(most, count)))
    if size == count:
        return points
    edges = torch.arange(size + 1) * count // size
    width = edges[1:] - edges[:-1]
    share = torch.rand(size, generator=generator, dtype=torch.float64)
    index = edges[:-1] + (share * width).long()
    kept = {name: part[:, index] for name, part in vars(points).items()}
    return Points(**{**kept, "number": width[None].to(points.q.dtype)})


def from_curves(curves: Sequence[Curve], source: str) -> Unlabelled:
    """Prepares curves; those that a fit would refuse are left out and counted.

    Raises:
        ValueError: If none can be used.
    """
    found: list[tuple[Points, Tensor]] = []
    reason = f"no curve has the {FEWEST} points that are needed."
    for curve in curves:
        try:
            found.append(_ready(prepare(curve)))
        except ValueError as error:
            reason = str(error)
    if not found:
        raise ValueError(
            f"None of {len(curves)} curves can be learnt from ({source}): {reason}"
        )
    points, seen = zip(*found, strict=True)
    refused = len(curves) - len(found)
    return Unlabelled(torch.cat(list(seen)), tuple(points), source, refused)


def _ready(prepared: Prepared) -> tuple[Points, Tensor]:
    curve, sigma = prepared.curve, prepared.sigma
    level = float((curve.intensity * log_q_weights(curve.q)).sum())
    if level <= 0:
        raise ValueError("the mean intensity over ln q must be positive.")
    shown = features(curve.q[None], curve.intensity[None], sigma[None])
    if not bool(shown.isfinite().all()):
        raise ValueError("the intensity is beyond what numbers hold.")
    variance = torch.zeros_like(curve.q)
    members = torch.ones_like(curve.q)
    if prepared.groups is not None:
        variance, members = prepared.groups.spread().square(), prepared.groups.members
    if curve.resolution is not None:
        variance = variance + curve.resolution.square()
    points = Points(
        q=curve.q[None],
        intensity=curve.intensity[None] / level,
        sigma=sigma[None] / level,
        members=members[None],
        spread=variance.sqrt()[None],
        number=torch.ones_like(curve.q)[None],
    )
    return points, shown


def read_unlabelled(
    paths: Sequence[Path], *, q_unit: str = "", most: int | None = None
) -> Unlabelled:
    """Reads curves from files, folders of files, or zarr libraries.

    Args:
        paths: What to read; of a library q, intensity and errors only.
        q_unit: Unit of q in the files where they do not state it.
        most: Use no more than so many curves, the first ones.

    Raises:
        ImportError: If zarr is missing and a library is named.
        LibraryError: If a library cannot be read.
        OSError: If a file does not exist.
        ValueError: If nothing can be used.
    """
    curves: list[Curve] = []
    unread = 0
    for path in paths:
        if _is_library(path):
            curves.extend(_of_library(path, most))
            continue
        folder = path.is_dir()
        for file in _files_in(path) if folder else [path]:
            try:
                curves.extend(load(file, q_unit=q_unit or None))
            except ValueError:
                # In a folder there may be notes; a file that was named must be right.
                if not folder:
                    raise
                unread += 1
    source = ", ".join(path.name for path in paths)
    if unread:
        source += f" ({unread} files that are no curves left out)"
    return from_curves(curves[:most], source)


def _files_in(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file())


def _is_library(path: Path) -> bool:
    return path.suffix == ".zarr" or (path / "zarr.json").exists()


def _of_library(path: Path, most: int | None) -> Iterator[Curve]:
    from saxinfer.library.unlabelled import open_unlabelled

    found = open_unlabelled(path, most)
    q, intensity = torch.from_numpy(found.q), torch.from_numpy(found.intensity)
    sigma = None if found.sigma is None else torch.from_numpy(found.sigma)
    for row, values in enumerate(intensity):
        usable = values.isfinite()
        if sigma is not None:
            usable = usable & sigma[row].isfinite() & (sigma[row] > 0)
        if int(usable.sum()) > 0:
            errors = None if sigma is None else sigma[row][usable]
            yield Curve(q[usable], values[usable], errors, name=f"{path.name} {row}")
