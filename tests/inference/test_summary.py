"""Mirrors src/saxinfer/inference/summary.py."""

import math

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.inference.ensemble import Ensemble
from saxinfer.inference.refine import refine
from saxinfer.inference.summary import posterior_of, predict
from saxinfer.inference.target import Target
from saxinfer.instrument.observation import Observation
from saxinfer.structures import get_structure

INSTRUMENT = (
    "scale",
    "background",
    "power_law",
    "power_law_exponent",
    "sigma_factor",
    "model_error",
)


def cellulose(**windows: tuple[float, float]) -> tuple[Target, Ensemble]:
    """Forty points of the prior, as if they were a posterior."""
    q = torch.logspace(-1, 0.5, 30, dtype=torch.float64)
    structure = get_structure("cellulose")
    space = structure.space
    for name, (low, high) in windows.items():
        space = space.narrow(name, low, high)
    intensity = 3 / (1 + q**4) + 0.1
    observation = Observation.of(q, intensity, 0.02 * intensity, None, "measured")
    target = Target(structure, space, observation)
    generator = Generator().manual_seed(0)
    size = (40, target.dimension)
    latent = torch.randn(size, generator=generator, dtype=torch.float64).clamp(-4, 4)
    _, amounts = target.evaluate(latent)
    return target, Ensemble(
        points=latent,
        amounts=amounts,
        weights=torch.full((40,), 1 / 40, dtype=torch.float64),
        effective=30.0,
        drawn=40,
        log_evidence=0.0,
        log_evidence_sd=0.1,
    )


def test_every_quantity_of_model_and_instrument_is_a_column() -> None:
    target, sampled = cellulose()
    belief = posterior_of(target, sampled, "1/cm")
    model = target.structure
    parts = (*model.space, *model.dependent, *model.derived)
    names = [quantity.name for quantity in belief]
    assert names == [p.name for p in parts] + list(INSTRUMENT)
    assert [q.name for q in belief.of_kind("nuisance")] == list(INSTRUMENT)
    assert len(belief.of_kind("parameter")) == 10
    units = {quantity.name: quantity.unit for quantity in belief}
    assert units["scale"] == "1/cm / model"
    assert units["background"] == "1/cm"


def test_samples_are_the_parameters_behind_the_latent_points() -> None:
    target, sampled = cellulose()
    belief = posterior_of(target, sampled, "1/cm")
    theta = target.theta(sampled.points)
    assert torch.allclose(belief.samples[:, :8], theta)
    assert torch.allclose(belief.column("level"), _level(theta))
    assert torch.allclose(belief.column("scale"), sampled.amounts[:, 0])


def _level(theta: Tensor) -> Tensor:
    share = theta[:, 7] / (1 - theta[:, 6])
    level: Tensor = torch.special.ndtri(share).abs()
    return level


def test_all_points_count_alike() -> None:
    target, sampled = cellulose()
    weights = posterior_of(target, sampled, "1/cm").weights
    assert torch.allclose(weights, torch.full((40,), 1 / 40, dtype=torch.float64))


def test_samples_and_prior_lie_within_what_the_quantities_state() -> None:
    target, sampled = cellulose(alpha_mean=(2, 3))
    belief = posterior_of(target, sampled, "1/cm")
    for quantity in belief.of_kind("parameter"):
        for column in (
            belief.column(quantity.name),
            belief.prior_column(quantity.name),
        ):
            assert float(column.min()) >= quantity.prior_low - 1e-9, quantity.name
            assert float(column.max()) <= quantity.prior_high + 1e-9, quantity.name
    assert next(iter(belief)).prior_low == 2


def test_a_fixed_parameter_is_reported_at_its_value() -> None:
    target, sampled = cellulose(mu=(0.3, 0.3))
    belief = posterior_of(target, sampled, "1/cm")
    assert belief.is_fixed("mu")
    assert bool((belief.column("mu") == 0.3).all())


def test_the_prior_is_the_same_whatever_the_posterior() -> None:
    target, sampled = cellulose()
    first = posterior_of(target, sampled, "1/cm").prior
    assert torch.equal(first, posterior_of(target, sampled, "1/cm").prior)


def test_the_band_of_a_linear_model_is_its_predictive_distribution(
    linear: Target, exact: tuple[Tensor, Tensor, float], proposals: Tensor
) -> None:
    generator = Generator().manual_seed(0)
    sampled = refine(linear, proposals, generator)
    bands = [
        predict(linear, sampled, Generator().manual_seed(seed)).band
        for seed in range(4)
    ]
    band = bands[0]
    median, low, high = (
        torch.stack([getattr(each, name) for each in bands]).mean(0)
        for name in ("median", "low", "high")
    )
    # The curves of the three unit vectors, less the constant.
    unit = torch.special.ndtr(torch.eye(3, dtype=torch.float64))
    rows = linear.structure.intensity(linear.observation.q, unit) - 1
    centre = 1 + exact[0] @ rows
    own = ((exact[1] @ rows) * rows).sum(0)
    spread = (own + linear.observation.sigma.square()).sqrt()
    # Of 160 draws the median scatters by a tenth, a 5 % quantile by a sixth, means of
    # four by half of that; the largest of eighty by four of those.
    assert float(((median - centre) / own.sqrt()).abs().max()) < 0.2
    for edge, side in ((low, -1), (high, 1)):
        assert float(((edge - centre) / spread - 1.645 * side).abs().max()) < 0.33
    assert torch.allclose(band.sigma, linear.observation.sigma, rtol=1e-6)
    gap = (linear.observation.intensity - band.median) / band.sigma
    assert torch.allclose(band.residuals, gap)


def test_squares_are_those_of_the_effective_residuals(
    linear: Target, proposals: Tensor
) -> None:
    generator = Generator().manual_seed(0)
    found = predict(linear, refine(linear, proposals, generator), generator)
    assert found.squares.shape == (160,)
    # Forty points less three parameters, plus three for the posterior's own spread.
    deviation = math.sqrt(2 * 40)
    assert float(found.squares.mean()) == pytest.approx(40, abs=3 * deviation)
    assert found.sigma_factor == pytest.approx(1)
    assert found.sigma_interval == pytest.approx((1, 1))
    drawn = found.drawn
    assert drawn.curves.shape == drawn.errors.shape == (160, 40)
    assert torch.allclose(drawn.errors, linear.observation.sigma, rtol=1e-6)
    curves = linear.curve(drawn.latent)
    assert torch.allclose(drawn.curves, curves, rtol=1e-3)
