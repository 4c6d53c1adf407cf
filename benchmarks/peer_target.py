"""What the peers are given to sample: the posterior that we sample ourselves.

It is the posterior of one simulated curve in latent coordinates, whose prior is
standard normal, so that priors and nuisances are the same for all. Columns that no
curve sees are left out. The structure's curve comes from our batched closed form or,
for ``core_shell_sphere``, from sasmodels, one curve a call, as its users have it:

- in double precision, compiled, at every point that is fitted; where neighbours were
  averaged, at their mean q, which halves its work and moves ln L by less than one;
- its ``core_shell_sphere`` spreads the core alone, ours the whole particle: its own
  ``reparameterize`` makes the outer radius what is spread;
- its ``lognormal`` has radii even in R, which with 35 of them misses the tail that the
  scattering of a wide distribution comes from: a distribution of its plug-in kind has
  them even in ln R, from 4 sigma below the median to 4 above the median of R^6.

All else, priors, nuisances, likelihood, is our arithmetic on the whole batch, also for
sasmodels: less than its users pay.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar, Literal

import numpy as np
import torch
from torch import Tensor

from nested import likelihood_of, sampled_columns
from reference import target_of
from saxinfer.inference.target import Target
from saxinfer.instrument.observation import log_likelihood
from saxinfer.structures.core_shell_sphere import CoreShellSphere

__all__ = ["FORWARDS", "RADII", "Forward", "SasmodelsCoreShell", "Sought"]

Forward = Literal["ours", "sasmodels"]
FORWARDS = ("ours", "sasmodels")

RADII = 35

# Columns of the error term among the nuisances, and where its mode is looked for.
ERROR_TERM = (4, 5)
FACTORS, ERRORS = np.linspace(-2, 2, 9), np.linspace(-3, 3, 25)


class SasmodelsCoreShell(CoreShellSphere):
    """Our core-shell spheres with the curves of sasmodels.

    Args:
        grid: Where curves are wanted [1/nm].
    """

    smooth_to = 0.0

    def __init__(self, grid: Tensor) -> None:
        self._grid = grid
        self._call = _compiled(grid.numpy())

    def intensity(self, q: Tensor, theta: Tensor) -> Tensor:
        """Scattered intensity up to a factor, one curve after the other."""
        if not torch.equal(q, self._grid):
            raise ValueError("sasmodels was compiled for other points than these.")
        curves = [self._call(**_parameters(row)) for row in theta.tolist()]
        return torch.from_numpy(np.stack(curves))


def _parameters(theta: list[float]) -> dict[str, Any]:
    """Parameters of sasmodels [angstrom]; only ratios of the densities matter."""
    mean, std, thickness, angle = theta
    sigma = math.sqrt(math.log1p((std / mean) ** 2))
    return {
        "outer": 10 * mean * math.exp(-0.5 * sigma**2),
        "outer_pd": sigma,
        "outer_pd_n": RADII,
        "outer_pd_type": "even_in_log",
        "core_ratio": 1 - thickness / mean,
        "sld_core": math.cos(angle),
        "sld_shell": math.sin(angle),
        "sld_solvent": 0.0,
        "scale": 1.0,
        "background": 0.0,
    }


def _compiled(q: np.ndarray) -> Callable[..., np.ndarray]:
    """The reparameterised model of sasmodels at some points [1/nm]."""
    from sasmodels.core import build_model, reparameterize
    from sasmodels.data import empty_data1D
    from sasmodels.direct_model import DirectModel
    from sasmodels.weights import DISTRIBUTIONS, Dispersion

    class EvenInLog(Dispersion):
        """Log-normal radii, even in ln R; the width is sigma of ln R."""

        type = "even_in_log"
        default: ClassVar = {"npts": RADII, "width": 0, "nsigmas": 4}

        def _weights(
            self, center: float, sigma: float, lb: float, ub: float
        ) -> tuple[np.ndarray, np.ndarray]:
            width = sigma / center
            steps = np.linspace(-4, 4 + 6 * width, self.npts)
            radius = center * np.exp(width * steps)
            inside = (radius >= lb) & (radius <= ub)
            return radius[inside], np.exp(-0.5 * steps[inside] ** 2)

    DISTRIBUTIONS[EvenInLog.type] = EvenInLog
    info = reparameterize(
        "core_shell_sphere",
        [
            ["outer", "Ang", 60.0, [0, math.inf], "volume", "Outer radius"],
            ["core_ratio", "", 0.5, [0, 1], "volume", "Core radius over outer"],
        ],
        "radius = outer*core_ratio\nthickness = outer*(1-core_ratio)",
        name="whole_core_shell_sphere",
    )
    model = build_model(info, dtype="double", platform="dll")
    call: Callable[..., np.ndarray] = DirectModel(
        empty_data1D(q / 10, resolution=0), model
    )
    return call


@dataclass(frozen=True, eq=False)
class Sought:
    """The posterior of one curve, for samplers that speak numpy.

    Attributes:
        target: The exact posterior.
        forward: Where the structure's curve comes from.
    """

    target: Target
    forward: Forward = "ours"

    @classmethod
    def of(cls, model: str, seed: int, forward: Forward) -> "Sought":
        """The posterior of a standard-tier curve of benchmarks/calibration.py.

        Raises:
            ValueError: If sasmodels has no such structure.
        """
        target = target_of(model, "standard", seed)
        if forward == "sasmodels":
            if model != "core_shell_sphere":
                raise ValueError(
                    f"sasmodels stands in for core_shell_sphere only, "
                    f"not for '{model}'."
                )
            q = target.observation.q
            target = replace(
                target,
                structure=SasmodelsCoreShell(q),
                observation=replace(target.observation, grid=q, smear=None),
            )
        return cls(target, forward)

    @cached_property
    def columns(self) -> list[int]:
        """Latent columns that are sampled."""
        return sampled_columns(self.target)

    @property
    def size(self) -> int:
        """Their number."""
        return len(self.columns)

    @cached_property
    def _log_likelihood(self) -> Callable[[np.ndarray], np.ndarray]:
        return likelihood_of(self.target)

    def log_density(self, points: np.ndarray) -> np.ndarray:
        """Log prior plus log likelihood of a batch of points."""
        points = np.asarray(points, dtype=np.float64)
        prior = -0.5 * np.square(points).sum(1)
        value: np.ndarray = self._log_likelihood(points) + prior
        return value

    def _whole(self, points: np.ndarray) -> Tensor:
        """All latent columns of points; those that no curve sees are zero."""
        latent = torch.zeros(len(points), self.target.dimension, dtype=torch.float64)
        latent[:, self.columns] = torch.from_numpy(np.asarray(points))
        return latent

    @torch.no_grad()
    def residuals(self, point: np.ndarray, error: Tensor) -> np.ndarray:
        """Misfit of a point in standard errors that are held constant."""
        latent = self._whole(point[None])
        target = self.target
        total = target.intensity(target.curve(latent), target.nuisance(latent)).total
        return ((target.observation.intensity - total[0]) / error).numpy()

    @torch.no_grad()
    def error(self, point: np.ndarray) -> Tensor:
        """Effective errors of the data for the error term of a point."""
        factor, share = self.target.nuisance(self._whole(point[None]))[0, 4:6]
        data = self.target.observation
        return data.variance(data.intensity, factor[None], share[None]).sqrt()

    @property
    def error_term(self) -> list[int]:
        """Places of the error term among the sampled columns."""
        return [self.columns.index(self.target.width + i) for i in ERROR_TERM]

    @torch.no_grad()
    def with_best_error(self, point: np.ndarray) -> np.ndarray:
        """The point with the error term that suits it best, on a grid."""
        factor, share = np.meshgrid(FACTORS, ERRORS, indexing="ij")
        points = np.repeat(point[None], factor.size, axis=0)
        points[:, self.error_term] = np.stack([factor.ravel(), share.ravel()], 1)
        target, latent = self.target, self._whole(points)
        curve = target.curve(latent[:1]).expand(len(latent), -1)
        nuisance = target.nuisance(latent)
        total = target.intensity(curve, nuisance).total
        value = log_likelihood(
            total, target.observation, nuisance[:, 4], nuisance[:, 5]
        )
        value = value - 0.5 * latent.square().sum(-1)
        best: np.ndarray = points[int(value.argmax())]
        return best

    @torch.no_grad()
    def physical(self, points: np.ndarray, seed: int) -> dict[str, np.ndarray]:
        """Parameters of the structure, those that no curve sees from their prior."""
        latent = self._whole(points)
        unseen = [i for i in range(self.target.dimension) if i not in self.columns]
        rng = np.random.default_rng(seed)
        drawn = rng.standard_normal((len(points), len(unseen)))
        latent[:, unseen] = torch.from_numpy(drawn)
        theta = self.target.theta(latent).numpy()
        return dict(zip(self.target.space.names, theta.T, strict=True))
