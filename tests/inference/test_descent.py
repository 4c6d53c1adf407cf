"""Mirrors src/saxinfer/inference/descent.py; test_training.py has whole trainings."""

import pytest
import torch

from saxinfer.inference.descent import digest, refuse_apart, stream_seed


def test_the_first_device_draws_as_one_device_does() -> None:
    assert stream_seed(17, 0) == 17


def test_each_device_of_each_seed_has_a_stream_of_its_own() -> None:
    seeds = [stream_seed(seed, rank) for seed in range(20) for rank in range(8)]
    assert len(set(seeds)) == 160
    for seed in seeds:
        torch.Generator().manual_seed(seed)


def test_a_digest_tells_weights_apart_to_the_last_bit() -> None:
    layer = torch.nn.Linear(3, 2)
    before = digest(layer)
    assert digest(layer) == before
    with torch.no_grad():
        weight = layer.weight[1, 2]
        layer.weight[1, 2] = torch.nextafter(weight, torch.tensor(torch.inf))
    assert digest(layer) != before


def test_devices_that_have_drifted_apart_are_not_kept() -> None:
    refuse_apart([5, 5, 5])
    with pytest.raises(RuntimeError, match="weights of 2 devices should be equal"):
        refuse_apart([5, 6])
