"""Mirrors src/saxinfer/inference/domain.py."""

import math
from dataclasses import fields
from pathlib import Path

import pytest
import torch
from scipy import stats
from torch import Generator, Tensor

from saxinfer.inference.card import load_estimator
from saxinfer.inference.domain import (
    NODES,
    Surroundings,
    drawn_features,
    read_surroundings,
    survey,
    write_surroundings,
)
from saxinfer.inference.npe import PosteriorNetwork
from saxinfer.preprocess.features import BINS, CHANNELS
from saxinfer.structures import MODELS
from saxinfer.structures.sphere import Sphere

SPHERE = MODELS["sphere"]


@pytest.fixture(scope="module")
def network() -> PosteriorNetwork:
    return load_estimator("sphere").network


@pytest.fixture(scope="module")
def small(network: PosteriorNetwork) -> Surroundings:
    """A survey of 128 curves of each tier and use."""
    return survey(SPHERE, network, most=128)


def rates(found: Surroundings, network: PosteriorNetwork, seen: Tensor) -> list[float]:
    return [found.familiarity(network, row[None]).p for row in seen]


def test_drawn_features_are_those_of_curves_of_both_tiers() -> None:
    for tier in ("standard", "hard"):
        seen = drawn_features(SPHERE, tier, 20, Generator().manual_seed(1))
        assert seen.shape == (20, CHANNELS, BINS)
        again = drawn_features(SPHERE, tier, 20, Generator().manual_seed(1))
        assert torch.equal(seen, again)


def test_new_curves_rank_evenly_among_those_of_the_survey(
    small: Surroundings, network: PosteriorNetwork
) -> None:
    generator = Generator().manual_seed(2)
    tiers = [drawn_features(SPHERE, t, 80, generator) for t in ("standard", "hard")]
    p = rates(small, network, torch.cat(tiers))
    # Both sides are samples: at a level of one in a thousand.
    own = rates(small, network, torch.cat(tiers)[:1])
    assert own[0] == p[0]
    beyond = torch.arange(1, len(small.ranked) + 1) / (1 + len(small.ranked))
    assert stats.ks_2samp(p, beyond.tolist()).pvalue > 1e-3


NONSENSE = {
    "rises by eight decades": torch.linspace(-3, 3, BINS),
    "swings by five decades": 2 * torch.sin(torch.arange(BINS) / 20),
}


@pytest.mark.parametrize("kind", NONSENSE)
def test_a_curve_of_nonsense_is_strange(network: PosteriorNetwork, kind: str) -> None:
    found = load_estimator("sphere").surroundings
    assert found is not None
    seen = drawn_features(SPHERE, "standard", 10, Generator().manual_seed(3))
    seen[:, 0] = NONSENSE[kind] * (seen[:, 2] > 0)
    assert max(rates(found, network, seen)) < 0.01


def test_a_survey_depends_on_nothing_but_the_network(
    small: Surroundings, network: PosteriorNetwork
) -> None:
    again = survey(SPHERE, network, most=128)
    for field in fields(Surroundings):
        assert torch.equal(getattr(small, field.name), getattr(again, field.name))


class Unknown(Sphere):
    """Spheres that do not tell how fast their curves turn."""

    most = 0

    def reach(self, theta: Tensor) -> Tensor:
        return torch.full((len(theta),), math.inf)

    def intensity(self, q: Tensor, theta: Tensor) -> Tensor:
        self.most = max(self.most, q.shape[1])
        return super().intensity(q, theta)


def test_many_points_of_a_slow_structure_are_interpolated() -> None:
    unknown = Unknown()
    exact, found = (
        drawn_features(structure, "hard", 96, Generator().manual_seed(2))
        for structure in (SPHERE, unknown)
    )
    assert unknown.most == NODES
    # Fringes that are finer than the bins of a description do not matter to it.
    assert not torch.equal(found, exact)
    assert float((found - exact).abs().mean()) < 0.01 * float(exact.std())


def test_a_survey_tells_how_far_it_is(network: PosteriorNetwork) -> None:
    said: list[tuple[int, int]] = []
    survey(SPHERE, network, most=32, progress=lambda *told: said.append(told[:2]))
    done, totals = zip(*said, strict=True)
    # Three uses, two tiers.
    assert set(totals) == {6 * 32}
    assert sorted(set(done)) == list(done)
    assert done[-1] == totals[0]


def test_a_survey_comes_back_as_it_was_written(
    small: Surroundings, network: PosteriorNetwork, tmp_path: Path
) -> None:
    write_surroundings(tmp_path, small, "abc")
    found = read_surroundings(tmp_path, "abc")
    assert found is not None
    for field in fields(Surroundings):
        assert torch.equal(getattr(small, field.name), getattr(found, field.name))


def test_a_survey_of_other_weights_or_none_is_none(
    small: Surroundings, tmp_path: Path
) -> None:
    assert read_surroundings(tmp_path, "abc") is None
    write_surroundings(tmp_path, small, "abc")
    assert read_surroundings(tmp_path, "abd") is None
