"""Mirrors src/saxinfer/inference/screen.py."""

import math

import pytest
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.direct import Demand
from saxinfer.inference.mixture import StudentMixture
from saxinfer.inference.record import Recorded
from saxinfer.inference.screen import BATCH, LEAST, screened, share_of
from saxinfer.inference.sketch import Sketch
from saxinfer.inference.target import Target

# A right sampler is off by this many standard errors at one seed in 15,000.
ERRORS = 4.0

Exact = tuple[Tensor, Tensor, float]


class Tilted(Sketch):
    """A sketch that is wrong, more so the larger the first number is."""

    slope = 0.0

    def log_density(
        self, latent: Float[Tensor, "batch dimension"]
    ) -> Float[Tensor, " batch"]:
        return super().log_density(latent) + self.slope * latent[:, 0]


def near(target: Target, exact: Exact, width: float = 1.2) -> StudentMixture:
    """A component somewhat wider than the posterior."""
    size = len(target.proposed)
    centre, factor = torch.zeros(1, size).double(), torch.eye(size).double()
    centre[0, :3], factor[:3, :3] = exact[0], torch.linalg.cholesky(exact[1])
    return StudentMixture(torch.ones(1).double(), centre, width * factor[None])


def sketch(target: Target, exact: Exact, slope: float = 0.0) -> Tilted:
    recorded = Recorded.of(target)
    drawn = near(target, exact, 2.0).sample(1500, Generator().manual_seed(1))
    places = torch.zeros(1500, target.dimension, dtype=torch.float64)
    places[:, target.proposed] = drawn
    recorded.curve(places)
    centre = torch.zeros(target.dimension, dtype=torch.float64)
    centre[:3] = exact[0]
    found = Tilted(recorded, centre)
    found.slope = slope
    return found


@pytest.mark.parametrize("slope", [0.0, 1.5])
def test_the_posterior_is_exact_whatever_the_sketch_believes(
    linear: Target, exact: Exact, slope: float
) -> None:
    mixture, demand = near(linear, exact), Demand(shape=2.0)
    rough = sketch(linear, exact, slope)
    pulls = []
    for seed in range(20):
        generator = Generator().manual_seed(seed)
        found = screened(linear, rough, mixture, generator, demand).ensemble
        assert found is not None
        assert found.effective >= demand.enough
        pulls.append((found.log_evidence - exact[2]) / found.log_evidence_sd)
        gap = found.weights @ found.points[:, :3] - exact[0]
        gap = gap / exact[1].diagonal().sqrt()
        assert float(gap.abs().max()) < ERRORS / math.sqrt(found.effective)
    mean = sum(pulls) / len(pulls)
    assert abs(mean) < ERRORS / math.sqrt(len(pulls))
    # What it states as its error is its scatter.
    square = sum(pull**2 for pull in pulls) / len(pulls)
    assert square < 1 + ERRORS * math.sqrt(2 / len(pulls))


def test_most_exact_curves_are_worth_it_where_the_sketch_is_right(
    linear: Target, exact: Exact
) -> None:
    wide = near(linear, exact, 2.0)
    right = sketch(linear, exact)
    share = share_of(right, wide, Generator().manual_seed(0))
    assert 0.01 < share < 0.3
    found = screened(linear, right, wide, Generator().manual_seed(0), Demand())
    assert found.ensemble is not None
    assert found.worked == found.ensemble.drawn == len(found.ensemble.points)
    # Draws alone would give the share.
    assert found.ensemble.effective / found.worked > 3 * share
    assert float(found.ensemble.weights.sum()) == pytest.approx(1)
    heaviest = found.ensemble.points[found.ensemble.weights.argmax()]
    assert bool((found.heaviest == heaviest).all(1).any())


def test_it_gives_up_where_the_mixture_is_elsewhere(
    linear: Target, exact: Exact
) -> None:
    far = near(linear, exact)
    far.means[:, :3] += 9 * exact[1].diagonal().sqrt()
    demand = Demand(patience=500)
    found = screened(
        linear, sketch(linear, exact), far, Generator().manual_seed(0), demand
    )
    assert found.ensemble is None
    assert found.found < demand.least
    # Draws that the sketch rejects are tried now and then.
    assert found.worked >= LEAST * BATCH / 2


def test_nothing_is_drawn_if_nothing_may_be(linear: Target, exact: Exact) -> None:
    found = screened(
        linear,
        sketch(linear, exact),
        near(linear, exact),
        Generator().manual_seed(0),
        Demand(most=0),
    )
    assert found.ensemble is None
    assert found.worked == 0
