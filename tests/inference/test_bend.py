"""Mirrors src/saxinfer/inference/bend.py."""

import pytest
import torch
from torch import Generator, Tensor

from saxinfer.inference.bend import Bend


def bow(count: int, seed: int) -> Tensor:
    """A thin bow in space, thicker at one end, in axes that are none of its own."""
    normal = torch.randn(
        count, 3, generator=Generator().manual_seed(seed), dtype=torch.float64
    )
    along, across, other = normal.unbind(1)
    width = 0.02 * torch.exp(0.5 * along)
    thin = 0.3 * along.square() + width * across
    points = torch.stack([2 * along, thin, 0.9 * other], 1)
    turned, _ = torch.linalg.qr(
        torch.tensor([[1.0, 2, 0], [0.5, -1, 1], [0.3, 0.4, 2]]).double()
    )
    result: Tensor = points @ turned.T + torch.tensor([0.2, -1.0, 3.0])
    return result


@pytest.fixture(scope="module")
def bend() -> Bend:
    """A map fitted to a bow."""
    return Bend.fitted(bow(3000, 0))


def test_a_bow_becomes_round(bend: Bend) -> None:
    fresh, _ = bend.straightened(bow(3000, 1))
    # Beyond the cloud that the map was fitted to it cannot be right.
    fresh = fresh.clamp(-3, 3)
    assert float(fresh.mean(0).abs().max()) < 0.1
    assert torch.allclose(torch.cov(fresh.T), torch.eye(3).double(), atol=0.15)
    # Half of the bow's points have their width within that of a normal distribution.
    assert float((fresh.abs() < 0.6745).double().mean(0).sub(0.5).abs().max()) < 0.05


def test_there_and_back(bend: Bend) -> None:
    points = bow(500, 2)
    round_side, _ = bend.straightened(points)
    assert torch.allclose(bend.bent(round_side), points, atol=1e-10)
    far = 8 * torch.randn(200, 3, generator=Generator().manual_seed(0)).double()
    again, _ = bend.straightened(bend.bent(far))
    assert torch.allclose(again, far, atol=1e-6)


def test_the_determinant_is_that_of_the_jacobian(bend: Bend) -> None:
    points = bow(20, 3)
    _, log_det = bend.straightened(points)
    for point, value in zip(points, log_det, strict=True):
        jacobian = torch.func.jacrev(lambda x: bend.straightened(x[None])[0][0])(point)
        assert float(torch.linalg.slogdet(jacobian)[1]) == pytest.approx(float(value))


def test_points_that_are_all_the_same_have_a_map_that_leads_back() -> None:
    bend = Bend.fitted(torch.ones(50, 2, dtype=torch.float64))
    there, log_det = bend.straightened(torch.ones(3, 2, dtype=torch.float64))
    assert bool(there.isfinite().all() and log_det.isfinite().all())
    assert torch.allclose(bend.bent(there), torch.ones(3, 2, dtype=torch.float64))
