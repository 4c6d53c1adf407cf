"""Mirrors src/saxinfer/inference/training.py, with the descent that it starts."""

import json
import math
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from torch import Generator, Tensor, nn

from saxinfer.inference import descent, training, validation
from saxinfer.inference.card import load_estimator
from saxinfer.inference.npe import PosteriorNetwork
from saxinfer.inference.training import Course, Recipe, simulate, train
from saxinfer.inference.training_curves import kind_of_step
from saxinfer.structures import MODELS
from saxinfer.structures.base import Structure

CPU = Course(accelerator="cpu")


def weights(folder: Path) -> dict[str, Tensor]:
    found: dict[str, Tensor] = load_file(folder / "weights.safetensors")
    return found


def reached(folder: Path) -> dict[str, Tensor]:
    """Weights of the checkpoint, in full precision."""
    state = torch.load(folder / "checkpoint.pt", weights_only=True)
    found: dict[str, Tensor] = state["network"]
    return found


def same(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def plain_loop(recipe: Recipe) -> dict[str, Tensor]:
    """What the training of a sphere is, without Lightning and without validations."""
    torch.manual_seed(recipe.seed)
    network = PosteriorNetwork(MODELS["sphere"])
    generator = Generator().manual_seed(recipe.seed)
    optimizer = torch.optim.AdamW(network.parameters())
    for step in range(recipe.steps):
        share = min(1, (step + 1) / 200) * (1 + math.cos(math.pi * step / recipe.steps))
        optimizer.param_groups[0]["lr"] = recipe.rate * (share / 2)
        tier, points = kind_of_step(step)
        drawn = simulate(MODELS["sphere"], tier, recipe.batch, points, generator)
        loss = -network.log_density(*drawn).mean()
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(network.parameters(), 5.0)
        optimizer.step()
    return network.state_dict()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Validates with few curves, to be quick."""
    for module in (training, validation):
        monkeypatch.setattr(module, "EACH", 4)


@pytest.mark.usefixtures("few")
def test_lightning_and_validations_change_no_bit_of_the_weights(tmp_path: Path) -> None:
    recipe = Recipe(steps=12, batch=8)
    train("sphere", tmp_path, recipe=recipe, course=Course(every=5, accelerator="cpu"))
    assert same(plain_loop(recipe), reached(tmp_path))
    # Nothing of Lightning's own is left behind.
    assert {path.name for path in tmp_path.iterdir()} == {
        *("card.json", "checkpoint.pt", "domain.safetensors", "weights.safetensors")
    }


@pytest.mark.usefixtures("few")
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
        mean: Tensor = self.layer(features[:, 0, :])
        return -(latent - mean).square().sum(-1)


def _quick(
    structure: Structure, tier: str, batch: int, points: int, generator: Generator
) -> tuple[Tensor, Tensor]:
    drawn = torch.randn(batch, 1, 6, generator=generator)
    return drawn[:, 0, :2] + points / 100, drawn[:, :, 2:]


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    for module in (descent, training):
        monkeypatch.setattr(module, "PosteriorNetwork", _Small)
    for module in (descent, validation):
        monkeypatch.setattr(module, "simulate", _quick)
    # The small network has no embedding to survey.
    monkeypatch.setattr(training, "survey_estimator", lambda *_: None)
    return monkeypatch


def test_a_run_that_was_stopped_goes_on_to_the_same_weights(
    tmp_path: Path, quick: pytest.MonkeyPatch
) -> None:
    recipe = Recipe(steps=700, batch=4)
    train("sphere", tmp_path / "whole", recipe=recipe, course=CPU)

    def stop(done: int, total: int, note: str) -> None:
        if done == 600:
            raise KeyboardInterrupt

    stopped = tmp_path / "stopped"
    with pytest.raises(KeyboardInterrupt):
        train("sphere", stopped, recipe=recipe, course=CPU, progress=stop)
    assert not (stopped / "weights.safetensors").exists()
    steps: list[int] = []
    step = descent._Walk.advance

    def noted(walk: descent._Walk) -> None:
        steps.append(walk.done)
        step(walk)

    quick.setattr(descent._Walk, "advance", noted)
    train("sphere", stopped, recipe=recipe, course=CPU, resume=True)
    assert steps == list(range(500, 700))
    whole, resumed = (
        torch.load(folder / "checkpoint.pt", weights_only=True)
        for folder in (tmp_path / "whole", stopped)
    )
    assert same(whole["network"], resumed["network"])
    assert whole["losses"] == resumed["losses"]
    assert whole["validation"] == resumed["validation"]
    assert torch.equal(whole["generators"], resumed["generators"])
    assert same(weights(tmp_path / "whole"), weights(stopped))


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
def test_a_checkpoint_of_another_recipe_is_refused(tmp_path: Path) -> None:
    train("sphere", tmp_path, recipe=Recipe(steps=3, batch=4))
    with pytest.raises(ValueError, match="made with batch 4, but 6 was asked for"):
        train("sphere", tmp_path, recipe=Recipe(steps=3, batch=6), resume=True)


@pytest.mark.usefixtures("quick")
def test_learning_lowers_loss_and_figure(tmp_path: Path) -> None:
    course = Course(every=200)
    recipe = Recipe(steps=600, batch=16, rate=0.02)
    train("sphere", tmp_path, recipe=recipe, course=course)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    losses = state["losses"]
    assert len(losses) == 600
    assert sum(losses[-100:]) < 0.9 * sum(losses[:100])
    steps, figures = zip(*state["validation"], strict=True)
    assert steps == (200, 400, 600)
    assert figures[2] < figures[0]


def test_a_curve_beyond_numbers_does_not_spoil_the_weights(
    tmp_path: Path, quick: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def spoiled(*args: object) -> tuple[Tensor, Tensor]:
        calls.append(1)
        value = torch.nan if len(calls) == 2 else 0.5
        return torch.full((4, 2), value), torch.ones(4, 1, 4)

    quick.setattr(descent, "simulate", spoiled)
    train("sphere", tmp_path, recipe=Recipe(steps=3, batch=4))
    assert all(bool(part.isfinite().all()) for part in weights(tmp_path).values())


def overshooting(quick: pytest.MonkeyPatch) -> None:
    """Lets the figure fall to step 30 and rise again, by what it is told."""
    figures = iter([5.0, 4.0, 3.0, 3.5, 4.5, 5.5])
    quick.setattr(validation.Validation, "figure", lambda self, network: next(figures))


def test_patience_stops_a_training_that_no_longer_learns_and_keeps_the_best(
    tmp_path: Path, quick: pytest.MonkeyPatch
) -> None:
    recipe, best = Recipe(steps=60, batch=4), tmp_path / "best"
    overshooting(quick)
    course = Course(every=10, patience=2)
    train("sphere", best, recipe=recipe, course=course)
    state = torch.load(best / "checkpoint.pt", weights_only=True)
    assert state["step"] == 50
    assert not same(state["best"], state["network"])
    card = json.loads((best / "card.json").read_text())
    assert card["validation"]["figures"] == [
        *([10, 5.0], [20, 4.0], [30, 3.0], [40, 3.5], [50, 4.5])
    ]
    assert card["validation"]["weights_of_step"] == 30
    assert card["command"].endswith("--patience 2 --every 10")
    half = {name: part.half() for name, part in state["best"].items()}
    assert same(half, weights(best))
    # It stays stopped: going on only writes the same again.
    train("sphere", best, recipe=recipe, course=course, resume=True)
    assert same(half, weights(best))


def test_without_patience_the_last_weights_are_kept(
    tmp_path: Path, quick: pytest.MonkeyPatch
) -> None:
    overshooting(quick)
    course = Course(every=10)
    train("sphere", tmp_path, recipe=Recipe(steps=60, batch=4), course=course)
    state = torch.load(tmp_path / "checkpoint.pt", weights_only=True)
    half = {name: part.half() for name, part in state["network"].items()}
    assert same(half, weights(tmp_path))
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["validation"]["weights_of_step"] == 60


@pytest.mark.usefixtures("quick")
def test_the_card_keeps_the_recipe_and_the_command(tmp_path: Path) -> None:
    train("sphere", tmp_path, recipe=Recipe(steps=2, batch=4, seed=9), course=CPU)
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["recipe"] == vars(Recipe(steps=2, batch=4, seed=9))
    assert card["command"] == (
        "saxinfer train sphere -o DIR --steps 2 --seed 9 --accelerator cpu"
    )
    ((step, figure),) = card["validation"]["figures"]
    assert step == 2
    assert figure > 0
    assert card["validation"]["curves"] == 2000


@pytest.mark.usefixtures("few")
def test_a_trained_estimator_knows_where_its_curves_lie(tmp_path: Path) -> None:
    train("sphere", tmp_path, recipe=Recipe(steps=1, batch=8))
    found = load_estimator("sphere", tmp_path).surroundings
    assert found is not None
    # No fewer than 32 of each tier, however short the training.
    assert len(found.ranked) == 64
    card = json.loads((tmp_path / "card.json").read_text())
    assert card["domain"]["curves"] == {"centre": 32, "spread": 32, "ranked": 32}


def test_a_batch_that_devices_cannot_share_is_refused(tmp_path: Path) -> None:
    course = Course(devices=3, accelerator="cpu")
    with pytest.raises(ValueError, match="batch of 8 curves cannot be shared by 3"):
        train("sphere", tmp_path, recipe=Recipe(batch=8), course=course)


def test_without_lightning_it_is_said_how_to_get_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "lightning.fabric", None)
    monkeypatch.delitem(sys.modules, "saxinfer.inference.descent")
    with pytest.raises(ImportError, match=r"pip install 'saxinfer\[train\]'"):
        train("sphere", tmp_path / "new")
    assert not (tmp_path / "new").exists()


@pytest.mark.slow
def test_two_devices_share_a_batch_and_keep_the_same_weights(tmp_path: Path) -> None:
    """A checkpoint is written only if the weights of both are equal to the bit."""
    recipe = Recipe(steps=60, batch=16)
    course = Course(every=20, devices=2, accelerator="cpu")
    told: list[int] = []
    for name in ("two", "again"):
        train(
            "sphere",
            tmp_path / name,
            recipe=recipe,
            course=course,
            progress=lambda done, total, note: told.append(done),
        )
    # What the other process tells arrives here.
    assert told == [50, 50]
    state = torch.load(tmp_path / "two" / "checkpoint.pt", weights_only=True)
    assert [step for step, _ in state["validation"]] == [20, 40, 60]
    assert len(state["losses"]) == 60
    first, second = state["generators"]
    assert not torch.equal(first, second)
    card = json.loads((tmp_path / "two" / "card.json").read_text())
    assert card["command"].endswith("--accelerator cpu --devices 2")
    assert same(reached(tmp_path / "two"), reached(tmp_path / "again"))
    # The second device has had its say.
    train("sphere", tmp_path / "one", recipe=recipe, course=CPU)
    assert not same(reached(tmp_path / "two"), reached(tmp_path / "one"))


@pytest.mark.gpu
def test_a_gpu_learns_what_a_cpu_does(tmp_path: Path) -> None:
    losses: list[list[float]] = []
    for kind in ("cpu", "gpu"):
        course = Course(accelerator=kind)
        train("sphere", tmp_path / kind, recipe=Recipe(steps=8), course=course)
        state = torch.load(tmp_path / kind / "checkpoint.pt", map_location="cpu")
        losses.append(state["losses"])
    # Convolutions on a GPU keep ten bits by default.
    assert losses[1] == pytest.approx(losses[0], rel=1e-2)
