"""Mirrors src/saxinfer/inference/proposals.py."""

import pytest
import torch
from torch import Generator

from saxinfer.inference.card import load_estimator
from saxinfer.inference.proposals import PROPOSALS, propose
from saxinfer.inference.target import Target
from saxinfer.judging.draws import drawn
from saxinfer.preprocess.prepare import prepare
from saxinfer.structures import get_structure


def posterior(model: str, row: int) -> tuple[Target, torch.Tensor]:
    """Of a simulated curve, with its truth."""
    draw = drawn(model, "standard", 4000, row)
    ready = prepare(draw.curve)
    data = ready.observation()
    structure = get_structure(model)
    return Target(structure, structure.space, data), draw.truth


@pytest.mark.parametrize("model", ["sphere", "cellulose"])
def test_what_is_proposed_fits_far_better_than_the_prior_does(model: str) -> None:
    target, _ = posterior(model, 3)
    generator = Generator().manual_seed(0)
    proposed = propose(target, load_estimator(model), generator)
    assert proposed.shape == (PROPOSALS, target.dimension)
    random = torch.randn(PROPOSALS, target.dimension, generator=generator).double()
    heights = [target.levelled(x)[1].median() for x in (proposed, random)]
    assert float(heights[0]) > float(heights[1]) + 100


def test_the_truth_is_in_the_midst_of_what_is_proposed() -> None:
    shares = []
    for row in range(20):
        target, truth = posterior("sphere", row)
        proposed = propose(target, load_estimator("sphere"), Generator().manual_seed(0))
        radius = target.theta(proposed)[:, 0]
        shares.append(float((radius < truth[0]).double().mean()))
    # A network that knows nothing of the curve would say so of half of them only.
    assert sum(0.005 < share < 0.995 for share in shares) >= 18


def test_proposals_keep_to_what_the_user_narrowed() -> None:
    target, truth = posterior("sphere", 0)
    low, high = 0.9 * float(truth[0]), 1.1 * float(truth[0])
    space = target.space.narrow("radius_mean", low, high)
    narrow = Target(target.structure, space, target.observation)
    proposed = propose(narrow, load_estimator("sphere"), Generator().manual_seed(0))
    radius = narrow.theta(proposed)[:, 0]
    # Rounding at the edge of the range, where many end up.
    assert float(radius.min()) > low * (1 - 1e-9)
    assert float(radius.max()) < high * (1 + 1e-9)
