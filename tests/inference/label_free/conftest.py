"""Spheres seen by good instruments, as curves without labels."""

from collections.abc import Callable

import pytest
from torch import Generator, Tensor

from saxinfer.curve import Curve
from saxinfer.inference.label_free.curves import Unlabelled, from_curves
from saxinfer.instrument.tiers import draw_setting, measure
from saxinfer.structures import get_structure

Made = Callable[..., tuple[Tensor, list[Curve]]]


@pytest.fixture(scope="session")
def made() -> Made:
    """Curves of a model on the standard tier, with the parameters behind them."""

    def made(
        count: int, seed: int, points: int = 40, model: str = "sphere"
    ) -> tuple[Tensor, list[Curve]]:
        structure, generator = get_structure(model), Generator().manual_seed(seed)
        theta = structure.space.sample(count, generator)
        setting = draw_setting("standard", count, points, generator)
        clean = structure.intensity(setting.q, theta).clamp(min=1e-300)
        found = measure(clean, setting, generator)
        rows = zip(found.q, found.intensity, found.sigma, strict=True)
        return theta, [Curve(q, intensity, sigma) for q, intensity, sigma in rows]

    return made


@pytest.fixture
def few(made: Made) -> Unlabelled:
    """Twenty curves."""
    return from_curves(made(20, 3)[1], "made")
