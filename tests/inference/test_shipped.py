"""Shipped estimators fit the code that they are shipped with."""

import json
import math

import pytest
import torch
from torch import Generator

from saxinfer.inference.card import ESTIMATORS, load_estimator
from saxinfer.inference.domain import drawn_features
from saxinfer.inference.training import recipe_for, simulate
from saxinfer.structures import MODELS

# A model that is not among them has to be trained first: `saxinfer train NAME`.
SHIPPED = (
    "cellulose",
    "core_shell_sphere",
    "lnp",
    "sphere",
    "three_phase",
    "two_phase",
    "wood",
)

# One for each of its kind that has to be made first.
UNTRAINED = ("sasmodels:sphere",)

every_shipped = pytest.mark.parametrize("model", SHIPPED)


def test_the_shipped_estimators_are_these() -> None:
    assert tuple(sorted(path.name for path in ESTIMATORS.iterdir())) == SHIPPED
    assert set(SHIPPED) <= set(MODELS)


@pytest.mark.parametrize("model", [*sorted(set(MODELS) - set(SHIPPED)), *UNTRAINED])
def test_without_an_estimator_the_user_is_told_how_to_train_one(model: str) -> None:
    sentence = f"no trained estimator for '{model}' .* 'saxinfer train {model} -o "
    with pytest.raises(ValueError, match=sentence):
        load_estimator(model)


@every_shipped
def test_a_model_has_an_estimator_that_is_not_stale(model: str) -> None:
    assert load_estimator(model).card["model"] == model


@every_shipped
def test_an_estimator_is_small_enough_to_ship(model: str) -> None:
    files = list((ESTIMATORS / model).iterdir())
    assert sum(file.stat().st_size for file in files) <= 3_000_000
    assert {file.name for file in files} == {
        "weights.safetensors",
        "card.json",
        "domain.safetensors",
    }
    assert (ESTIMATORS / model / "domain.safetensors").stat().st_size <= 40_000


@every_shipped
def test_an_estimator_knows_its_own_curves(model: str) -> None:
    estimator = load_estimator(model)
    assert estimator.surroundings is not None
    generator = Generator().manual_seed(77)
    seen = drawn_features(MODELS[model], "standard", 64, generator)
    strange = [
        estimator.surroundings.familiarity(estimator.network, row[None]).p < 0.01
        for row in seen
    ]
    # More than 5 of 64 come up at a rate of 1 % in one of ten thousand seeds.
    assert sum(strange) <= 5


@every_shipped
def test_a_card_states_its_schema_and_the_shipped_recipe(model: str) -> None:
    card = json.loads((ESTIMATORS / model / "card.json").read_text())
    assert card["schema"] == "saxinfer/estimator/1"
    assert card["model"] == model
    assert card["recipe"] == vars(recipe_for(model))


@every_shipped
def test_an_estimator_knows_more_than_the_prior(model: str) -> None:
    network = load_estimator(model).network
    generator = Generator().manual_seed(99)
    latent, seen = simulate(MODELS[model], "standard", 200, 96, generator)
    with torch.no_grad():
        learned = network.log_density(latent, seen)
    prior = -0.5 * (latent.square() + math.log(2 * math.pi)).sum(-1)
    assert bool(learned.isfinite().all())
    assert float((learned - prior).median()) > 3
