"""Mirrors src/saxinfer/inference/search.py."""

import math

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.inference.card import load_estimator
from saxinfer.inference.climb import Summits, alike, climb, content
from saxinfer.inference.effort import Effort
from saxinfer.inference.ends import followed
from saxinfer.inference.proposals import propose
from saxinfer.inference.search import Search, mixture_of, searched
from saxinfer.inference.target import Target
from saxinfer.judging.draws import drawn
from saxinfer.preprocess.prepare import prepare
from saxinfer.structures import get_structure

# Radius of the spheres of ``large``.
RADIUS = 60.0


def misled(target: Target) -> Tensor:
    """Proposals of a network that believes in far smaller spheres."""
    generator = Generator().manual_seed(1)
    drawn = 0.05 * torch.randn(200, target.dimension, generator=generator).double()
    theta = torch.tensor([[3.0, 0.3]], dtype=torch.float64)
    drawn[:, :2] += target.space.latent_from_theta(theta)
    return drawn


@pytest.fixture
def no_fringes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody looks at the fringes, which alone would do here."""
    monkeypatch.setattr(
        "saxinfer.inference.search.fringed", lambda _, proposals, __: proposals[:0]
    )


@pytest.mark.usefixtures("no_fringes")
@pytest.mark.parametrize(("wide", "found"), [(0, False), (10_000, True)])
def test_where_no_climb_fits_the_whole_prior_is_searched(
    large: Target, wide: int, found: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    # So would hops.
    monkeypatch.setattr(
        "saxinfer.inference.search.hopped", lambda _, summits, *__: summits
    )
    effort = Effort(scan=0, first=10, starts=20, wide_scan=wide)
    search = searched(large, misled(large), effort, Generator().manual_seed(0))
    best = search.summits.points[search.summits.density.argmax()]
    radius = float(large.theta(best[None])[0, 0])
    assert content(large, search.summits) == found
    assert (abs(radius / RADIUS - 1) < 0.01) == found
    assert search.others is None


@pytest.mark.parametrize("alone", ["hops", "fringes"])
def test_either_of_hops_and_fringes_finds_what_no_climb_has_found(
    large: Target,
    alone: str,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    if alone == "hops":
        request.getfixturevalue("no_fringes")
    else:
        monkeypatch.setattr(
            "saxinfer.inference.search.hopped", lambda _, summits, __: summits
        )
    effort = Effort(scan=0, first=10, starts=20, wide_scan=0)
    search = searched(large, misled(large), effort, Generator().manual_seed(0))
    best = search.summits.points[search.summits.density.argmax()]
    assert float(large.theta(best[None])[0, 0]) == pytest.approx(RADIUS, rel=0.01)
    # The others were not needed.
    assert search.others is not None


def test_where_the_first_climbs_fit_the_others_are_left_for_later(
    linear: Target, proposals: Tensor
) -> None:
    effort = Effort(first=10, starts=25, wide_scan=0)
    search = searched(linear, proposals, effort, Generator().manual_seed(0))
    assert search.others is not None
    assert len(search.others) == 15
    everyone = Effort(first=30, starts=25, wide_scan=0)
    search = searched(linear, proposals, everyone, Generator().manual_seed(0))
    assert search.others is None


@pytest.mark.parametrize(("name", "followings"), [("bent", 2), ("linear", 0)])
def test_ridges_are_followed_where_there_are_some(
    name: str,
    followings: int,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    target: Target = request.getfixturevalue(name)
    seen = []

    def told(shape: Target, found: Summits, summits: Summits) -> Summits:
        seen.append(shape)
        return followed(shape, found, summits)

    monkeypatch.setattr("saxinfer.inference.search.followed", told)
    proposals = 0.3 * torch.randn(
        100, target.dimension, generator=Generator().manual_seed(1)
    )
    searched(target, proposals.double(), Effort(), Generator().manual_seed(0))
    assert len(seen) == followings


def test_the_mixture_is_at_the_mode_and_over_the_network_s_belief(
    linear: Target, exact: tuple[Tensor, Tensor, float], proposals: Tensor
) -> None:
    search = searched(linear, proposals, Effort(), Generator().manual_seed(0))
    mixture = mixture_of(linear, search, proposals)
    sd = exact[1].diagonal().sqrt()
    gap = ((mixture.means[:, :3] - exact[0]) / sd).norm(dim=1)
    assert float(gap.min()) < 0.1
    assert float(mixture.weights[gap < 3].sum()) > 0.3
    assert float(mixture.weights.sum()) == pytest.approx(1)
    prior = torch.zeros(1, len(linear.proposed), dtype=torch.float64)
    normal = -0.5 * len(linear.proposed) * math.log(2 * math.pi)
    assert float(mixture.log_density(prior)) > normal - 10


def search_of(seed: int, row: int, chance: int) -> tuple[Target, Search]:
    """Of a curve of core-shell spheres, by the network that comes with the package."""
    model = "core_shell_sphere"
    ready = prepare(drawn(model, "standard", seed, row).curve)
    structure = get_structure(model)
    data = ready.observation()
    target = Target(structure, structure.space, data)
    generator = Generator().manual_seed(chance)
    proposals = propose(target, load_estimator(model), generator)
    return target, searched(target, proposals, Effort(), generator)


def test_a_step_outside_and_one_inside_of_the_surface_are_both_found() -> None:
    """A weak shell on a dense core scatters like a dense shell that is a bit weaker.

    Each solution is narrower than what the network tells: of a few climbers that start
    where proposals fit best, all may end in the same one.
    """
    for chance in (1, 2):
        target, search = search_of(70000, 18, chance)
        summits = search.summits
        good = summits.points[summits.density > summits.density.max() - 3]
        angle = target.theta(good)[:, 3]
        weak_shell = angle.abs() < 0.1
        weak_core = (angle > 0.6) & (angle < math.pi / 4)
        assert bool(weak_shell.any() and weak_core.any()), chance
    # From the one a climb to the other is known.
    (best, *_) = good[weak_shell]
    both = alike(target, climb(target, best[None]), 1)
    turned = both.points[both.density > summits.density.max() - 3]
    angle = target.theta(turned)[:, 3]
    assert bool(((angle > 0.6) & (angle < math.pi / 4)).any())


def test_hops_go_on_where_fringes_hide_the_one_solution_that_fits() -> None:
    """The outer radius is found by chance; the shell is one of a hundred fringes."""
    target, search = search_of(4000, 20, 1)
    assert content(target, search.summits)
    best = search.summits.points[search.summits.density.argmax()]
    radius, _, thickness, _ = target.theta(best[None])[0].tolist()
    assert radius == pytest.approx(124.37, abs=0.1)
    assert thickness == pytest.approx(90.84, abs=0.5)
