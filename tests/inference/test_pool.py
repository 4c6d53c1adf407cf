"""Mirrors src/saxinfer/inference/pool.py."""

import math

import pytest
import torch
from jaxtyping import Float
from torch import Generator, Tensor

from saxinfer.inference.mixture import StudentMixture
from saxinfer.inference.pool import Pool


def normals(*centres: float) -> StudentMixture:
    """Equal components of unit scale in the plane, on the diagonal."""
    count = len(centres)
    means = torch.tensor(centres, dtype=torch.float64)[:, None].expand(-1, 2)
    factors = torch.eye(2, dtype=torch.float64).expand(count, -1, -1)
    weights = torch.full((count,), 1 / count, dtype=torch.float64)
    return StudentMixture(weights, means.contiguous(), factors)


def drawn(pool: Pool, count: int, seed: int) -> tuple[Tensor, Tensor]:
    """Points with a third column that is not proposed, for a normal posterior."""
    points = pool.mixture.sample(count, Generator().manual_seed(seed))
    value = -0.5 * (points - 1).square().sum(-1) - math.log(2 * math.pi)
    return torch.cat([points, torch.zeros(count, 1).double()], 1), value


def grown() -> Pool:
    """A pool of two rounds, with a component and other weights in the second."""
    pool = Pool(normals(-2, 0), [0, 1])
    pool.add(*drawn(pool, 300, 0))
    pool.reweigh(torch.softmax(pool.log_weight(), 0))
    pool.extend(normals(2), 0.3)
    pool.add(*drawn(pool, 500, 1))
    return pool


def test_samples_are_weighed_against_all_mixtures_as_often_as_each_was_drawn() -> None:
    pool = Pool(normals(-2, 0), [0, 1])
    first = pool.mixture
    pool.add(*drawn(pool, 300, 0))
    pool.reweigh(torch.softmax(pool.log_weight(), 0))
    pool.extend(normals(2), 0.3)
    second = pool.mixture
    pool.add(*drawn(pool, 500, 1))
    points = pool.points[:, :2]
    both = 3 / 8 * first.log_density(points).exp()
    both = both + 5 / 8 * second.log_density(points).exp()
    assert torch.allclose(pool.log_weight(), pool.values - both.log(), rtol=1e-9)


def test_the_mean_weight_is_the_evidence() -> None:
    weights = grown().log_weight().exp()
    error = float(weights.std()) / math.sqrt(len(weights))
    assert float(weights.mean()) == pytest.approx(1, abs=4 * error)
    assert error < 0.1


def test_refitted_weights_go_to_the_components_near_the_posterior() -> None:
    pool = grown()
    before = pool.mixture.weights
    pool.reweigh(torch.softmax(pool.log_weight(), 0))
    after = pool.mixture.weights
    assert float(after.sum()) == pytest.approx(1)
    assert float(after[0]) < 0.05
    assert float(after[0]) < float(before[0])


def test_the_heaviest_samples_are_those_of_the_largest_weights() -> None:
    pool = grown()
    log_weight = pool.log_weight()
    found = pool.heaviest(log_weight, 7)
    assert torch.equal(found[0], pool.points[log_weight.argmax()])
    rest = [bool((found == row).all(-1).any()) for row in pool.points]
    least = log_weight[torch.tensor(rest)].min()
    assert float(least) >= float(log_weight[~torch.tensor(rest)].max())


class Normal:
    """A normal density around (1, 1), times ``height``; one more column is moved."""

    dimension, proposed = 3, [0, 1]

    def __init__(self, height: float = 1.0) -> None:
        self.log_height = math.log(height) if height else -math.inf

    def drawn_rest(
        self, latent: Float[Tensor, "batch dimension"], generator: Generator
    ) -> tuple[
        Float[Tensor, "batch dimension"],
        Float[Tensor, " batch"],
        Float[Tensor, "batch amount"],
    ]:
        value = -0.5 * (latent[:, :2] - 1).square().sum(-1) - math.log(2 * math.pi)
        return latent + 7, value + self.log_height, latent


def test_a_draw_is_weighed_like_what_was_added_and_new_values_hold() -> None:
    pool = Pool(normals(-2, 0, 2), [0, 1])
    log_weight = pool.draw(Normal(), 400, Generator().manual_seed(0))
    assert torch.equal(log_weight, pool.log_weight())
    assert pool.points.shape == (400, 3)
    assert bool((pool.points[:, 2] == 7).all())
    pool.revalue(pool.values + 2.5)
    assert torch.allclose(pool.log_weight(), log_weight + 2.5)


def test_a_density_that_is_zero_everywhere_is_refused_with_what_to_do() -> None:
    with pytest.raises(ValueError, match=r"no sample lies within .* Widen them\."):
        Pool(normals(0), [0, 1]).draw(Normal(0.0), 50, Generator().manual_seed(0))


def test_bent_components_are_fitted_to_the_weighted_samples() -> None:
    pool = grown()
    generator = Generator().manual_seed(0)
    weights = torch.softmax(pool.log_weight(), 0)
    found = pool.bend(weights, generator)
    assert len(found.bends) == 1
    fresh = found.sample(2000, generator)
    # The posterior is a normal of unit width at (1, 1).
    assert torch.allclose(fresh.mean(0), torch.ones(2).double(), atol=0.25)
    assert torch.allclose(fresh.std(0), torch.ones(2).double(), atol=0.3)
    pool.extend(found, 0.5)
    pool.add(*drawn(pool, 200, 5))
    columns = pool.mixture.kernels(pool.points[:, :2]) - pool.tops[:, None]
    assert torch.allclose(pool.table, columns.exp())
