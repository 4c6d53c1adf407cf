"""Mirrors src/saxinfer/inference/chain.py."""

import math
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.inference.chain import CYCLES, LEARNT, settle
from saxinfer.inference.screen import share_of
from saxinfer.inference.sketch import Sketch
from saxinfer.inference.target import Target

# A right sampler is off by this many standard errors at one seed in 15,000.
ERRORS = 4.0

Exact = tuple[Tensor, Tensor, float]
Loaded = Callable[[Path], ModuleType]


@pytest.fixture(scope="module")
def screen(loaded: Loaded) -> ModuleType:
    """Sketches and mixtures of the linear posterior."""
    return loaded(Path(__file__).with_name("test_screen.py"))


@pytest.mark.parametrize("slope", [0.0, 0.7])
def test_walkers_from_one_place_spread_as_the_sketch_says(
    linear: Target, exact: Exact, screen: ModuleType, slope: float
) -> None:
    sketch: Sketch = screen.sketch(linear, exact, slope)
    mixture = screen.near(linear, exact)
    generator = Generator().manual_seed(0)
    starts = torch.zeros(400, linear.dimension, dtype=torch.float64)
    starts[:, linear.proposed] = mixture.means + 0.2 * (
        mixture.sample(400, generator) - mixture.means
    )
    settled = settle(sketch.target, sketch, starts, mixture, generator)
    places = settled.state.points
    assert places.shape == starts.shape
    # A density times exp(slope z) of a normal one has its mean moved by slope variance.
    expected = exact[0] + slope * exact[1][0]
    sd = exact[1].diagonal().sqrt()
    gap = (places[:, :3].mean(0) - expected) / sd
    # Walkers remember a little of where they started.
    assert float(gap.abs().max()) < 2 * ERRORS / math.sqrt(len(places))
    assert float((places[:, :3].std(0) / sd - 1).abs().max()) < 0.2
    # The mixture that comes out covers what they found.
    assert share_of(sketch, settled.mixture, generator) > 0.05


def test_each_cycle_learns_from_where_the_walkers_were(
    linear: Target, exact: Exact, screen: ModuleType
) -> None:
    sketch: Sketch = screen.sketch(linear, exact)
    recorded, mixture = sketch.target, screen.near(linear, exact)
    seen = []
    learn = sketch.learn

    def counted() -> None:
        seen.append(sum(len(places) for places in recorded.places))
        learn()

    sketch.learn = counted  # type: ignore[method-assign]
    starts = torch.zeros(100, linear.dimension, dtype=torch.float64)
    starts[:, linear.proposed] = mixture.sample(100, Generator().manual_seed(0))
    settle(recorded, sketch, starts, mixture, Generator().manual_seed(0))
    assert len(seen) == CYCLES
    assert all(0 < count <= LEARNT for count in seen)
