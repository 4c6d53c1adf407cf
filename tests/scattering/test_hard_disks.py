"""Mirrors src/saxinfer/scattering/hard_disks.py."""

import math

import numpy as np
import pytest
import torch
from numpy import ndarray
from numpy.random import default_rng
from scipy.special import j1

from saxinfer.scattering import packing as table
from saxinfer.scattering.radii import drawn_radii

hard_disks = pytest.importorskip("saxinfer.scattering.hard_disks", exc_type=ImportError)


def clearance(disks: ndarray, box: float) -> float:
    """Smallest gap between any two disks, over all images."""
    x, y, radius = disks
    dx, dy = x[:, None] - x, y[:, None] - y
    dx, dy = dx - box * np.round(dx / box), dy - box * np.round(dy / box)
    gap = np.hypot(dx, dy) - (radius[:, None] + radius)
    return float(gap[~np.eye(len(x), dtype=bool)].min())


@pytest.mark.parametrize("std", [0.05, 0.4])
def test_radii_have_the_mean_and_the_spread_asked_for(std: float) -> None:
    radii = hard_disks.lognormal_radii(300, std)
    assert radii.mean() == pytest.approx(1, abs=1e-12)
    assert radii.std() == pytest.approx(std, rel=1e-12)
    assert (np.diff(radii) >= 0).all()


@pytest.mark.parametrize(("phi", "std"), [(0.1, 0.3), (0.45, 0.05), (0.64, 0.2)])
@pytest.mark.parametrize("start", ["random_start", "ordered_start"])
def test_no_disk_overlaps_another_before_or_after_moves(
    start: str, phi: float, std: float
) -> None:
    radii = hard_disks.lognormal_radii(200, std)
    found = getattr(hard_disks, start)(radii, phi, default_rng(1))
    assert clearance(found.disks, found.box) >= 0
    tally = found.run(200)
    assert clearance(found.disks, found.box) >= 0
    assert math.pi * np.square(radii).sum() / found.box**2 == pytest.approx(phi)
    assert (found.disks[2] == radii).all()
    assert (tally[1] > 0).all()
    assert found.disks[:2].min() >= 0
    assert found.disks[:2].max() < found.box


def test_the_same_seed_gives_the_same_packing() -> None:
    radii = hard_disks.lognormal_radii(100, 0.2)
    one, two, other = (
        hard_disks.random_start(radii, 0.5, default_rng(seed)) for seed in (4, 4, 5)
    )
    for packing in (one, two, other):
        packing.run(20, tune=True)
    assert (one.disks == two.disks).all()
    assert not (one.disks == other.disks).all()


@pytest.mark.parametrize(("phi", "std"), [(0.2, 0.3), (0.45, 0.1), (0.55, 0.3)])
def test_long_waves_forget_the_start(phi: float, std: float) -> None:
    m, n = (axis.ravel() for axis in np.mgrid[-3:4, 1:4])
    kept = 0.0
    for seed in range(3):
        radii = hard_disks.lognormal_radii(800, std)
        found = hard_disks.random_start(radii, phi, default_rng(seed))
        unit = 2 * math.pi / found.box
        size = radii * j1(np.outer(unit * np.hypot(m, n), radii))

        def waves(disks: ndarray, size: ndarray = size, unit: float = unit) -> ndarray:
            phase = unit * (np.outer(m, disks[0]) + np.outer(n, disks[1]))
            return np.asarray((size * np.exp(1j * phase)).sum(1))

        before = waves(found.disks)
        found.run(hard_disks.sweeps_to_equilibrium(phi), tune=True)
        after = waves(found.disks)
        strength = float(np.linalg.norm(before) * np.linalg.norm(after))
        kept += float((before.conj() @ after).real) / strength / 3
    # Of 63 waves: the scatter is about 0.12. A twentieth of the sweeps keeps a third
    # to a half.
    assert abs(kept) < 0.3


@pytest.mark.parametrize(("phi", "std"), [(0.2, 0.2), (0.55, 0.1)])
def test_the_peak_is_that_of_the_table(phi: float, std: float) -> None:
    """The sampler of the table and that of pictures are one: a guard of its moves."""
    radii, rng = hard_disks.lognormal_radii(300, std), default_rng(8)
    found = hard_disks.random_start(radii, phi, rng)
    found.run(hard_disks.sweeps_to_equilibrium(phi), tune=True)
    unit = 2 * math.pi / found.box
    m = np.arange(-int(4.2 / unit), int(4.2 / unit) + 1)
    kx, ky = (unit * axis.ravel() for axis in np.meshgrid(m, m[m > 0]))
    k = np.hypot(kx, ky)
    band = np.digitize(k, [1.6, 2.2, 2.8, 3.4, 4.0])
    chosen = (band > 0) & (band < 5)
    k, kx, ky, band = k[chosen], kx[chosen], ky[chosen], band[chosen] - 1
    y = k[:, None] * radii
    amplitude = 2 * math.pi * radii**2 * j1(y) / y
    means = []
    for _ in range(60):
        found.run(20)
        phase = np.exp(
            1j * (np.outer(kx, found.disks[0]) + np.outer(ky, found.disks[1]))
        )
        power = np.abs((amplitude * phase).sum(1)) ** 2 / found.box**2
        means.append(np.bincount(band, power) / np.bincount(band))
    one = torch.tensor([phi, std]).double()[:, None]
    curve = table.spectrum(one[0], one[1])[0].numpy()
    expected = np.bincount(band, np.interp(k, table.X_NODES.numpy(), curve))
    ratio = np.mean(means, 0) / (expected / np.bincount(band))
    # Memory from one configuration to the next: the scatter of twelve stretches.
    blocks = np.reshape(means, (12, 5, -1)).mean(1) / np.mean(means, 0)
    error = np.hypot(blocks.std(0, ddof=1) / math.sqrt(12), 0.006)
    assert (np.abs(ratio - 1) < 4 * error).all()
    assert (error < 0.05).all()


def test_covered_pixels_are_those_within_a_radius_over_the_edge_too() -> None:
    disks = np.array([[0.3, 5.0], [9.9, 4.2], [1.47, 2.21]])
    found = hard_disks.covered(disks, 10.0, 80)
    axis = 0.125 * np.arange(80)
    expected = np.zeros((80, 80), bool)
    for x, y, radius in disks.T:
        dx, dy = axis[:, None] - x, axis - y
        dx, dy = dx - 10 * np.round(dx / 10), dy - 10 * np.round(dy / 10)
        expected |= np.hypot(dx, dy) <= radius
    assert (found.astype(bool) == expected).all()


@pytest.mark.parametrize("count", [9, 11, 16])
def test_no_disks_overlap_in_a_box_of_a_few(count: int) -> None:
    # Four cells an edge: the one opposite has to be looked at, too.
    for seed in range(20):
        rng = np.random.default_rng(seed)
        packing = hard_disks.random_start(drawn_radii(count, 0.3, rng), 0.6, rng)
        packing.run(200)
        assert clearance(packing.disks, packing.box) > -1e-9
