"""Mirrors src/saxinfer/inference/training.py."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Generator, Tensor, nn

from saxinfer.inference import training
from saxinfer.inference.card import load_estimator
from saxinfer.inference.npe import NUISANCE_TARGETS, PosteriorNetwork
from saxinfer.inference.training import Recipe, recipe_for, simulate, train
from saxinfer.instrument.tiers import Tier
from saxinfer.preprocess.features import BINS, CHANNELS
from saxinfer.structures import MODELS, Structure


def weights(folder: Path) -> dict[str, Tensor]:
    found: dict[str, Tensor] = load_file(folder / "weights.safetensors")
    return found


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


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


def test_two_steps_from_one_seed_give_the_same_weights(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        train("sphere", tmp_path / name, recipe=Recipe(steps=2, batch=8, seed=seed))
    first, again, other = (weights(tmp_path / name) for name in "abc")
    assert same(first, again)
    assert not same(first, other)


class _Small(PosteriorNetwork):
    """Stands for the network, of which six hundred steps would take a minute."""

    def __init__(self, structure: Structure) -> None:
        nn.Module.__init__(self)
        self.layer = nn.Linear(4, 2)

    def log_density(self, latent: Tensor, features: Tensor) -> Tensor:
        mean: Tensor = self.layer(features)
        return -(latent - mean).square().sum(-1)


def _quick(
    structure: Structure, tier: str, batch: int, points: int, generator: Generator
) -> tuple[Tensor, Tensor]:
    drawn = torch.randn(batch, 6, generator=generator)
    return drawn[:, :2] + points / 100, drawn[:, 2:]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setattr(training, "PosteriorNetwork", _Small)
    monkeypatch.setattr(training, "simulate", _quick)
    # The small network has no embedding to survey.
    monkeypatch.setattr(training, "survey_estimator", lambda *_, most: None)
    return monkeypatch


@pytest.mark.usefixtures("quick")
def test_a_run_that_was_stopped_goes_on_to_the_same_weights(tmp_path: Path) -> None:
    recipe = Recipe(steps=700, batch=4)
    train("sphere", tmp_path / "whole", recipe=recipe)

    def stop(done: int, total: int, note: str) -> None:
        if done == 600:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train("sphere", tmp_path / "stopped", recipe=recipe, progress=stop)
    assert not (tmp_path / "stopped" / "weights.safetensors").exists()
    train("sphere", tmp_path / "stopped", recipe=recipe, resume=True)
    assert same(weights(tmp_path / "whole"), weights(tmp_path / "stopped"))


@pytest.mark.usefixtures("quick")
def test_without_being_asked_to_resume_it_starts_anew(tmp_path: Path) -> None:
    steps: list[int] = []

    def note(done: int, total: int, text: str) -> None:
        assert total == 100
        assert text.startswith("loss ")
        steps.append(done)

    recipe = Recipe(steps=100, batch=4)
    train("sphere", tmp_path, recipe=recipe, progress=note)
    train("sphere", tmp_path, recipe=recipe, progress=note)
    train("sphere", tmp_path, recipe=recipe, progress=note, resume=True)
    assert steps == [50, 100, 50, 100]


@pytest.mark.usefixtures("quick")
def test_learning_lowers_the_loss(tmp_path: Path) -> None:
    train("sphere", tmp_path, recipe=Recipe(steps=600, batch=16, rate=0.02))
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    losses = state["losses"]
    assert len(losses) == 600
    assert sum(losses[-100:]) < 0.9 * sum(losses[:100])


def test_a_curve_beyond_numbers_does_not_spoil_the_weights(
    tmp_path: Path, quick: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def spoiled(*args: object) -> tuple[Tensor, Tensor]:
        calls.append(1)
        value = torch.nan if len(calls) == 2 else 0.5
        return torch.full((4, 2), value), torch.ones(4, 4)

    quick.setattr(training, "simulate", spoiled)
    train("sphere", tmp_path, recipe=Recipe(steps=3, batch=4))
    assert all(bool(part.isfinite().all()) for part in weights(tmp_path).values())


@pytest.mark.parametrize("model", MODELS)
def test_the_shipped_recipe_is_changed_only_where_asked(model: str) -> None:
    recipe = recipe_for(model)
    assert recipe_for(model, steps=3) == Recipe(
        3, recipe.batch, recipe.rate, recipe.seed
    )
    assert recipe_for(model, seed=5).seed == 5


@pytest.mark.usefixtures("quick")
def test_the_card_keeps_the_recipe(tmp_path: Path) -> None:
    train("sphere", tmp_path, recipe=Recipe(steps=2, batch=4, seed=9))
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["recipe"]["steps"] == 2
    assert card["recipe"]["seed"] == 9


def test_a_trained_estimator_knows_where_its_curves_lie(tmp_path: Path) -> None:
    train("sphere", tmp_path, recipe=Recipe(steps=1, batch=8))
    found = load_estimator("sphere", tmp_path).surroundings
    assert found is not None
    # No fewer than 32 of each tier, however short the training.
    assert len(found.ranked) == 64
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["domain"]["curves"] == {"centre": 32, "spread": 32, "ranked": 32}
