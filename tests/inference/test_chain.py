"""Mirrors src/saxinfer/inference/chain.py."""

import importlib.util
import math
from pathlib import Path

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.inference.chain import CYCLES, LEARNT, gathered, resettled, settle
from saxinfer.inference.ensemble import Ensemble
from saxinfer.inference.screen import share_of
from saxinfer.inference.sketch import Sketch
from saxinfer.inference.target import Target

# A right sampler is off by this many standard errors at one seed in 15,000.
ERRORS = 4.0

_SPEC = importlib.util.spec_from_file_location(
    "screen_helpers", Path(__file__).with_name("test_screen.py")
)
assert _SPEC is not None
assert _SPEC.loader is not None
screen = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(screen)

Exact = tuple[Tensor, Tensor, float]


def off(found: Ensemble, exact: Exact) -> float:
    """Largest error of the three means in standard errors."""
    gap = found.weights @ found.points[:, :3] - exact[0]
    gap = gap / exact[1].diagonal().sqrt()
    return float(gap.abs().max()) * math.sqrt(found.effective)


@pytest.mark.parametrize("slope", [0.0, 0.7])
def test_walkers_from_one_place_end_as_the_closed_form_says(
    linear: Target, exact: Exact, slope: float
) -> None:
    sketch: Sketch = screen.sketch(linear, exact, slope)
    mixture = screen.near(linear, exact)
    generator = Generator().manual_seed(0)
    starts = torch.zeros(300, linear.dimension, dtype=torch.float64)
    starts[:, linear.proposed] = mixture.means + 0.2 * (
        mixture.sample(300, generator) - mixture.means
    )
    recorded = sketch.target
    settled = settle(recorded, sketch, starts, mixture, generator)
    assert settled.state.points.shape == starts.shape
    assert share_of(sketch, settled.mixture, generator) > 0.05
    found = gathered(recorded, sketch, settled, generator, 800)
    assert found.effective > 300
    assert off(found, exact) < ERRORS
    assert found.log_evidence == pytest.approx(
        exact[2], abs=ERRORS * found.log_evidence_sd
    )
    assert found.log_evidence_sd < 0.1
    # What was weighed teaches the sketch, and walkers go on from it.
    again = resettled(recorded, sketch, settled, found, generator)
    more = gathered(recorded, sketch, again, generator, 800)
    assert off(more, exact) < ERRORS
    assert not torch.equal(more.points, found.points)


def test_each_cycle_learns_from_where_the_walkers_were(
    linear: Target, exact: Exact
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
