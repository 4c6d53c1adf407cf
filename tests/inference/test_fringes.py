"""Mirrors src/saxinfer/inference/fringes.py."""

import math

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.inference.climb import approach, climb
from saxinfer.inference.fringes import KEPT, SIZES, Spectrum, fringed, fringes_of
from saxinfer.inference.target import Target
from saxinfer.instrument.observation import Observation
from saxinfer.structures import get_structure

# Large and nearly monodisperse, so that hardly anything else fits.
TRUTH = (90.0, 0.4, 13.0, -1.0)


def measured(points: int) -> Target:
    """A core-shell sphere with many fringes in the window, 2 % noise."""
    structure = get_structure("core_shell_sphere")
    q = torch.linspace(0.1, 0.9, points, dtype=torch.float64)
    theta = torch.tensor([TRUTH], dtype=torch.float64)
    curve = structure.intensity(q, theta)[0]
    noise = torch.randn(points, generator=Generator().manual_seed(0)).double()
    sigma = 0.02 * curve
    data = Observation.of(q, curve + sigma * noise, sigma, None, "measured")
    return Target(structure, structure.space, data)


def instruments(target: Target) -> Tensor:
    """Proposals of a network that knows the instrument alone."""
    generator = Generator().manual_seed(1)
    return 0.3 * torch.randn(300, target.dimension, generator=generator).double()


def test_the_spectrum_stands_out_at_the_distances_of_the_edges() -> None:
    target = measured(300)
    spectrum = Spectrum.of(target.observation)
    edges = target.structure.edges(torch.tensor([TRUTH], dtype=torch.float64))
    radius, _, thickness, _ = TRUTH
    expected = [2 * radius, 2 * (radius - thickness), 2 * radius - thickness, thickness]
    assert edges[0].tolist() == pytest.approx(expected)
    right = float(spectrum.score(edges))
    factor = torch.linspace(1.2, 1.6, 200, dtype=torch.float64)
    wrong = spectrum.score(edges * factor[:, None])
    assert right > float(wrong.quantile(0.95))
    # A curve without fringes has none that stand out as these do.
    assert right > 2 * math.log1p(20)


def test_the_right_size_is_found_where_the_prior_would_take_thousands() -> None:
    target = measured(300)
    starts = fringed(target, instruments(target), Generator().manual_seed(0))
    assert 0 < len(starts) <= KEPT * SIZES
    found = approach(target, starts)
    best = climb(target, found.highest(32).points)
    theta = target.theta(best.points[best.density.argmax()][None])[0]
    assert float(theta[0]) == pytest.approx(TRUTH[0], rel=2e-3)
    assert float(theta[2]) == pytest.approx(TRUTH[2], rel=0.02)


def test_the_same_seed_gives_the_same_starts() -> None:
    target = measured(60)
    first, again = (
        fringed(target, instruments(target), Generator().manual_seed(2)) for _ in "ab"
    )
    assert torch.equal(first, again)


def test_without_edges_or_with_few_points_there_are_no_starts(linear: Target) -> None:
    generator = Generator().manual_seed(0)
    none = fringed(linear, torch.zeros(5, linear.dimension).double(), generator)
    assert none.shape == (0, linear.dimension)
    few = measured(8)
    assert len(fringed(few, instruments(few), generator)) == 0


def test_fringes_are_counted_over_the_window(linear: Target) -> None:
    target = measured(60)
    one = torch.zeros(1, target.dimension, dtype=torch.float64)
    theta = torch.tensor([TRUTH], dtype=torch.float64)
    one[:, : target.width] = target.space.latent_from_theta(theta)
    # The curve of a sphere of 90 nm has a minimum every pi / 90 per nm.
    assert fringes_of(target, one) == pytest.approx(0.8 * 90 / math.pi, rel=0.01)
    nothing = torch.zeros(3, linear.dimension, dtype=torch.float64)
    assert fringes_of(linear, nothing) == 0
