"""Mirrors src/saxinfer/inference/label_free/loss.py."""

import math
from dataclasses import replace

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.inference.label_free.curves import Alike, Unlabelled
from saxinfer.inference.label_free.loss import (
    bound_of,
    judged,
    log_density,
    loss_of,
    sampled,
)
from saxinfer.inference.label_free.plan import Plan
from saxinfer.inference.npe import PosteriorNetwork
from saxinfer.structures import get_structure

SPHERE = get_structure("sphere")
ROWS = [0, 1, 2]


@pytest.fixture
def network() -> PosteriorNetwork:
    torch.manual_seed(0)
    return PosteriorNetwork(SPHERE)


def batch_of(curves: Unlabelled) -> list[Alike]:
    return list(curves.compared(ROWS, 400, None))


def value(
    network: PosteriorNetwork, curves: Unlabelled, plan: Plan, step: int = 10**6
) -> tuple[Tensor, dict[str, float]]:
    loss = loss_of(
        network,
        SPHERE,
        curves.features[ROWS],
        batch_of(curves),
        plan=plan,
        step=step,
        generator=Generator().manual_seed(4),
        asleep=lambda step: torch.tensor(float(step)),
    )
    return loss.value.detach(), loss.terms


def test_the_density_of_samples_is_that_of_the_flow(
    network: PosteriorNetwork, few: Unlabelled
) -> None:
    base = torch.randn(3, 5, network.features, generator=Generator().manual_seed(1))
    with torch.no_grad():
        context = network.embedding(few.features[ROWS])
        latent = sampled(network, context, base)
        found = log_density(network, context, latent, fixed=False)
        each = network.log_density(latent[:, 2], few.features[ROWS])
    assert torch.allclose(found[:, 2], each, atol=1e-4)


def test_fixed_weights_get_no_gradient_but_along_the_path(
    network: PosteriorNetwork, few: Unlabelled
) -> None:
    context = network.embedding(few.features[ROWS])
    latent = torch.zeros(3, 2, network.features, requires_grad=True)
    torch.autograd.backward(log_density(network, context, latent, fixed=True).sum())
    assert latent.grad is not None
    assert all(part.grad is None for part in network.parameters())


def test_the_importance_weighted_bound_is_never_looser() -> None:
    weights = 3 * torch.randn(50, 8, generator=Generator().manual_seed(1))
    assert bool((bound_of(weights) >= weights.mean(-1) - 1e-6).all())
    assert torch.allclose(bound_of(weights[:, :1]), weights[:, 0], atol=1e-6)


def test_curves_of_different_lengths_get_their_own_terms(few: Unlabelled) -> None:
    latent = torch.randn(3, 2, 7, generator=Generator().manual_seed(1))
    (whole,) = batch_of(few)
    points = whole.points
    single = [
        Alike(
            torch.tensor([row]),
            type(points)(**{k: v[row : row + 1] for k, v in vars(points).items()}),
        )
        for row in (2, 0, 1)
    ]
    together, apart = (judged(SPHERE, each, latent) for each in ([whole], single))
    assert torch.allclose(together.likelihood, apart.likelihood)
    assert torch.allclose(together.prior, apart.prior)


def test_each_term_can_be_switched_off(
    network: PosteriorNetwork, few: Unlabelled
) -> None:
    plan = Plan(wake=0.0, sleep=0.0)
    start = value(network, few, plan)[0]
    for change in (
        {"likelihood": 0.0},
        {"prior": 0.0},
        {"entropy": 0.0},
        {"wake": 1.0},
        {"sleep": 1.0},
        {"bound": "iwae"},
    ):
        changed = value(network, few, replace(plan, **change))[0]
        assert float(changed) != float(start), change


def test_guides_act_while_the_likelihood_is_soft_only(
    network: PosteriorNetwork, few: Unlabelled
) -> None:
    plan = Plan(wake=0.0)
    guided = replace(plan, porod=1.0, invariant=1.0)
    assert value(network, few, plan, 0)[0] != value(network, few, guided, 0)[0]
    assert value(network, few, plan)[0] == value(network, few, guided)[0]


def test_all_terms_are_told_and_sleep_only_if_it_is_on(
    network: PosteriorNetwork, few: Unlabelled
) -> None:
    told = value(network, few, Plan())[1]
    assert set(told) == {
        *("likelihood", "prior", "entropy", "invariant", "porod", "wake")
    }
    assert value(network, few, Plan(sleep=0.5), 7)[1]["sleep"] == 7.0


def test_the_gradient_falls_to_zero_where_the_posterior_is_met(
    network: PosteriorNetwork,
) -> None:
    """With neither curve nor data the posterior is the prior, as is a flow at rest."""
    for part in network.flow.parameters():
        torch.nn.init.zeros_(part)
    base = torch.randn(3, 4, network.features, generator=Generator().manual_seed(1))
    context = network.embedding(torch.zeros(3, 3, 160))
    latent = sampled(network, context, base)
    prior = -0.5 * (latent.square() + math.log(2 * math.pi)).sum(-1)
    bound = (prior - log_density(network, context, latent, fixed=True)).mean()
    torch.autograd.backward(bound)
    steepest = [
        float(part.grad.abs().max())
        for part in network.flow.parameters()
        if part.grad is not None
    ]
    assert max(steepest) < 1e-4


def test_a_sample_that_is_no_number_is_dropped_and_counted(
    network: PosteriorNetwork, few: Unlabelled
) -> None:
    (alike,) = batch_of(few)
    broken = alike.points.intensity.clone()
    broken[1] = math.nan
    points = type(alike.points)(**{**vars(alike.points), "intensity": broken})
    loss = loss_of(
        network,
        SPHERE,
        few.features[ROWS],
        [Alike(alike.rows, points)],
        plan=Plan(samples=4),
        step=0,
        generator=Generator().manual_seed(4),
    )
    torch.autograd.backward(loss.value)
    assert loss.skipped[0] >= 4
    assert all(
        bool(part.grad.isfinite().all())
        for part in network.parameters()
        if part.grad is not None
    )
