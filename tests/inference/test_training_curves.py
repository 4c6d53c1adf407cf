"""Mirrors src/saxinfer/inference/training_curves.py."""

from collections import Counter

import pytest
import torch
from torch import Generator

from saxinfer.inference.npe import NUISANCE_TARGETS
from saxinfer.inference.training_curves import GRIDS, kind_of_step, simulate
from saxinfer.instrument.tiers import Tier
from saxinfer.preprocess.features import BINS, CHANNELS
from saxinfer.structures import MODELS, Structure


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)
@pytest.mark.parametrize("tier", ["standard", "hard"])
def test_simulated_curves_are_fit_to_learn_from(model: Structure, tier: Tier) -> None:
    latent, seen = simulate(model, tier, 16, 32, Generator().manual_seed(0))
    assert latent.shape == (
        16,
        len(model.space) - len(model.unseen) + len(NUISANCE_TARGETS),
    )
    assert seen.shape == (16, CHANNELS, BINS)
    assert bool(latent.isfinite().all())
    assert bool(seen.isfinite().all())
    assert float(latent.abs().max()) <= 4.5
    assert float(seen.abs().max()) < 20


def test_simulation_follows_its_generator() -> None:
    model = MODELS["sphere"]
    first, again = (
        simulate(model, "hard", 4, 32, Generator().manual_seed(1)) for _ in "ab"
    )
    assert torch.equal(first[0], again[0])
    assert torch.equal(first[1], again[1])


def test_latent_targets_of_hard_curves_are_standard_normal() -> None:
    model = MODELS["sphere"]
    latent, _ = simulate(model, "hard", 3000, 12, Generator().manual_seed(0))
    # Standard errors of mean and deviation of 3,000 numbers are 0.018 and 0.013.
    assert float(latent.mean(0).abs().max()) < 0.07
    assert float((latent.std(0) - 1).abs().max()) < 0.06


def test_ten_steps_have_each_tier_on_each_grid() -> None:
    kinds = [kind_of_step(step) for step in range(10)]
    assert kinds == [kind_of_step(step) for step in range(10, 20)]
    assert Counter(tier for tier, _ in kinds) == {"standard": 5, "hard": 5}
    assert {points for tier, points in kinds if tier == "hard"} == set(GRIDS)
    # No standard instrument has as few points as the coarsest grid.
    assert min(points for tier, points in kinds if tier == "standard") == 32
