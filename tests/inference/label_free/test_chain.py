"""Mirrors src/saxinfer/inference/label_free/chain.py."""

import math

import torch
from torch import Generator, Tensor

from saxinfer.inference.label_free.chain import candidates_weighed, stepped

MEAN, SD = 0.7, 0.2


def value(latent: Tensor) -> Tensor:
    """A normal posterior of one latent number."""
    found: Tensor = -0.5 * ((latent[..., 0].double() - MEAN) / SD).square()
    return found


def test_chains_end_in_the_posterior_whatever_the_network() -> None:
    """The network's samples are those of the prior, which is five times as wide."""
    generator = Generator().manual_seed(1)
    chain = torch.randn(4000, 1, generator=generator)
    spread = torch.ones_like(chain)
    for _ in range(60):
        places = stepped(chain, value, spread, generator)
        drawn = torch.randn(4000, 3, 1, generator=generator)
        latent = torch.cat([drawn, places.latent[:, None]], 1)
        density = -0.5 * latent[..., 0].double().square()
        share, picked = candidates_weighed(value(latent), density, generator)
        assert torch.allclose(share.sum(-1), torch.ones(4000).double())
        chain = latent[torch.arange(4000), picked]
    # Four thousand chains know mean and sd to 0.003: four of their standard errors.
    assert abs(float(chain.mean()) - MEAN) < 0.013
    assert abs(float(chain.std()) - SD) < 0.01


def test_a_chain_stays_where_nothing_else_has_a_value() -> None:
    generator = Generator().manual_seed(1)
    none = torch.full((5, 3), -math.inf, dtype=torch.float64)
    density = torch.zeros(5, 3, dtype=torch.float64)
    share, picked = candidates_weighed(none, density, generator)
    assert float(share.sum()) == 0
    assert picked.tolist() == [2] * 5
    nowhere = stepped(
        torch.zeros(5, 2), lambda latent: none[:, :1], torch.ones(5, 2), generator
    )
    assert float(nowhere.latent.abs().max()) == 0


def test_a_value_that_is_no_number_is_never_picked() -> None:
    generator = Generator().manual_seed(1)
    found = torch.tensor([[math.nan, 0.0]] * 50, dtype=torch.float64)
    density = torch.zeros(50, 2, dtype=torch.float64)
    share, picked = candidates_weighed(found, density, generator)
    assert bool((picked == 1).all())
    assert bool((share[:, 0] == 0).all())
