"""Mirrors src/saxinfer/inference/npe.py."""

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.inference.npe import NUISANCE_TARGETS, PosteriorNetwork
from saxinfer.preprocess.features import BINS, CHANNELS
from saxinfer.structures import MODELS, Structure

every_model = pytest.mark.parametrize("model", MODELS.values(), ids=MODELS)


def network(model: Structure) -> PosteriorNetwork:
    torch.manual_seed(0)
    return PosteriorNetwork(model).eval().requires_grad_(False)


def seen(rows: int = 1) -> Tensor:
    generator = Generator().manual_seed(0)
    return torch.randn(rows, CHANNELS, BINS, generator=generator)


@every_model
def test_it_covers_structure_and_instrument_but_the_level(model: Structure) -> None:
    assert network(model).features == len(model.space) - len(model.unseen) + 5
    assert "level" not in NUISANCE_TARGETS


@every_model
def test_samples_are_finite_and_follow_their_generator(model: Structure) -> None:
    which = network(model)
    first, again, other = (
        which.sample(seen(), 30, Generator().manual_seed(seed)) for seed in (0, 0, 1)
    )
    assert first.shape == (30, which.features)
    assert bool(first.isfinite().all())
    assert torch.equal(first, again)
    assert not torch.equal(first, other)


@every_model
def test_the_density_is_finite_even_far_out(model: Structure) -> None:
    which = network(model)
    latent = torch.linspace(-6, 6, 13)[:, None].expand(-1, which.features)
    density = which.log_density(latent, seen().expand(13, -1, -1))
    assert density.shape == (13,)
    assert bool(density.isfinite().all())


def test_samples_follow_the_density() -> None:
    which = network(MODELS["sphere"])
    drawn = which.sample(seen(), 4000, Generator().manual_seed(0))
    density = which.log_density(drawn, seen().expand(4000, -1, -1))
    # The mean over samples of another density over the network's own is one.
    normal = (
        -0.5 * (drawn / 0.7).square()
        - torch.tensor([0.7 * (2 * torch.pi) ** 0.5]).log()
    )
    ratio = (normal.sum(-1) - density).exp()
    error = float(ratio.std()) / 4000**0.5
    assert error < 0.1
    assert float(ratio.mean()) == pytest.approx(1, abs=4 * error)


def test_the_density_depends_on_what_is_seen() -> None:
    which = network(MODELS["sphere"])
    latent = torch.zeros(2, which.features)
    one, other = which.log_density(latent, seen(2)).tolist()
    assert one != other
