"""Mirrors src/saxinfer/inference/validation.py."""

import math

import pytest
import torch
from torch import Tensor, nn

from saxinfer.inference import validation
from saxinfer.inference.npe import PosteriorNetwork
from saxinfer.inference.training_curves import simulate
from saxinfer.inference.validation import (
    LEAST,
    WORST,
    Validation,
    best_of,
    is_exhausted,
    validation_curves,
)
from saxinfer.preprocess.features import BINS, CHANNELS
from saxinfer.structures import MODELS


class _Prior(PosteriorNetwork):
    """Has learnt nothing: standard normal, whatever the curve."""

    def __init__(self) -> None:
        nn.Module.__init__(self)

    def log_density(self, latent: Tensor, features: Tensor) -> Tensor:
        return -0.5 * (latent.square() + math.log(2 * math.pi)).sum(-1)


class _Spoiled(PosteriorNetwork):
    """Knows every truth exactly, but for the first, which is beyond numbers."""

    def __init__(self) -> None:
        nn.Module.__init__(self)

    def log_density(self, latent: Tensor, features: Tensor) -> Tensor:
        return torch.where(latent[:, 0] == 0, torch.nan, 0.0)


def test_the_figure_of_the_prior_is_its_entropy() -> None:
    torch.manual_seed(0)
    latent = torch.randn(2000, 6)
    figure = Validation(latent, torch.zeros(2000, CHANNELS, BINS)).figure(_Prior())
    # Variance of -ln N is 1/2 a number: a standard error of sqrt(3/2000) = 0.04.
    entropy = 6 * 0.5 * (1 + math.log(2 * math.pi))
    assert figure == pytest.approx(entropy, abs=0.2)


def test_no_curve_counts_for_more_than_the_worst() -> None:
    latent = torch.arange(10.0)[:, None]
    figure = Validation(latent, torch.zeros(10, CHANNELS, BINS)).figure(_Spoiled())
    assert figure == pytest.approx(WORST / 10)


def test_validating_is_the_same_each_time_and_draws_no_random_number(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(validation, "EACH", 4)
    model = MODELS["sphere"]
    network = PosteriorNetwork(model)
    before = torch.get_rng_state()
    figures = [validation_curves(model).figure(network) for _ in "ab"]
    assert figures[0] == figures[1]
    assert torch.equal(before, torch.get_rng_state())


def test_half_of_the_curves_are_of_each_tier(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "EACH", 1)
    drawn: list[tuple[str, int]] = []

    def noted(structure, tier, batch, points, generator):  # type: ignore[no-untyped-def]
        drawn.append((tier, points))
        return simulate(structure, tier, batch, points, generator)

    monkeypatch.setattr(validation, "simulate", noted)
    validation_curves(MODELS["sphere"])
    assert [tier for tier, _ in drawn] == ["standard", "hard"] * 5
    assert {points for tier, points in drawn if tier == "hard"} == {12, 32, 64, 96, 160}


def test_the_first_of_equal_figures_is_the_best() -> None:
    assert best_of([3.0, 1.0, 2.0, 1.0]) == 1


def test_without_a_patience_it_never_ends() -> None:
    assert not is_exhausted([1.0] * 100, None)


def test_patience_ends_after_so_many_figures_that_are_no_better() -> None:
    falling = [5.0, 4.0, 3.0]
    assert not is_exhausted([], 1)
    assert not is_exhausted(falling, 1)
    assert not is_exhausted([*falling, 3.5], 2)
    assert is_exhausted([*falling, 3.5, 3.2], 2)
    # One that is better starts it anew.
    assert not is_exhausted([*falling, 3.5, 2.5, 2.6], 2)


def test_an_improvement_of_next_to_nothing_is_none() -> None:
    creeping = [1.0 - 0.4 * LEAST * i for i in range(3)]
    assert is_exhausted(creeping, 2)
    # It is measured from the last that counted, so that many small ones add up.
    assert not is_exhausted([*creeping, 1.0 - 1.2 * LEAST], 3)
