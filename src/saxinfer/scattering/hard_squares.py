"""Packings of freely turning hard squares in equilibrium, in a periodic square.

Shrunken squares are put down at random, and grow between Monte Carlo sweeps, each as
far as its neighbours let it, until all have their size. From then on they step and
turn, exchange sizes and jump anywhere; each of these moves keeps every packing without
overlap equally probable.

Two squares are apart if they are along an edge of either (separating axes). With
half-edges a and b, a turn of t between them and (x, y) from one centre to the other
along the edges of the square of b, that is::

    max(|x|, |y|) >= b + a (|cos t| + |sin t|)

or the same seen from the other square. This holds up to a largest a, which is all that
moves and growth need to know.

Lengths are in units of the mean half-edge. Needs numba.

References:
    Metropolis et al., J. Chem. Phys. 21, 1087 (1953): the moves. Grigera & Parisi,
    Phys. Rev. E 63, 045102 (2001): exchanges of sizes. Wojciechowski & Frenkel,
    Comput. Methods Sci. Technol. 10, 235 (2004): equal squares stay isotropic up to
    an area fraction of about 0.7.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float
from numpy import ndarray
from numpy.random import Generator

from saxinfer.scattering.hard_disks import (
    Cells,
    Packing,
    _compiled,
    _insert,
    _remove,
)

__all__ = [
    "SquarePacking",
    "box",
    "covered",
    "ordered_start",
    "random_start",
    "sweeps_to_equilibrium",
]

# Area fraction at which squares are put down at random.
EASY = 0.3

# Rounds of growth before giving up, and trial moves a square between two of them.
ROUNDS, BETWEEN = 20_000, 2

# Share of trial moves that exchange two sizes.
EXCHANGES = 0.2

# Steps while squares grow [mean half-edge] and turns [rad].
GROWING_STEP = 0.2

# Directions of a square that differ.
QUARTER = math.pi / 2

# A square grown until it touches another would overlap it by rounding.
SHY = 1 - 1e-12


@_compiled
def _largest(
    gap: tuple[float, float], way: tuple[float, float, float, float], half: float
) -> float:
    """Largest half-edge beside a square of size half.

    Gap is between the centres, way the cosine and sine of either's angle.
    """
    dx, dy = gap
    c, s, other_c, other_s = way
    spread = abs(c * other_c + s * other_s) + abs(s * other_c - c * other_s)
    own = max(abs(dx * c + dy * s), abs(dy * c - dx * s))
    other = max(abs(dx * other_c + dy * other_s), abs(dy * other_c - dx * other_s))
    return max(own - half * spread, (other - half) / spread)


@_compiled
def _room(
    place: tuple[float, float, float],
    sizes: tuple[float, float],
    but: tuple[int, int],
    squares: ndarray,
    grid: Cells,
) -> float:
    """Largest half-edge at a place (x, y, angle) beside all squares but two.

    It is at most the second of the sizes. Less than the first of them means that a
    square of that size overlaps another; by how much is then not found out.
    """
    px, py, angle = place
    least, room = sizes
    first, following, width, box, largest = grid
    n = first.shape[0]
    c, s = math.cos(angle), math.sin(angle)
    # Beside its own images.
    room = min(room, 0.5 * box * max(abs(c), abs(s)))
    reach = math.sqrt(2.0) * (room + largest)
    span = math.ceil(reach / width)
    cx, cy = int(px / width), int(py / width)
    if 2 * span + 1 > n:
        # Each cell once.
        cx = cy = span = n // 2
        span_up = n - 1 - span
    else:
        span_up = span
    for ix in range(cx - span, cx + span_up + 1):
        for iy in range(cy - span, cy + span_up + 1):
            other = first[ix % n, iy % n]
            while other >= 0:
                j, other = other, following[other]
                if j in but:
                    continue
                dx, dy = px - squares[0, j], py - squares[1, j]
                dx -= box * round(dx / box)
                dy -= box * round(dy / box)
                half = squares[2, j]
                touch = math.sqrt(2.0) * (room + half)
                # In a small box two squares meet through several images.
                far = 1 if touch > 0.5 * box else 0
                for mx in range(-far, far + 1):
                    for my in range(-far, far + 1):
                        gap = (dx + mx * box, dy + my * box)
                        if gap[0] ** 2 + gap[1] ** 2 >= touch * touch:
                            continue
                        turn = squares[3, j]
                        way = (c, s, math.cos(turn), math.sin(turn))
                        room = min(room, _largest(gap, way, half))
                        if room < least:
                            return room
    return room


@_compiled
def _rsa(squares: ndarray, grid: Cells, rng: Generator) -> bool:
    """Adds the squares at random, largest first (they are sorted by size)."""
    box = grid[3]
    for i in range(squares.shape[1] - 1, -1, -1):
        half = squares[2, i]
        for _ in range(1_000_000):
            px, py = rng.random() * box, rng.random() * box
            angle = rng.random() * QUARTER
            if _room((px, py, angle), (half, half), (-1, -1), squares, grid) >= half:
                squares[3, i] = angle
                _insert(i, px, py, squares, grid)
                break
        else:
            return False
    return True


@_compiled
def _grow(squares: ndarray, targets: ndarray, grid: Cells) -> int:
    """Lets each square grow as far as there is room; returns how many are too small."""
    small = 0
    for i in range(squares.shape[1]):
        half, target = squares[2, i], targets[i]
        if half == target:
            continue
        place = (squares[0, i], squares[1, i], squares[3, i])
        room = _room(place, (half, target / SHY), (i, i), squares, grid) * SHY
        if room >= target:
            squares[2, i] = target
        else:
            squares[2, i] = max(half, room)
            small += 1
    return small


@_compiled
def _exchange(i: int, j: int, squares: ndarray, grid: Cells) -> bool:
    """Exchanges sizes of squares i and j > i, the larger, if nothing then overlaps.

    Other than with disks the pair itself may overlap afterwards.
    """
    small, large = squares[2, i], squares[2, j]
    place = (squares[0, i], squares[1, i], squares[3, i])
    squares[2, j] = small
    fits = bool(_room(place, (large, large), (i, i), squares, grid) >= large)
    squares[2, j] = large
    if fits:
        # By their numbers the squares stay sorted: places and angles go round.
        qx, qy, angle = squares[0, j], squares[1, j], squares[3, j]
        _remove(i, squares, grid)
        _remove(j, squares, grid)
        _insert(i, qx, qy, squares, grid)
        _insert(j, place[0], place[1], squares, grid)
        squares[3, i], squares[3, j] = angle, place[2]
    return fits


@_compiled
def _moves(
    squares: ndarray,
    grid: Cells,
    step: float,
    trials: int,
    exchanges: float,
    rng: Generator,
) -> ndarray:
    """Makes trial moves: a share of exchanges, 10 % anywhere, the rest steps and turns.

    Returns tried and accepted steps, exchanges and jumps. All keep the uniform measure
    on packings without overlap. Exchanges need sorted squares.
    """
    box = grid[3]
    number = squares.shape[1]
    tally = np.zeros((2, 3))
    for _ in range(trials):
        i = int(rng.integers(0, number))
        kind = rng.random()
        if kind < exchanges:
            tally[0, 1] += 1
            j = i + max(1, int(number * rng.random() ** 3 / 2))
            if j < number and _exchange(i, j, squares, grid):
                tally[1, 1] += 1
            continue
        if kind < 0.9:
            k = 0
            px = (squares[0, i] + step * (2 * rng.random() - 1)) % box
            py = (squares[1, i] + step * (2 * rng.random() - 1)) % box
            angle = (squares[3, i] + step * (2 * rng.random() - 1)) % QUARTER
        else:
            k = 2
            px, py = rng.random() * box, rng.random() * box
            angle = rng.random() * QUARTER
        tally[0, k] += 1
        # x % box may round up to box itself, which lies outside the last cell.
        if px >= box or py >= box:
            continue
        half = squares[2, i]
        if _room((px, py, angle), (half, half), (i, i), squares, grid) >= half:
            _remove(i, squares, grid)
            _insert(i, px, py, squares, grid)
            squares[3, i] = angle
            tally[1, k] += 1
    return tally


@dataclass
class SquarePacking:
    """Hard squares in a periodic square.

    Attributes:
        squares: Rows x, y, half-edge [mean half-edge] and angle [rad], from 0 to a
            quarter turn; sorted by size.
        box: Edge of the periodic square [mean half-edge].
        rng: Source of randomness.
        step: Half-width of the steps [mean half-edge] and of the turns [rad].
    """

    squares: Float[ndarray, "4 square"]
    box: float
    rng: Generator
    step: float = 0.5

    def cells(self) -> Cells:
        """Sorts the squares into cells, by their centres."""
        return Packing(self.squares[:3], self.box, self.rng).cells()

    def run(self, sweeps: int, *, tune: bool = False) -> Float[ndarray, "2 kind"]:
        """Makes sweeps of one trial move a square.

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
            trials = chunk * self.squares.shape[1]
            tally = _moves(self.squares, grid, self.step, trials, EXCHANGES, self.rng)
            total += tally
            if tune:
                high = tally[1, 0] > 0.35 * tally[0, 0]
                self.step = min(self.step * (1.1 if high else 0.9), QUARTER)
        return total


def sweeps_to_equilibrium(phi: float) -> int:
    """Sweeps from a random start after which nothing is left of it.

    Measured from a lattice of parallel squares: at 0.65 their common direction fades
    as exp(-sweeps / 1800), faster with wider sizes and at lower fractions.
    """
    return int(300 + 5000 * (phi / 0.65) ** 6)


def box(halves: Float[ndarray, " square"], phi: float) -> float:
    """Edge of the box of which the squares cover the share phi [mean half-edge]."""
    return math.sqrt(4 * float(np.square(halves).sum()) / phi)


def random_start(
    halves: Float[ndarray, " square"], phi: float, rng: Generator
) -> SquarePacking:
    """Puts shrunken squares down at random where there is room, and lets them grow.

    Args:
        halves: Rising half-edges [mean half-edge].
        phi: Area fraction; with the half-edges it sets the box.
        rng: Source of randomness.
    """
    nowhere = np.full(len(halves), np.nan)
    shrunk = halves * min(1.0, math.sqrt(EASY / phi))
    squares = np.stack([nowhere, nowhere, shrunk, nowhere])
    packing = SquarePacking(squares, box(halves, phi), rng)
    if not _rsa(packing.squares, packing.cells(), rng):
        raise RuntimeError(f"no room for {len(halves)} squares at phi = {phi:.4g}.")
    return _grown(packing, halves)


def ordered_start(
    halves: Float[ndarray, " square"], phi: float, rng: Generator
) -> SquarePacking:
    """Puts parallel squares on a square lattice, and lets them grow."""
    number, edge = len(halves), math.ceil(math.sqrt(len(halves)))
    site = rng.permutation(edge**2)[:number]
    side = box(halves, phi)
    x, y = site // edge * side / edge, site % edge * side / edge
    shrunk = np.minimum(halves, 0.499 * side / edge)
    return _grown(SquarePacking(np.stack([x, y, shrunk, 0 * x]), side, rng), halves)


def _grown(packing: SquarePacking, halves: ndarray) -> SquarePacking:
    """Lets squares grow to their half-edges, moving them about meanwhile."""
    squares, rng = packing.squares, packing.rng
    grid = (*packing.cells()[:4], float(halves[-1]))
    trials = BETWEEN * len(halves)
    for _ in range(ROUNDS):
        if _grow(squares, halves, grid) == 0:
            return packing
        _moves(squares, grid, GROWING_STEP, trials, 0.0, rng)
    raise RuntimeError(
        f"{len(halves)} squares could not grow to half-edges of up to "
        f"{halves[-1]:.4g} in a box of {packing.box:.4g}."
    )


@_compiled
def covered(squares: ndarray, box: float, pixels: int) -> ndarray:
    """Which pixels' corners lie in a square: a map of 0 and 1.

    Args:
        squares: Rows x, y, half-edge [same unit as ``box``] and angle [rad].
        box: Edge of the periodic square.
        pixels: Pixels along it; the first corner is at 0.
    """
    mask = np.zeros((pixels, pixels), dtype=np.uint8)
    pixel = box / pixels
    for i in range(squares.shape[1]):
        x, y, half = squares[0, i], squares[1, i], squares[2, i]
        c, s = math.cos(squares[3, i]), math.sin(squares[3, i])
        reach = half * (abs(c) + abs(s))
        first, last = math.ceil((y - reach) / pixel), math.floor((y + reach) / pixel)
        for row in range(
            math.ceil((x - reach) / pixel), math.floor((x + reach) / pixel) + 1
        ):
            dx = row * pixel - x
            for column in range(first, last + 1):
                dy = column * pixel - y
                if abs(dx * c + dy * s) <= half and abs(dy * c - dx * s) <= half:
                    mask[row % pixels, column % pixels] = 1
    return mask
