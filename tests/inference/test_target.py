"""Mirrors src/saxinfer/inference/target.py."""

import math
from dataclasses import replace

import pytest
import torch
from scipy import stats
from torch import Generator, Tensor

from saxinfer.inference.target import Target
from saxinfer.instrument.observation import Observation
from saxinfer.structures import get_structure

Q = torch.logspace(-1.3, 0.5, 40, dtype=torch.float64)


def target(model: str = "cellulose", **windows: tuple[float, float]) -> Target:
    """A curve in the middle of the prior with errors of 3 %."""
    structure = get_structure(model)
    space = structure.space
    theta = space.theta_from_latent(torch.full((1, len(space)), 0.3).double())
    curve = structure.intensity(Q, theta)[0]
    noise = torch.randn(40, generator=Generator().manual_seed(0), dtype=torch.float64)
    intensity = 50 * curve * (1 + 0.03 * noise)
    for name, (low, high) in windows.items():
        space = space.narrow(name, low, high)
    observation = Observation.of(Q, intensity, 0.03 * intensity.abs(), None, "measured")
    return Target(structure, space, observation)


def vectors(which: Target, count: int) -> Tensor:
    generator = Generator().manual_seed(1)
    shape = (count, which.dimension)
    return 0.5 * torch.randn(shape, generator=generator, dtype=torch.float64)


def near_the_truth(which: Target, count: int) -> Tensor:
    found = 0.04 * vectors(which, count)
    found[:, : which.width] += 0.3
    return found


def test_the_log_density_is_prior_plus_likelihood(linear: Target) -> None:
    z = vectors(linear, 5)
    curve = linear.structure.intensity(Q, linear.space.theta_from_latent(z[:, :3]))
    likelihood = stats.norm(curve.numpy(), 0.05).logpdf(
        linear.observation.intensity.numpy()
    )
    expected = likelihood.sum(-1) + stats.norm.logpdf(z.numpy()).sum(-1)
    assert linear.log_density(z).tolist() == pytest.approx(expected.tolist())


def test_amounts_are_in_the_unit_of_the_measured_intensity() -> None:
    which = target()
    z = vectors(which, 3)
    amounts = which.evaluate(z)[1]
    curve = which.curve(z)
    nuisance = which.nuisance(z)
    law = amounts[:, 2:3] * (Q / Q[0]) ** -nuisance[:, 3:4]
    total = amounts[:, :1] * curve + amounts[:, 1:2] + law
    model = which.intensity(curve, nuisance).total * which.observation.level
    assert torch.allclose(total, model, rtol=1e-9)


def test_what_a_window_forbids_has_no_density() -> None:
    # Spheres of 0.5 to 1 nm cannot spread by 1 to 2 nm: the ratio is 0.5 at most.
    which = target("sphere", radius_std=(1, 2), radius_mean=(0.5, 1))
    z = vectors(which, 5)
    assert bool((which.log_density(z) == -math.inf).all())


@pytest.mark.parametrize("window", [(1.0, 1.0), (1.0, 1.5)])
def test_a_window_on_the_spread_of_the_crystals_forbids_only_what_lies_outside(
    window: tuple[float, float],
) -> None:
    which = target(alpha_std=window)
    z = 4 * vectors(which, 40)
    density = which.log_density(z)
    theta = which.theta(z)
    # alpha_std is at most 0.4 of alpha_mean.
    assert torch.equal(density > -math.inf, theta[:, 0] > window[0] / 0.4)


def test_a_fixed_parameter_takes_its_latent_away() -> None:
    assert target().width == 8
    which = target(mu=(0.3, 0.3))
    assert which.width == 7
    assert which.dimension == 13
    assert bool(which.log_density(vectors(which, 2)).isfinite().all())


def test_untangled_coordinates_are_used_where_no_window_needs_the_others() -> None:
    which = target()
    assert which.untangled
    assert which.drawn == [5, 8]
    assert which.moving == [0, 1, 2, 3, 4, 6, 7]
    assert target(alpha_mean=(2.0, 3.0)).untangled
    plain = target(sld_grf1=(0.2, 0.6))
    assert not plain.untangled
    assert plain.drawn == [8]
    fixed = target(mu=(0.3, 0.3))
    assert fixed.drawn == [4, 7]


def test_what_no_curve_sees_moves_no_curve() -> None:
    which = target()
    z = vectors(which, 6)
    other = z.clone()
    other[:, 5] = -z[:, 5]
    # Up to scale.
    one, two = (c / c[:, :1] for c in (which.curve(z), which.curve(other)))
    assert torch.allclose(one, two, rtol=1e-8)
    assert not torch.allclose(which.theta(z), which.theta(other), rtol=0.01)


def test_columns_drawn_given_the_rest_are_weighed_as_they_were_drawn() -> None:
    # The mean weight is the marginal density, whatever the level was drawn from.
    which = target()
    z = near_the_truth(which, 1).expand(400, -1).clone()
    moved, weight, _ = which.drawn_rest(z, Generator().manual_seed(0))
    others = which.proposed
    assert torch.equal(moved[..., others], z[..., others])
    unseen = moved[:, 5]
    assert stats.kstest(unseen.numpy(), "norm").pvalue > 1e-3
    level = which.width
    grid = torch.linspace(-4, 4, 20001, dtype=torch.float64)
    points = z[:1].expand(len(grid), -1).clone()
    points[:, level], points[:, 5] = grid, 0.0
    log_sum = torch.logsumexp(which.log_density(points), 0) + math.log(8 / 20000)
    expected = float(log_sum) + 0.5 * math.log(2 * math.pi)
    found = torch.logsumexp(weight, 0) - math.log(400)
    assert float(found) == pytest.approx(expected, abs=0.02)


def test_smearing_is_part_of_the_curve() -> None:
    which = target("sphere")
    data = which.observation
    smeared = Observation.of(Q, data.intensity, data.sigma, 0.1 * Q, "measured")
    blurred = Target(which.structure, which.space, smeared)
    z = vectors(which, 2)[:, :2]
    assert not torch.allclose(blurred.curve(z), which.curve(z), rtol=0.01)
    assert blurred.curve(z).shape == (2, 40)


def test_the_level_that_fits_best_is_found_in_one_step() -> None:
    which = target()
    z = near_the_truth(which, 6)
    # No background and no power law, as the curve was made; but twice the level.
    z[:, which.width :] = torch.tensor([0.55, 1.04, -4, 0, 0, 0]).double()
    levelled, density = which.levelled(z)
    assert torch.allclose(which.log_density(levelled), density, rtol=1e-9)
    others = [index for index in range(which.dimension) if index != which.width]
    assert torch.allclose(levelled[:, others], z[:, others], atol=1e-6)
    assert float((density - which.log_density(z)).min()) > 100
    # Weights come from the measured intensity, not from the model's: nearly the best.
    for step in (-0.02, 0.02):
        moved = levelled.clone()
        moved[:, which.width] += step
        assert bool((density > which.log_density(moved)).all())


def absolute(
    model: str = "cellulose", error: float = 0.0, **windows: tuple[float, float]
) -> Target:
    """The curve of the middle of the prior in the model's own unit."""
    known = target(model, **windows)
    data = known.observation
    lower = Observation.of(
        Q, data.intensity * data.level / 50, data.sigma * data.level / 50, None,
        "measured",
    )  # fmt: skip
    return Target(known.structure, known.space, lower, True, error)


def test_a_known_scale_is_one_whatever_the_level_says() -> None:
    which = absolute()
    z = near_the_truth(which, 4)
    density, amounts = which.evaluate(z)
    assert torch.allclose(amounts[:, 0], torch.ones(4).double())
    z[:, which.width] += 1.0
    prior = 0.5 * (z[:, which.width] - 1).square() - 0.5 * z[:, which.width].square()
    assert torch.allclose(which.log_density(z), density + prior)


def test_a_known_scale_tells_what_moves_nothing_else() -> None:
    known, unknown = absolute(), target()
    # Both densities of the matrix nearer to the crystals': a lower curve, no other.
    z = near_the_truth(known, 1).repeat(2, 1)
    z[:, 5] = torch.tensor([0.0, 0.3]).double()
    scales = unknown.curve(z)
    assert torch.allclose(scales[0] / scales[0, 0], scales[1] / scales[1, 0])
    gap = known.log_density(z).diff().abs()
    assert float(gap) > 50 > float(unknown.log_density(z).diff().abs())
    assert known.drawn == unknown.drawn == [5, 8]


# Nothing is left that no shape tells in spheres, and where a window is on a density.
@pytest.mark.parametrize("which", [absolute("sphere"), absolute(sld_grf1=(0.01, 0.99))])
def test_with_a_known_scale_the_drawn_level_is_a_draw_of_its_prior(
    which: Target,
) -> None:
    assert which.drawn == [which.width]
    assert which.by_shape is which
    z = near_the_truth(which, 2000)[:1].repeat(2000, 1)
    moved, value, _ = which.drawn_rest(z, Generator().manual_seed(2))
    levels = moved[:, which.width]
    # The weight of every draw is the same: four standard errors of mean and spread.
    assert float(value.std()) < 1e-9
    assert abs(float(levels.mean())) < 4 / 2000**0.5
    assert float(levels.std()) == pytest.approx(1, abs=4 / 4000**0.5)


@pytest.mark.parametrize("error", [0.0, 0.02, 0.2])
@pytest.mark.parametrize("height", [-0.8, 0.2, 1.2])
def test_a_known_scale_draws_the_height_from_its_conditional_posterior(
    error: float, height: float
) -> None:
    # The mean weight is the integral over both columns that are drawn.
    which = absolute(error=error)
    z = near_the_truth(which, 1)
    z[:, 5] = height
    data = which.observation
    before = which.curve(near_the_truth(which, 1))[0, 0]
    level = data.level * float(which.curve(z)[0, 0] / before)
    which = replace(which, observation=replace(data, level=level))
    moved, value, amounts = which.drawn_rest(
        z.repeat(4000, 1), Generator().manual_seed(3)
    )
    assert torch.equal(moved[:, which.proposed], z[:, which.proposed].repeat(4000, 1))
    # All draws but few fall where the density is what they were weighed with.
    density, others = which.evaluate(moved)
    chance = density - value
    assert torch.allclose(amounts, others, rtol=1e-6)
    assert bool(chance.isfinite().all())
    # Near the draws, which are where anything is.
    fine, coarse = (
        torch.linspace(
            float(part.min()) - 0.2 * float(part.std()),
            float(part.max()) + 0.2 * float(part.std()),
            count,
            dtype=torch.float64,
        )
        for part, count in ((moved[:, 5], 801), (moved[:, which.width], 41))
    )
    line = z.repeat(len(fine) * len(coarse), 1)
    line[:, 5] = fine.repeat_interleave(len(coarse))
    line[:, which.width] = coarse.repeat(len(fine))
    cell = ((fine[1] - fine[0]) * (coarse[1] - coarse[0])).log()
    expected = float(torch.logsumexp(which.log_density(line), 0) + cell)
    weight = (value - expected).exp()
    error_of_mean = float(weight.std()) / 4000**0.5
    assert float(weight.mean()) == pytest.approx(1, abs=4 * error_of_mean + 0.005)
    assert float(weight.std()) < 0.4


@pytest.mark.parametrize("error", [0.02, 0.2])
def test_a_scale_known_to_an_error_moves_with_the_level(error: float) -> None:
    which = absolute(error=error)
    z = near_the_truth(which, 3)
    z[:, which.width] = torch.tensor([-1.0, 0.0, 2.0]).double()
    amounts = which.evaluate(z)[1]
    expected = torch.tensor([-error, 0.0, 2 * error]).double().exp()
    assert torch.allclose(amounts[:, 0], expected)


def test_a_scale_known_to_an_error_is_drawn_from_its_conditional_posterior() -> None:
    which = absolute("sphere", 0.2)
    z = near_the_truth(which, 1)
    grid = torch.linspace(-4, 4, 4001, dtype=torch.float64)
    line = z.repeat(len(grid), 1)
    line[:, which.width] = grid
    density = which.log_density(line)
    evidence = float(torch.logsumexp(density, 0) + (grid[1] - grid[0]).log())
    moved, value, _ = which.drawn_rest(z.repeat(2000, 1), Generator().manual_seed(3))
    # Density over chance has the mean of the sum over the line, and varies little.
    weight = (value - evidence).exp()
    assert float(weight.mean()) == pytest.approx(
        1, abs=4 * float(weight.std()) / 2000**0.5
    )
    assert float(weight.std()) < 0.4
    share = torch.softmax(density, 0)
    mean = float((share * grid).sum())
    spread = float((share * (grid - mean).square()).sum().sqrt())
    assert spread < 0.5
    drawn = moved[:, which.width]
    assert float((weight * drawn).mean()) == pytest.approx(
        mean, abs=4 * spread / 2000**0.5
    )
