"""Mirrors src/saxinfer/instrument/groups.py."""

import torch

from saxinfer.instrument.groups import Groups


def test_members_have_a_mean_and_a_spread() -> None:
    q = torch.tensor([1.0, 2.0, 5.0], dtype=torch.float64)
    share = torch.tensor([0.25, 0.75, 1.0], dtype=torch.float64)
    groups = Groups(q, share, torch.tensor([0, 0, 1]), None, torch.ones(2).double())
    assert len(groups) == 2
    assert torch.equal(q @ groups.matrix(), torch.tensor([1.75, 5.0]).double())
    assert torch.allclose(groups.spread(), torch.tensor([0.1875**0.5, 0.0]).double())
