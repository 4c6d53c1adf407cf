"""Mirrors src/saxinfer/inference/refine.py."""

import math

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.inference.direct import Demand
from saxinfer.inference.ensemble import Ensemble
from saxinfer.inference.refine import Effort, refine
from saxinfer.inference.target import Target

# A right sampler is off by this many standard errors at one seed in 15,000.
ERRORS = 4.0


# Independent samples where they are good enough, and walkers alone.
DIRECT, WALKERS = Effort(), Effort(demand=Demand(most=0))


def refined(
    target: Target, proposals: Tensor, seed: int = 0, effort: Effort = DIRECT
) -> Ensemble:
    return refine(target, proposals, Generator().manual_seed(seed), effort)


def mean(found: Ensemble, values: Tensor) -> Tensor:
    """Posterior mean of the values of all samples."""
    return found.weights @ values.double()


@pytest.mark.parametrize("effort", [DIRECT, WALKERS])
def test_a_linear_gaussian_posterior_is_found_as_its_closed_form_says(
    linear: Target,
    exact: tuple[Tensor, Tensor, float],
    proposals: Tensor,
    effort: Effort,
) -> None:
    expected, covariance, _ = exact
    found = refined(linear, proposals, effort=effort)
    z = found.points[:, :3]
    centre, spread = mean(found, z), torch.cov(z.T, aweights=found.weights)
    sd = covariance.diagonal().sqrt()
    allowed = ERRORS / math.sqrt(found.effective)
    assert bool(((centre - expected).abs() < allowed * sd).all())
    gap = (spread - covariance) / (sd[:, None] * sd)
    # Of a normal variance the relative standard error is sqrt(2 / n).
    assert float(gap.abs().max()) < allowed * math.sqrt(2)


@pytest.mark.parametrize("effort", [DIRECT, WALKERS])
def test_the_evidence_is_that_of_the_closed_form(
    linear: Target,
    exact: tuple[Tensor, Tensor, float],
    proposals: Tensor,
    effort: Effort,
) -> None:
    found = refined(linear, proposals, effort=effort)
    assert found.log_evidence_sd < 0.1
    assert found.log_evidence == pytest.approx(
        exact[2], abs=ERRORS * found.log_evidence_sd
    )


def test_what_the_data_do_not_tell_keeps_its_prior(
    linear: Target, proposals: Tensor
) -> None:
    found = refined(linear, proposals)
    rest = found.points[:, 3:]
    centre = mean(found, rest)
    variance = mean(found, (rest - centre).square())
    allowed = ERRORS / math.sqrt(found.effective)
    assert float(centre.abs().max()) < allowed
    assert float((variance - 1).abs().max()) < allowed * math.sqrt(2)


def left_share(folded: Target) -> float:
    """Belief in the image of the truth, z < -0.3, summed over a fine grid."""
    grid = torch.linspace(-4.5, 4.5, 4001, dtype=torch.float64)
    still = torch.zeros(len(grid), folded.dimension - 1, dtype=torch.float64)
    density = folded.log_density(torch.cat([grid[:, None], still], 1)).exp()
    return float(density[grid < -0.3].sum() / density.sum())


@pytest.mark.parametrize("effort", [DIRECT, WALKERS])
@pytest.mark.parametrize("known", ["both", "one"])
def test_both_modes_are_found_with_the_right_share_of_the_belief(
    folded: Target, known: str, effort: Effort
) -> None:
    share = left_share(folded)
    assert 0.15 < share < 0.5
    generator = Generator().manual_seed(0)
    start = torch.randn(100, folded.dimension, generator=generator).double()
    if known == "one":
        # A network that misses the other one, which is the structure's exact mirror.
        start[:, 0] = 1.2 + 0.05 * start[:, 0]
    found = refined(folded, start, effort=effort)
    left = (found.points[:, 0] < -0.3).double()
    allowed = ERRORS * math.sqrt(share * (1 - share) / found.effective)
    assert float(mean(found, left)) == pytest.approx(share, abs=allowed)


@pytest.mark.parametrize("effort", [DIRECT, WALKERS])
def test_a_bent_ridge_is_followed_to_its_ends_from_a_single_point(
    bent: Target, effort: Effort
) -> None:
    axis = torch.linspace(-4.5, 4.5, 901, dtype=torch.float64)
    plane = torch.cartesian_prod(axis, axis)
    still = torch.zeros(len(plane), bent.dimension - 2, dtype=torch.float64)
    density = bent.log_density(torch.cat([plane, still], 1)).exp()
    density = density / density.sum()
    expected = float((density * plane[:, 0].square()).sum())
    fourth = float((density * plane[:, 0] ** 4).sum())
    start = 0.02 * torch.randn(
        60, bent.dimension, generator=Generator().manual_seed(0), dtype=torch.float64
    )
    found = refined(bent, start, effort=effort)
    square = float(mean(found, found.points[:, 0].square()))
    error = math.sqrt((fourth - expected**2) / found.effective)
    assert square == pytest.approx(expected, abs=ERRORS * error)
    assert expected > 0.3


def test_one_seed_gives_one_result_and_another_another(
    linear: Target, proposals: Tensor
) -> None:
    first, again, other = (refined(linear, proposals, seed) for seed in (0, 0, 1))
    assert torch.equal(first.points, again.points)
    assert first.log_evidence == again.log_evidence
    assert not torch.equal(first.points, other.points)


def test_a_skim_tells_the_evidence_from_a_few_thousand_curves(
    linear: Target, exact: tuple[Tensor, Tensor, float], proposals: Tensor
) -> None:
    found = refined(linear, proposals, effort=Effort().skim())
    assert found.drawn <= 3000
    assert found.log_evidence_sd < 0.3
    gap = found.log_evidence - exact[2]
    assert abs(gap) < ERRORS * max(found.log_evidence_sd, 0.01)


def test_more_steps_are_worth_more_and_it_stops_when_enough(
    linear: Target, proposals: Tensor
) -> None:
    def found(enough: float) -> Ensemble:
        none = Demand(most=0)
        effort = Effort(demand=none, walkers=100, steps=100, enough=enough)
        return refine(linear, proposals, Generator().manual_seed(0), effort)

    little, much = found(50), found(500)
    assert 50 <= little.effective < much.effective
    assert much.effective >= 500
    assert little.drawn < much.drawn
    assert len(much.points) == len(much.amounts) > len(little.points)
    assert much.effective <= len(much.points)


def test_a_window_without_a_proposal_is_refused_with_what_to_do(
    linear: Target, proposals: Tensor
) -> None:
    space = linear.space.narrow("first", 0.1, 0.2)
    narrow = Target(linear.structure, space, linear.observation)
    nowhere = torch.full_like(proposals, math.nan)
    with pytest.raises(ValueError, match=r"no proposal lies within .* Widen them\."):
        refine(narrow, nowhere, Generator().manual_seed(0))


def test_a_narrowed_prior_truncates_the_posterior(
    linear: Target, exact: tuple[Tensor, Tensor, float], proposals: Tensor
) -> None:
    # Cut in the middle of the first number's own posterior.
    edge = float(torch.special.ndtr(exact[0][0]))
    space = linear.space.narrow("first", 0, edge)
    narrow = Target(linear.structure, space, linear.observation)
    found = refined(narrow, proposals)
    theta = space.theta_from_latent(found.points[:, :3])
    assert float(theta[:, 0].max()) <= edge * (1 + 1e-6)
    z = torch.special.ndtri(theta[:, 0].clamp(max=1 - 1e-9))
    # Half of a normal distribution has its mean 0.8 standard deviations off.
    sd = float(exact[1][0, 0].sqrt())
    expected = float(exact[0][0]) - math.sqrt(2 / math.pi) * sd
    allowed = ERRORS * 0.6 * sd / math.sqrt(found.effective)
    assert float(mean(found, z)) == pytest.approx(expected, abs=allowed)
