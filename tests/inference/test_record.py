"""Mirrors src/saxinfer/inference/record.py."""

import torch
from torch import Tensor

from saxinfer.inference.expansion import expansion
from saxinfer.inference.record import Recorded
from saxinfer.inference.target import Target


def test_curves_are_those_of_the_target_and_are_kept_until_taken(
    linear: Target, proposals: Tensor
) -> None:
    recorded = Recorded.of(linear)
    assert torch.equal(recorded.curve(proposals), linear.curve(proposals))
    recorded.log_density(proposals[:7])
    places, curves = recorded.taken()
    assert torch.equal(places, torch.cat([proposals, proposals[:7]]))
    assert torch.equal(curves, linear.curve(places))
    assert recorded.places == recorded.curves == []


def test_of_the_neighbours_of_a_derivative_the_first_is_kept(
    linear: Target, proposals: Tensor
) -> None:
    recorded = Recorded.of(linear)
    expected = expansion(linear, proposals[:5])
    found = expansion(recorded, proposals[:5])
    assert all(torch.equal(a, b) for a, b in zip(expected, found, strict=True))
    assert torch.equal(recorded.taken()[0], proposals[:5])
