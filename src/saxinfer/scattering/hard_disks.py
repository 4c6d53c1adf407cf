"""Packings of hard disks in equilibrium, in a periodic square.

Disks are put down at random, at an area fraction where that is easy, grown, pushed
apart, and moved by Monte Carlo: short steps, exchanges of radii and jumps anywhere,
each of which keeps every packing without overlap equally probable. That is another
ensemble than disks which stick where they fall (random sequential addition), and the
one of the packing table (:mod:`saxinfer.scattering.packing`).

Lengths are in units of the mean radius. Needs numba.

References:
    Metropolis et al., J. Chem. Phys. 21, 1087 (1953): the moves. Grigera & Parisi,
    Phys. Rev. E 63, 045102 (2001): exchanges of radii.
"""

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec, TypeVar

import numba
import numpy as np
from jaxtyping import Float
from numpy import ndarray
from numpy.random import Generator
from scipy import special

__all__ = [
    "Packing",
    "box",
    "lognormal_radii",
    "ordered_start",
    "random_start",
    "sweeps_to_equilibrium",
]

# First disk of each cell and next of each disk, -1 for none; width of a cell, box,
# largest radius. Small enough for the processor's cache, which is what counts.
Cells = tuple[ndarray, ndarray, float, float, float]

# Area fraction at which disks are put down at random.
EASY = 0.4

# Edge of the cells [mean radius]: few to look through, and few disks in each.
CELL = 2.4

# Rounds of pushing before giving up.
PUSHES = 20_000


P = ParamSpec("P")
R = TypeVar("R")


def _compiled(function: Callable[P, R]) -> Callable[P, R]:
    """Machine code for a function, without what checks its types at run time."""
    made: Callable[P, R] = numba.njit(cache=True)(inspect.unwrap(function))
    return made


def lognormal_radii(count: int, std: float) -> Float[ndarray, " disk"]:
    """Draws stratified log-normal radii, sorted, of mean exactly 1 and spread std.

    Each radius is the mean of its stratum; an affine touch-up makes the first two
    moments exact.
    """
    sigma = math.sqrt(math.log1p(std**2))
    edge = special.ndtri(np.linspace(0, 1, count + 1))
    radii = count * np.diff(special.ndtr(edge - sigma))
    return np.asarray(1 + (radii - radii.mean()) * std / radii.std())


@_compiled
def _overlaps(
    disk: tuple[float, float, float], one: int, two: int, disks: ndarray, grid: Cells
) -> bool:
    """Tells whether a disk (x, y, R) meets any of the disks but one and two."""
    px, py, reach = disk
    first, following, width, box, largest = grid
    n = first.shape[0]
    span = min(math.ceil((reach + largest) / width), n // 2)
    cx, cy = int(px / width), int(py / width)
    # From the middle outwards: what overlaps is mostly near.
    for a in range(2 * span + 1):
        jx = cx + (a + 1) // 2 * (2 * (a % 2) - 1)
        jx += n if jx < 0 else (-n if jx >= n else 0)
        for b in range(2 * span + 1):
            jy = cy + (b + 1) // 2 * (2 * (b % 2) - 1)
            jy += n if jy < 0 else (-n if jy >= n else 0)
            j = first[jx, jy]
            while j >= 0:
                dx = abs(px - disks[0, j])
                dy = abs(py - disks[1, j])
                dx = min(dx, box - dx)
                dy = min(dy, box - dy)
                touch = reach + disks[2, j]
                if dx * dx + dy * dy < touch * touch and j not in (one, two):
                    return True
                j = following[j]
    return False


@_compiled
def _remove(i: int, disks: ndarray, grid: Cells) -> None:
    first, following, width = grid[0], grid[1], grid[2]
    cx, cy = int(disks[0, i] / width), int(disks[1, i] / width)
    j = first[cx, cy]
    if j == i:
        first[cx, cy] = following[i]
        return
    while following[j] != i:
        j = following[j]
    following[j] = following[i]


@_compiled
def _insert(i: int, px: float, py: float, disks: ndarray, grid: Cells) -> None:
    first, following, width = grid[0], grid[1], grid[2]
    disks[0, i], disks[1, i] = px, py
    cx, cy = int(px / width), int(py / width)
    following[i] = first[cx, cy]
    first[cx, cy] = i


@_compiled
def _rsa(disks: ndarray, grid: Cells, rng: Generator) -> bool:
    """Adds the disks at random, largest first (they are sorted by radius)."""
    box = grid[3]
    for i in range(disks.shape[1] - 1, -1, -1):
        for _ in range(1_000_000):
            px, py = rng.random() * box, rng.random() * box
            if not _overlaps((px, py, disks[2, i]), -1, -1, disks, grid):
                _insert(i, px, py, disks, grid)
                break
        else:
            return False
    return True


@_compiled
def _moves(
    disks: ndarray, grid: Cells, step: float, trials: int, rng: Generator
) -> ndarray:
    """Makes trial moves: 60 % short, 20 % exchanges of radii, 20 % anywhere.

    Returns tried and accepted moves of each kind. All three keep the uniform measure
    on packings without overlap.
    """
    box = grid[3]
    number = disks.shape[1]
    tally = np.zeros((2, 3))
    for _ in range(trials):
        i = int(rng.integers(0, number))
        kind = rng.random()
        if kind < 0.6:
            k = 0
            px = (disks[0, i] + step * (2 * rng.random() - 1)) % box
            py = (disks[1, i] + step * (2 * rng.random() - 1)) % box
        elif kind < 0.8:
            k = 1
            reach = max(1, int(number * rng.random() ** 3 / 2))
            j = i + reach  # j is the larger of the two
            tally[0, k] += 1
            if j >= number:
                continue
            px, py = disks[0, i], disks[1, i]
            if not _overlaps((px, py, disks[2, j]), i, j, disks, grid):
                qx, qy = disks[0, j], disks[1, j]
                _remove(i, disks, grid)
                _remove(j, disks, grid)
                _insert(i, qx, qy, disks, grid)
                _insert(j, px, py, disks, grid)
                tally[1, k] += 1
            continue
        else:
            k = 2
            px, py = rng.random() * box, rng.random() * box
        tally[0, k] += 1
        # x % box may round up to box itself, which lies outside the last cell.
        inside = px < box and py < box
        if inside and not _overlaps((px, py, disks[2, i]), i, -1, disks, grid):
            _remove(i, disks, grid)
            _insert(i, px, py, disks, grid)
            tally[1, k] += 1
    return tally


@_compiled
def _push(disks: ndarray, grid: Cells) -> int:
    """Pushes overlapping pairs apart, each by just their overlap; counts them."""
    first, following, width, box, largest = grid
    n = first.shape[0]
    met = 0
    for i in range(disks.shape[1]):
        cx, cy = int(disks[0, i] / width), int(disks[1, i] / width)
        span = min(math.ceil((disks[2, i] + largest) / width), n // 2)
        px, py = disks[0, i], disks[1, i]
        for ix in range(cx - span, cx + span + 1):
            for iy in range(cy - span, cy + span + 1):
                j = first[ix % n, iy % n]
                while j >= 0:
                    other, j = j, following[j]
                    if other == i:
                        continue
                    dx = disks[0, i] - disks[0, other]
                    dy = disks[1, i] - disks[1, other]
                    dx -= box * round(dx / box)
                    dy -= box * round(dy / box)
                    gap = math.sqrt(dx * dx + dy * dy) + 1e-12
                    excess = disks[2, i] + disks[2, other] - gap
                    if excess > 0:
                        met += 1
                        px += dx / gap * (0.55 * excess + 1e-4)
                        py += dy / gap * (0.55 * excess + 1e-4)
        if px != disks[0, i] or py != disks[1, i]:
            px, py = px % box, py % box
            if px < box and py < box:
                _remove(i, disks, grid)
                _insert(i, px, py, disks, grid)
    return met


@dataclass
class Packing:
    """Hard disks in a periodic square, with the cells that find their neighbours.

    Attributes:
        disks: Positions and radii, rows x, y, R; sorted by radius [mean radius].
        box: Edge of the square [mean radius].
        rng: Source of randomness.
        step: Half-width of the short trial moves [mean radius].
    """

    disks: Float[ndarray, "3 disk"]
    box: float
    rng: Generator
    step: float = 1.0

    def cells(self) -> Cells:
        """Sorts the disks into cells."""
        n = max(3, int(self.box / CELL))
        width = self.box / n * (1 + 1e-14)
        first = np.full((n, n), -1, dtype=np.int32)
        following = np.full(self.disks.shape[1], -1, dtype=np.int32)
        grid = (first, following, width, self.box, float(self.disks[2, -1]))
        placed = np.isfinite(self.disks[0])
        for i in np.flatnonzero(placed):
            _insert(int(i), self.disks[0, i], self.disks[1, i], self.disks, grid)
        return grid

    def run(self, sweeps: int, *, tune: bool = False) -> Float[ndarray, "2 kind"]:
        """Makes sweeps of one trial move a disk.

        Args:
            sweeps: How many.
            tune: Whether the step adapts; not in between of what is measured.

        Returns:
            Tried and accepted steps, exchanges and jumps.
        """
        grid = self.cells()
        total = np.zeros((2, 3))
        chunk = 10 if tune else sweeps
        for _ in range(max(1, sweeps // chunk)):
            trials = chunk * self.disks.shape[1]
            tally = _moves(self.disks, grid, self.step, trials, self.rng)
            total += tally
            if tune:
                high = tally[1, 0] > 0.4 * tally[0, 0]
                self.step = min(self.step * (1.1 if high else 0.9), 3.0)
        return total


def sweeps_to_equilibrium(phi: float) -> int:
    """Sweeps from a random start after which nothing is left of it.

    Six or more relaxation times of the amplitude scattered by the longest waves of a
    box of 4,000 disks. Those were measured as 6 sweeps at 0.2, 11 at 0.35, 23 at 0.45,
    50 at 0.5, 90 at 0.55 and 180 at 0.6; jumps make them short where there is room.
    """
    return int(40 + 1500 * (phi / 0.6) ** 7)


def random_start(radii: Float[ndarray, " disk"], phi: float, rng: Generator) -> Packing:
    """Puts disks down at random where there is room, grows them, pushes them apart.

    Args:
        radii: Rising radii [mean radius].
        phi: Area fraction; with the radii it sets the box.
        rng: Source of randomness.
    """
    shrink = min(1.0, math.sqrt(EASY / phi))
    nowhere = np.full(len(radii), np.nan)
    packing = Packing(
        np.stack([nowhere, nowhere, radii * shrink]), box(radii, phi), rng
    )
    if not _rsa(packing.disks, packing.cells(), rng):
        raise RuntimeError(f"no room for {len(radii)} disks at phi = {phi:.4g}.")
    return _grown(packing, radii)


def ordered_start(
    radii: Float[ndarray, " disk"], phi: float, rng: Generator
) -> Packing:
    """Puts disks on a square lattice, sizes at random, and pushes them apart."""
    number, edge = len(radii), math.ceil(math.sqrt(len(radii)))
    site = rng.permutation(edge**2)[:number]
    side = box(radii, phi)
    disks = np.stack([site // edge * side / edge, site % edge * side / edge, radii])
    return _grown(Packing(disks, side, rng), radii)


def box(radii: Float[ndarray, " disk"], phi: float) -> float:
    """Edge of the square of which the disks cover the share phi [mean radius]."""
    return math.sqrt(math.pi * float(np.square(radii).sum()) / phi)


def _grown(packing: Packing, radii: ndarray) -> Packing:
    packing.disks[2] = radii
    grid = packing.cells()
    for _ in range(PUSHES):
        if _push(packing.disks, grid) == 0:
            return packing
    raise RuntimeError("the disks could not be pushed apart")


@_compiled
def covered(disks: ndarray, box: float, pixels: int) -> ndarray:
    """Which pixels' corners lie in a disk: a square map of 0 and 1.

    Args:
        disks: Rows x, y, R [same unit as ``box``].
        box: Edge of the periodic square.
        pixels: Pixels along it; the first corner is at 0.
    """
    mask = np.zeros((pixels, pixels), dtype=np.uint8)
    pixel = box / pixels
    for i in range(disks.shape[1]):
        x, y, radius = disks[0, i], disks[1, i], disks[2, i]
        for row in range(
            math.ceil((x - radius) / pixel), int((x + radius) / pixel) + 1
        ):
            away = row * pixel - x
            half = math.sqrt(max(radius * radius - away * away, 0.0))
            first = math.ceil((y - half) / pixel)
            for column in range(first, math.floor((y + half) / pixel) + 1):
                mask[row % pixels, column % pixels] = 1
    return mask
