"""Mirrors src/saxinfer/inference/recipe.py."""

import math

import pytest
import torch

from saxinfer.inference.recipe import (
    RECIPES,
    Course,
    Recipe,
    recipe_for,
    share_of_rate,
)
from saxinfer.structures import MODELS


@pytest.mark.parametrize("model", MODELS)
def test_the_shipped_recipe_is_changed_only_where_asked(model: str) -> None:
    recipe = recipe_for(model)
    assert recipe_for(model, steps=3) == Recipe(
        3, recipe.batch, recipe.rate, recipe.seed
    )
    assert recipe_for(model, seed=5).seed == 5


def test_every_recipe_is_one_of_a_model() -> None:
    assert set(RECIPES) <= set(MODELS)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("steps", 0, "steps must be 1 or more, got 0"),
        ("batch", -3, "batch must be 1 or more, got -3"),
        ("seed", -1, "seed must not be negative, got -1"),
    ],
)
def test_a_recipe_that_makes_nothing_is_refused(
    name: str, value: int, words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        Recipe(**{name: value})


@pytest.mark.parametrize("name", ["every", "patience", "devices"])
def test_a_course_that_leads_nowhere_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"The {name} must be 1 or more, got 0"):
        Course(**{**vars(Course()), name: 0})


def test_an_unknown_accelerator_is_refused() -> None:
    with pytest.raises(ValueError, match="Known accelerators: auto, cpu, gpu"):
        Course(accelerator="abacus")


def see(monkeypatch: pytest.MonkeyPatch, *, cuda: int = 0, mps: bool = False) -> None:
    """Lets PyTorch see processors."""
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


def test_a_gpu_is_taken_if_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    see(monkeypatch)
    assert Course().kind() == "cpu"
    see(monkeypatch, mps=True)
    assert Course().kind() == "mps"
    see(monkeypatch, cuda=2, mps=True)
    assert Course().kind() == "cuda"
    assert Course(accelerator="gpu", devices=2).kind() == "cuda"
    assert Course(accelerator="cpu", devices=9).kind() == "cpu"


def test_gpus_that_are_not_there_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    see(monkeypatch)
    with pytest.raises(ValueError, match="PyTorch sees none here"):
        Course(accelerator="gpu").kind()
    see(monkeypatch, cuda=2)
    with pytest.raises(ValueError, match="3 GPUs were asked for, but PyTorch sees 2"):
        Course(devices=3).kind()


def test_the_rate_rises_to_its_largest_and_falls_to_nothing() -> None:
    shares = [share_of_rate(step, 1000, 100) for step in range(1200)]
    top = shares.index(max(shares))
    assert 90 <= top <= 99
    assert shares[:top] == sorted(shares[:top])
    assert shares[top:] == sorted(shares[top:], reverse=True)
    assert shares[0] == pytest.approx(0.01)
    assert shares[550] == pytest.approx(0.5 * (1 + math.cos(0.55 * math.pi)))
    assert max(shares[1000:]) == 0
