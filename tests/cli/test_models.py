"""``saxinfer models``: every model with its parameters, units and priors."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from saxinfer.structures import MODELS

Run = Callable[..., Any]


def test_every_model_is_listed_with_its_title(run: Run) -> None:
    done = run("models")
    assert done.code == 0
    for model in MODELS.values():
        assert model.name in done.out
        assert model.title in done.out


@pytest.mark.parametrize("name", MODELS)
def test_a_model_is_told_with_units_priors_and_references(run: Run, name: str) -> None:
    done = run("models", name)
    assert done.code == 0
    for parameter in MODELS[name].space:
        assert parameter.name in done.out
    for reference in MODELS[name].references:
        assert reference[:40] in done.out.replace("\n", " ")


def test_json_holds_the_same(run: Run) -> None:
    listed = json.loads(run("models", "--json").out)
    assert [each["name"] for each in listed] == list(MODELS)
    sphere = json.loads(run("models", "sphere", "--json").out)
    assert sphere == listed[0]
    radius = sphere["parameters"][0]
    assert radius["unit"] == "nm"
    assert radius["low"] < radius["high"]


def test_an_unknown_model_lists_the_known_ones(run: Run) -> None:
    done = run("models", "sphear")
    assert done.code == 2
    assert "Unknown model 'sphear'" in done.err
    assert "sphere" in done.err


def test_a_combination_is_told_like_a_model(run: Run) -> None:
    done = run("models", "sphere@hardsphere")
    assert done.code == 0
    assert "volume_fraction" in done.out
    assert "@hardsphere" in run("models").out
    refused = run("models", "wood@hardsphere")
    assert refused.code == 2
    assert "lnp@hardsphere" in refused.err
