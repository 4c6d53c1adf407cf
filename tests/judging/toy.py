"""A line through noise: two numbers whose posterior is a Gaussian known exactly."""

from collections.abc import Callable, Iterator

import torch
from torch import Generator, Tensor

from saxinfer.curve import Curve
from saxinfer.judging import Draw, Prior
from saxinfer.judging.draws import Column

Q = torch.linspace(0.1, 2.0, 12, dtype=torch.float64)
SIGMA = 2.0
DESIGN = torch.stack([torch.ones_like(Q), Q - 0.5], 1)
MEAN, SD = 10.0, 3.0

PRIOR = Prior((Column("level", "1", 0, 20), Column("slope", "nm", 0, 20)))


def draws(count: int, seed: int) -> Iterator[Draw]:
    """Curves I = level + slope (q - 0.5), both numbers from N(10, 3)."""
    generator = Generator().manual_seed(seed)
    for row in range(count):
        truth = MEAN + SD * torch.randn(2, generator=generator, dtype=torch.float64)
        noise = torch.randn(len(Q), generator=generator, dtype=torch.float64)
        curve = Curve(Q, DESIGN @ truth + SIGMA * noise, torch.full_like(Q, SIGMA))
        yield Draw(row, truth, curve)


def posterior(width: float = 1.0, seed: int = 0) -> Callable[[Curve], Tensor]:
    """Samples of the posterior, its standard deviations so many times too wide."""
    generator = Generator().manual_seed(seed)
    precision = torch.eye(2).double() / SD**2 + DESIGN.T @ DESIGN / SIGMA**2
    covariance = torch.linalg.inv(precision)
    root = width * torch.linalg.cholesky(covariance)

    def posterior_of(curve: Curve) -> Tensor:
        pull = torch.full((2,), MEAN / SD**2).double()
        mean = covariance @ (pull + DESIGN.T @ curve.intensity / SIGMA**2)
        normal = torch.randn(120, 2, generator=generator, dtype=torch.float64)
        samples: Tensor = mean + normal @ root.T
        return samples

    return posterior_of
