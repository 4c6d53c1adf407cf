"""Mirrors src/saxinfer/inference/label_free/health.py."""

import math
from dataclasses import replace

import pytest
import torch

from saxinfer.inference.card import load_estimator
from saxinfer.inference.label_free.curves import Unlabelled
from saxinfer.inference.label_free.health import Health, HeldBack
from saxinfer.inference.npe import PosteriorNetwork
from saxinfer.structures import get_structure

SPHERE = get_structure("sphere")
WELL = Health(figure=5.0, effective=0.1, width=0.1, spread=0.9)


def test_a_trained_network_falls_short_by_less_than_a_new_one(few: Unlabelled) -> None:
    judge = HeldBack(SPHERE, few)
    torch.manual_seed(0)
    new = judge.health(PosteriorNetwork(SPHERE))
    shipped = judge.health(load_estimator("sphere").network)
    assert shipped.figure < 0.5 * new.figure
    assert shipped.spread > new.spread
    assert 0 < shipped.width < new.width


def test_judging_twice_gives_the_same_and_draws_nothing(few: Unlabelled) -> None:
    judge, network = HeldBack(SPHERE, few), load_estimator("sphere").network
    torch.manual_seed(0)
    before = torch.get_rng_state()
    assert judge.health(network) == judge.health(network)
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"width": 1e-7}, "shrunk to points"),
        ({"spread": 0.02}, "no longer differ"),
        ({"figure": math.nan}, "nothing that is a number"),
    ],
)
def test_a_network_that_ails_is_told_of(change: dict[str, float], words: str) -> None:
    assert WELL.ailment(WELL) == ""
    assert words in replace(WELL, **change).ailment(WELL)


def test_a_new_network_may_say_the_same_of_every_curve() -> None:
    assert replace(WELL, spread=0.01).ailment(None) == ""
