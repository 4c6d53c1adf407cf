"""Mirrors src/saxinfer/inference/label_free/adapt.py."""

import pytest
import torch

from saxinfer.inference.label_free.adapt import moved
from saxinfer.inference.label_free.curves import Unlabelled
from saxinfer.inference.label_free.health import Health
from saxinfer.inference.npe import PosteriorNetwork
from saxinfer.structures import get_structure

SPHERE = get_structure("sphere")
BEFORE, AFTER = (Health(figure, 0.1, 0.2, 0.5) for figure in (9.0, 7.5))


@pytest.fixture
def network() -> PosteriorNetwork:
    torch.manual_seed(0)
    return PosteriorNetwork(SPHERE)


def test_a_network_that_stayed_has_not_moved(
    network: PosteriorNetwork, few: Unlabelled
) -> None:
    found = moved(SPHERE, few, (network, BEFORE), (network, BEFORE))
    assert all(shift.size == 0 for shift in found.shifts)
    assert all(shift.width == pytest.approx(1) for shift in found.shifts)
    assert found.weights == {"embedding": 0.0, "flow": 0.0}
    (only,) = found.sentences()
    assert only.endswith("nothing was gained, and nothing was changed.")


def test_what_moved_most_is_told_first(
    network: PosteriorNetwork, few: Unlabelled
) -> None:
    torch.manual_seed(1)
    other = PosteriorNetwork(SPHERE)
    found = moved(SPHERE, few, (network, BEFORE), (other, AFTER))
    assert [shift.name for shift in found.shifts][:3] == [
        *("radius_mean", "radius_std", "signal_share")
    ]
    said = found.sentences()
    assert said[0] == "Shortfall on 20 held-back curves: 9.00 nat before, 7.50 after."
    largest = max(found.shifts, key=lambda shift: shift.size)
    assert said[1].startswith(f"{largest.name}: posterior means moved by")
    assert found.weights["flow"] > 0.1
    entries = found.entries()
    assert entries["held_back_curves"] == 20
