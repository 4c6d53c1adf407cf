"""Every model comes with an estimator that fits the code it is shipped with."""

import json
import math

import pytest
import torch
from torch import Generator

from saxinfer.inference.card import ESTIMATORS, load_estimator
from saxinfer.inference.training import recipe_for, simulate
from saxinfer.structures import MODELS

every_model = pytest.mark.parametrize("model", MODELS)


@every_model
def test_a_model_has_an_estimator_that_is_not_stale(model: str) -> None:
    assert load_estimator(model).card["model"] == model


@every_model
def test_an_estimator_is_small_enough_to_ship(model: str) -> None:
    files = list((ESTIMATORS / model).iterdir())
    assert sum(file.stat().st_size for file in files) <= 3_000_000
    assert {file.name for file in files} == {"weights.safetensors", "card.json"}


@every_model
def test_a_card_states_its_schema_and_the_shipped_recipe(model: str) -> None:
    card = json.loads((ESTIMATORS / model / "card.json").read_text())
    assert card["schema"] == "saxinfer/estimator/1"
    assert card["model"] == model
    assert card["recipe"] == vars(recipe_for(model))


@every_model
def test_an_estimator_knows_more_than_the_prior(model: str) -> None:
    network = load_estimator(model).network
    generator = Generator().manual_seed(99)
    latent, seen = simulate(MODELS[model], "standard", 200, 96, generator)
    with torch.no_grad():
        learned = network.log_density(latent, seen)
    prior = -0.5 * (latent.square() + math.log(2 * math.pi)).sum(-1)
    assert bool(learned.isfinite().all())
    assert float((learned - prior).median()) > 3
