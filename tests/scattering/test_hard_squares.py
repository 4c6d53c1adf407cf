"""Mirrors src/saxinfer/scattering/hard_squares.py."""

import math

import numpy as np
import pytest
from numpy import ndarray
from numpy.random import Generator, default_rng

from saxinfer.scattering.radii import drawn_radii

hard_squares = pytest.importorskip(
    "saxinfer.scattering.hard_squares", exc_type=ImportError
)

IMAGES = np.array([(x, y) for x in (-1, 0, 1) for y in (-1, 0, 1)])


def corners(squares: ndarray) -> ndarray:
    """Corners of squares x, y, half-edge, angle, counterclockwise: square, 4, 2."""
    x, y, half, angle = squares
    turn = angle[:, None] + math.pi / 4 + math.pi / 2 * np.arange(4)
    reach = math.sqrt(2) * half[:, None]
    return np.stack(
        [x[:, None] + reach * np.cos(turn), y[:, None] + reach * np.sin(turn)], -1
    )


def side(start: ndarray, end: ndarray, point: ndarray) -> ndarray:
    """Positive where a point lies to the left of an edge."""
    edge, away = end - start, point - start
    return np.asarray(edge[..., 0] * away[..., 1] - edge[..., 1] * away[..., 0])


def meet(one: ndarray, two: ndarray) -> ndarray:
    """Whether polygons (pair, 4, 2) overlap: edges cross, or one holds a corner."""
    first, second = one[:, :, None], two[:, None]
    first_end, second_end = np.roll(first, -1, 1), np.roll(second, -1, 2)
    from_first, to_first = (side(first, first_end, p) for p in (second, second_end))
    from_second, to_second = (side(second, second_end, p) for p in (first, first_end))
    cross: ndarray = (from_first * to_first < 0) & (from_second * to_second < 0)
    holds = np.any(np.all(from_first > 0, 1), 1) | np.any(np.all(from_second > 0, 2), 1)
    return np.asarray(cross.any((1, 2)) | holds)


def overlaps(squares: ndarray, box: float) -> int:
    """How many pairs overlap, a square and its own images too; by edges and corners."""
    one, two, image = np.meshgrid(
        *(np.arange(n) for n in (squares.shape[1], squares.shape[1], 9)), indexing="ij"
    )
    chosen = (one < two) | ((one == two) & (image > 4))
    one, two, image = one[chosen], two[chosen], image[chosen]
    shift = box * IMAGES[image]
    gap = (squares[:2, two] - squares[:2, one]).T + shift
    near = np.hypot(*gap.T) < math.sqrt(2) * (squares[2, one] + squares[2, two])
    shape = corners(squares)
    moved = shape[two[near]] + shift[near][:, None]
    return int(meet(shape[one[near]], moved).sum())


def swollen(squares: ndarray, factor: float) -> ndarray:
    return np.asarray(squares * np.array([[1], [1], [factor], [1]]))


def order(angles: ndarray) -> float:
    """Common direction of squares: about 1 if there is none, their number if one."""
    return float(abs(np.exp(4j * angles).mean()) ** 2 * angles.size)


def contacts(found: object) -> ndarray:
    """Factors up to 1.3 by which the squares of a pair have to grow to touch."""
    (x, y, half, angle), box = found.squares, found.box  # type: ignore[attr-defined]
    one, two = np.triu_indices(len(x), 1)
    dx, dy = x[one] - x[two], y[one] - y[two]
    dx, dy = dx - box * np.round(dx / box), dy - box * np.round(dy / box)
    near = np.hypot(dx, dy) < 1.3 * math.sqrt(2) * (half[one] + half[two])
    one, two, dx, dy = one[near], two[near], dx[near], dy[near]
    turn, factors = angle[one] - angle[two], []
    spread = np.abs(np.cos(turn)) + np.abs(np.sin(turn))
    for a, b in ((one, two), (two, one)):
        way = np.arctan2(dy, dx) - angle[a]
        along = np.hypot(dx, dy) * np.maximum(np.abs(np.cos(way)), np.abs(np.sin(way)))
        factors.append(along / (half[a] + spread * half[b]))
    return np.asarray(np.maximum(factors[0], factors[1]))


@pytest.mark.parametrize(
    ("count", "phi", "std"),
    [(200, 0.1, 0.3), (200, 0.45, 0.05), (200, 0.65, 0.2), (9, 0.65, 0.4)],
)
@pytest.mark.parametrize("start", ["random_start", "ordered_start"])
def test_no_square_overlaps_another_before_or_after_moves(
    start: str, count: int, phi: float, std: float
) -> None:
    halves = drawn_radii(count, std, default_rng(2))
    found = getattr(hard_squares, start)(halves, phi, default_rng(1))
    assert overlaps(found.squares, found.box) == 0
    tally = found.run(300)
    assert overlaps(found.squares, found.box) == 0
    # Neighbours are close: what finds overlaps would find one.
    assert overlaps(swollen(found.squares, 1.2), found.box) > 0
    assert (found.squares[2] == halves).all()
    assert 4 * np.square(halves).sum() / found.box**2 == pytest.approx(phi, rel=1e-12)
    assert (tally[1, :2] > 0).all()
    assert found.squares[[0, 1, 3]].min() >= 0
    assert found.squares[:2].max() < found.box
    assert found.squares[3].max() <= math.pi / 2


@pytest.mark.parametrize("sizes", [(1.0,), (1.0, 1.5)])
def test_no_image_overlaps_in_a_narrow_box(sizes: tuple[float, ...]) -> None:
    halves = np.array(sizes)
    found = hard_squares.random_start(halves, 0.61, default_rng(5))
    # Here a square can meet itself, or another through not the nearest image.
    assert math.sqrt(2) * halves.sum() > found.box / 2
    for _ in range(1000):
        found.run(5)
        assert overlaps(found.squares, found.box) == 0


def test_the_same_seed_gives_the_same_packing() -> None:
    halves = drawn_radii(100, 0.2, default_rng(3))
    one, two, other = (
        hard_squares.random_start(halves, 0.5, default_rng(seed)) for seed in (4, 4, 5)
    )
    for packing in (one, two, other):
        packing.run(20, tune=True)
    assert (one.squares == two.squares).all()
    assert not (one.squares == other.squares).all()


def test_squares_that_cannot_fit_are_refused() -> None:
    # Four to a row of five edges leave no room for a fifth row.
    with pytest.raises(RuntimeError, match="17 squares could not grow"):
        hard_squares.random_start(np.ones(17), 0.95, default_rng(0))


def test_a_jump_is_refused_as_often_as_the_excluded_area_says() -> None:
    """Boublík, Mol. Phys. 29, 421 (1975): A + A' + P P' / (2 pi), all ways alike.

    With equal squares it is twice their second virial coefficient.
    """
    halves, edge = np.array([0.8, 1.2]), 9.0
    phi = 4 * np.square(halves).sum() / edge**2
    found = hard_squares.random_start(halves, phi, default_rng(7))
    tally = found.run(2_000_000)
    excluded = 4 * np.square(halves).sum() + 64 * halves.prod() / (2 * math.pi)
    expected = 1 - excluded / edge**2
    error = math.sqrt(expected * (1 - expected) / tally[0, 2])
    # Four errors: a right sampler fails at one seed in 15,000.
    assert abs(tally[1, 2] / tally[0, 2] - expected) < 4 * error
    assert error < 0.001


def shape_of(squares: ndarray, edge: float) -> list[float]:
    """Distances and turns between the pairs of three squares."""
    row = []
    for one, two in ((0, 1), (0, 2), (1, 2)):
        gap = squares[:2, one] - squares[:2, two]
        gap = gap - edge * np.round(gap / edge)
        row += [np.hypot(*gap), np.cos(4 * (squares[3, one] - squares[3, two]))]
        row.append(np.abs(gap).max())
    return row


def test_every_packing_without_overlap_is_equally_probable() -> None:
    """Three squares in a narrow box: all thrown at random, kept if none overlap."""
    halves, edge, rng = np.array([0.5, 0.9, 1.3]), 5.2, default_rng(11)
    thrown: list[list[float]] = []
    while len(thrown) < 1000:
        throws = (
            rng.random((2000, 4, 3)) * np.array([edge, edge, 0, math.pi / 2])[:, None]
        )
        throws[:, 2] = halves
        gap = throws[:, :2] - np.roll(throws[:, :2], 1, axis=2)
        distance = np.linalg.norm(gap - edge * np.round(gap / edge), axis=1)
        # Most overlap by their inscribed disks already.
        apart = (distance > halves + np.roll(halves, 1)).all(1)
        kept = [one for one in throws[apart] if not overlaps(one, edge)]
        thrown += [shape_of(one, edge) for one in kept]
    found = hard_squares.random_start(
        halves, 4 * np.square(halves).sum() / edge**2, default_rng(12)
    )
    moved = []
    for _ in range(5000):
        found.run(40)
        moved.append(shape_of(found.squares, edge))
    blocks = np.reshape(moved, (50, 100, -1)).mean(1)
    error = np.hypot(
        np.std(thrown, 0) / math.sqrt(len(thrown)), blocks.std(0) / math.sqrt(49)
    )
    # Nine figures, four and a half errors each: fails at one seed in 3,000.
    assert (np.abs(np.mean(thrown, 0) - blocks.mean(0)) < 4.5 * error).all()
    assert (error < 0.05).all()


def equilibrium(start: str, phi: float, seed: int, count: int) -> object:
    rng = default_rng(seed)
    halves = drawn_radii(count, 0.1, rng)
    found = getattr(hard_squares, start)(halves, phi, rng)
    found.run(hard_squares.sweeps_to_equilibrium(phi), tune=True)
    return found


def starts_agree(phi: float, count: int, copies: int) -> None:
    """Order and contacts from both starts agree, and no direction is preferred."""
    means, errors, ways = [], [], []
    for start in ("random_start", "ordered_start"):
        rows = []
        for seed in range(copies):
            found = equilibrium(start, phi, seed, count)
            near = [(contacts(found) < 1 + width).sum() for width in (0.03, 0.1, 0.3)]
            angles = found.squares[3]  # type: ignore[attr-defined]
            rows.append([order(angles), *near])
            way = np.exp(1j * np.outer([4, 8], angles)).mean(1)
            ways.append([*way.real, *way.imag])
        means.append(np.mean(rows, 0))
        errors.append(np.std(rows, 0, ddof=1) / math.sqrt(copies))
    # Five errors, known from their scatter: fails at one seed in 3,000.
    assert (np.abs(means[0] - means[1]) < 5 * np.hypot(*errors)).all()
    scatter = np.std(ways, 0, ddof=1) / math.sqrt(len(ways))
    assert (np.abs(np.mean(ways, 0)) < 5 * scatter).all()
    # The ordered start has as much order as squares.
    assert np.hypot(*errors)[0] < 0.05 * count


def test_nothing_is_left_of_the_start_and_no_direction_is_preferred() -> None:
    starts_agree(0.5, 100, 20)


@pytest.mark.slow
def test_nothing_is_left_of_the_start_of_a_dense_packing() -> None:
    starts_agree(0.65, 200, 20)


def third_virial(rng: Generator, count: int) -> float:
    """Third virial coefficient of squares [area²]: triples thrown in which all meet."""
    reach = 2 * math.sqrt(2)
    away, way, turn = rng.random((3, 3, count))
    away[0] = 0
    away, way = reach * np.sqrt(away), 2 * math.pi * way
    place = away * np.cos(way), away * np.sin(way)
    squares = np.stack([*place, np.ones_like(turn), math.pi / 2 * turn], 1)
    one, two, three = (corners(square) for square in squares)
    left = np.flatnonzero(meet(one, two))
    for a, b in ((one, three), (two, three)):
        left = left[meet(a[left], b[left])]
    return left.size / count * (math.pi * reach**2 / 4) ** 2 / 3


def test_the_pressure_is_that_of_the_virial_series() -> None:
    """The excess pressure counts pairs close to contact.

    The second coefficient is known, 1 + 4 / pi, the third thrown, and what is above,
    5 % here, taken from scaled particle theory, good to a quarter:
    Z = 1 / (1 - phi) + (4 / pi) phi / (1 - phi)².
    """
    phi, count, width, spread = 0.15, 60, 0.02, 4 / math.pi
    found = hard_squares.random_start(np.ones(count), phi, default_rng(21))
    found.run(hard_squares.sweeps_to_equilibrium(phi), tune=True)
    met = []
    for _ in range(4000):
        found.run(6)
        met.append((contacts(found) < 1 + width).sum())
    # Pairs within a factor 1 + d, of N d as d goes to zero in two dimensions; each
    # square has N - 1 others.
    blocks = np.reshape(met, (40, 100)).mean(1) / (count - 1)
    excess = blocks / ((1 + width) ** 2 - 1)
    third = third_virial(default_rng(22), 60_000)
    # Known to three digits from more triples: a guard of the throws.
    assert third == pytest.approx(3.974, abs=4 * 0.025)
    theory = 1 / (1 - phi) + spread * phi / (1 - phi) ** 2 - 1
    expected = theory + (third - (1 + 2 * spread)) * phi**2
    error = excess.std(ddof=1) / math.sqrt(40)
    # Four errors, and 1.5 % for the tail: a right one fails at one seed in 4,000.
    assert abs(excess.mean() - expected) < 4 * error + 0.015 * expected
    assert error < 0.02 * expected


def test_covered_pixels_are_those_in_a_square_over_the_edge_too() -> None:
    squares = np.array(
        [[0.3, 5.0, 7.5], [9.9, 4.2, 8.0], [1.47, 2.21, 0.5], [0.4, 1.3, 0.0]]
    )
    found = hard_squares.covered(squares, 10.0, 80)
    axis = 0.125 * np.arange(80)
    point = np.stack(np.meshgrid(axis, axis, indexing="ij"), -1)
    expected = np.zeros((80, 80), bool)
    for shift in 10 * IMAGES:
        for shape in corners(squares) + shift:
            left = [
                side(a, b, point) >= -1e-9
                for a, b in zip(shape, np.roll(shape, -1, 0), strict=True)
            ]
            expected |= np.all(left, 0)
    assert (found.astype(bool) == expected).all()
    assert found.mean() == pytest.approx(
        4 * np.square(squares[2]).sum() / 100, rel=0.03
    )
