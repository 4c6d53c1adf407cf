"""Mirrors src/saxinfer/inference/shapes.py."""

import pytest
import torch

from saxinfer.inference.shapes import POWERS, backgrounds, splines, steps

SHORT = torch.linspace(0.1, 1, 10, dtype=torch.float64)
LONG = torch.logspace(-1.5, 0.7, 400, dtype=torch.float64)


@pytest.mark.parametrize("q", [SHORT, LONG], ids=["10 points", "400 points"])
def test_a_step_leaves_points_on_either_side(q: torch.Tensor) -> None:
    rows = steps(q)
    assert set(rows.flatten().tolist()) == {0.0, 1.0}
    assert bool((rows.diff(dim=1) >= 0).all())
    count = rows.sum(1)
    assert float(count.min()) == 4
    assert float(count.max()) == len(q) - 4
    assert len(set(count.tolist())) == len(rows)


def test_backgrounds_are_powers_of_q_and_humps() -> None:
    rows = backgrounds(LONG)
    assert torch.allclose(rows.amax(1), torch.ones(len(rows)).double())
    for row, power in zip(rows, POWERS, strict=False):
        slope = (row[-1] / row[0]).log() / (LONG[-1] / LONG[0]).log()
        assert float(slope) == pytest.approx(power)
    humps = rows[len(POWERS) :]
    place = LONG[humps.argmax(1)]
    assert bool((place.diff() > 0).all())
    assert float(place[0]) == pytest.approx(float(LONG[0]))
    assert float(place[-1]) == pytest.approx(float(LONG[-1]))


@pytest.mark.parametrize("q", [SHORT, LONG], ids=["10 points", "400 points"])
def test_splines_add_up_to_one_and_are_no_more_than_points(q: torch.Tensor) -> None:
    rows = splines(q)
    assert torch.allclose(rows.sum(0), torch.ones_like(q))
    assert bool((rows >= 0).all())
    assert len(rows) <= max(4, len(q) // 4)
    assert int(torch.linalg.matrix_rank(rows)) == len(rows)
