"""Mirrors src/saxinfer/inference/label_free/gradient.py."""

import pytest
import torch
from torch import Generator

from saxinfer.inference.label_free.gradient import (
    coordinates_of,
    parameters_of,
    refuse_without_gradient,
)
from saxinfer.inference.npe import seen
from saxinfer.structures import MODELS, get_structure
from saxinfer.structures.from_sasmodels import PREFIX

Q = torch.logspace(-1.5, 0.6, 24, dtype=torch.float64)


def drawn(model: str, count: int) -> torch.Tensor:
    generator = Generator().manual_seed(1)
    width = len(seen(MODELS[model]))
    return torch.randn(count, width, generator=generator, dtype=torch.float64)


@pytest.mark.parametrize("model", MODELS)
def test_every_closed_form_has_finite_derivatives(model: str) -> None:
    structure, latent = MODELS[model], drawn(model, 64).requires_grad_(True)
    theta = parameters_of(structure, coordinates_of(structure, latent))
    curve = structure.intensity(Q, theta).log()
    (found,) = torch.autograd.grad(curve.sum(), latent)
    assert bool(found.isfinite().all())
    # Every latent number that a curve sees moves some curve.
    assert bool((found.abs().amax(0) > 1e-6).all())


@pytest.mark.parametrize("model", ["sphere", "cellulose"])
def test_derivatives_are_differences_of_curves(model: str) -> None:
    structure, latent = MODELS[model], drawn(model, 16)

    def curves(moved: torch.Tensor) -> torch.Tensor:
        theta = parameters_of(structure, coordinates_of(structure, moved))
        return structure.intensity(Q, theta).log().mean(-1)

    at = latent.clone().requires_grad_(True)
    (found,) = torch.autograd.grad(curves(at).sum(), at)
    for column in range(latent.shape[1]):
        step = torch.zeros_like(latent)
        step[:, column] = 1e-5
        change = (curves(latent + step) - curves(latent - step)) / 2e-5
        # Interpolated tables leave small kinks; a wrong term would be off by its size.
        assert torch.allclose(found[:, column], change, rtol=0.02, atol=0.01)


def test_parameters_are_those_of_the_structure() -> None:
    structure, latent = MODELS["cellulose"], drawn("cellulose", 8)
    coordinates = coordinates_of(structure, latent)
    expected = structure.space.theta_from_latent(structure.latent(coordinates))
    assert torch.allclose(parameters_of(structure, coordinates), expected)


def test_models_of_sasmodels_are_refused_in_one_sentence() -> None:
    pytest.importorskip("sasmodels")
    with pytest.raises(ValueError, match="cannot be learnt without labels"):
        refuse_without_gradient(get_structure(f"{PREFIX}sphere"))
