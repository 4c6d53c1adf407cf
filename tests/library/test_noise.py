"""Noise is what the nuisances say, on the structure's own scale."""

import pytest
import torch

from saxinfer.instrument.tiers import Tier
from saxinfer.library.noise import NUISANCES, generator_of, noisy

Q = torch.logspace(-1.5, 0.5, 80).double()
CURVES = (50 * (1 + (3 * Q).square()) ** -2).repeat(200, 1)
NAMES = [parameter.name for parameter in NUISANCES]


@pytest.mark.parametrize("tier", ["standard", "hard"])
def test_the_same_block_has_the_same_noise(tier: Tier) -> None:
    one, two, other = (
        noisy(tier, Q, CURVES, generator_of(4, block)) for block in (1, 1, 2)
    )
    assert bool((one.intensity == two.intensity).all())
    assert bool((one.sigma == two.sigma).all())
    assert bool((one.intensity != other.intensity).any())


@pytest.mark.parametrize("tier", ["standard", "hard"])
def test_nuisances_lie_within_their_bounds(tier: Tier) -> None:
    found = noisy(tier, Q, CURVES, generator_of(4, 1))
    assert bool((found.sigma > 0).all())
    for column, parameter in enumerate(NUISANCES):
        values = found.nuisance[:, column]
        # The standard tier has no power law.
        lowest = 0.0 if parameter.name == "power_law_share" else parameter.low
        assert float(values.min()) >= lowest * (1 - 1e-12)
        assert float(values.max()) <= parameter.high * (1 + 1e-12)


def test_a_structure_keeps_its_scale_under_a_background() -> None:
    found = noisy("standard", Q, CURVES, generator_of(4, 1))
    share = found.nuisance[:, NAMES.index("signal_share")]
    end = CURVES[:, -8:].mean(1)
    background = end * (1 - share) / share
    error = found.nuisance[:, NAMES.index("model_error")][:, None]
    total = CURVES + background[:, None]
    pull = (found.intensity - total) / torch.hypot(found.sigma, error * total)
    # 16,000 normal deviates: their variance is one to a hundredth, five sigma 0.056.
    assert float(pull.square().mean()) == pytest.approx(1, abs=0.056)
