r"""Cellulose: packed crystals in a matrix of two amorphous phases, in cross-section.

Crystals are disks of density 1 that cover the area fraction phi_crystal; the rest is a
Gaussian random field clipped at one level into two phases of density sld_grf1 and
sld_grf2, independent of the crystals. With m the mean density of the matrix, Delta the
difference of its phases, C_c and C_T the covariances of the crystal mask and of the
clipped field,

.. math:: C(r) = (1 - m)^2 C_c(r)
                 + \Delta^2 [(1 - \varphi_c)^2 + C_c(r)]\, C_T(r), \qquad
          S(q) = 2\pi \int C(r) J_0(qr)\, r\, dr ,

and long parallel fibrils, randomly turned, scatter I(q) = (pi / q) S(q) [nm³]; aligned
ones, cut along the equator, S(q) [nm²].

The crystal term is read off the packing table, scale-free in q alpha_mean; the linear
part of C_T in g is the field's spectrum itself, exactly; only the remainders are
transformed.

**Exact degeneracies.** Up to scale, S depends on the level through t² and on the
densities through Delta / (1 - m) only. Exchanging the two amorphous fractions at equal
m and Delta is a mirror, and stretching (1 - m, Delta) together is a ridge. The
quantities that a curve can know are derived: ``level`` and ``contrast_ratio``.

References:
    Chakraborty, Accelerated phase identification using deep learning for retrieving
    physical parameters from SAXS data (2025), section 2.1: the ten parameters.
    Teubner, Europhys. Lett. 14, 403 (1991). Adler, The Geometry of Random Fields
    (1981): boundary length of a level set. Nishiyama, J. Appl. Cryst. (2025): hard
    disks for wood.
"""

import functools
import math
from typing import Literal

import torch
from jaxtyping import Float
from numpy import ndarray
from numpy.random import Generator
from torch import Tensor

from saxinfer.parameter import Parameter, ParameterSpace
from saxinfer.scattering import packing
from saxinfer.scattering.boundary import boundaries
from saxinfer.scattering.correlation import (
    Nodes,
    clipped_covariance,
    resample,
    resample_dense,
    resampling_matrix,
    transform_matrix,
)
from saxinfer.scattering.cross_section import CrossSection, Shape
from saxinfer.scattering.drawn_field import WAVES
from saxinfer.scattering.fourier import Rings
from saxinfer.scattering.grid import Grid
from saxinfer.scattering.matrix_prior import Heights, untangled
from saxinfer.scattering.random_field import FieldTransform, power_law_spectrum
from saxinfer.scattering.realisation import Realisation
from saxinfer.structures.base import Structure
from saxinfer.structures.phase import Phase

__all__ = ["K_MAX", "Cellulose"]

K_MAX = math.pi / 0.25
"""Band limit of the random field [1/nm], isotropic, the same in both engines."""

# Boxes from this edge on are suggested with the coarsest pixels that will do [nm].
LARGE = 200.0

# Differences of densities are not told from zero below it.
LEAST = 1e-9

# Rows worked on together: enough that arithmetic outweighs what each call costs.
CHUNK = 200

_R = Nodes(last=400.0, scale=1.0, count=320)
_K = Nodes(last=K_MAX, scale=0.02, count=180)
_Q = Nodes(last=13.0, scale=0.02, count=180)
_X = Nodes(float(packing.X_NODES[-1]), packing.X_SCALE, len(packing.X_NODES))
# Every second node of the table is enough for the product of the covariances.
_THIN = slice(None, None, 2)
_U = Nodes(
    float(packing.U_NODES[_THIN][-1]), packing.U_SCALE, len(packing.U_NODES[_THIN])
)

_FIELD = FieldTransform(_K, _R)

_SPACE = ParameterSpace(
    (
        Parameter("alpha_mean", "nm", 1, 5, "Mean half-size of the crystals."),
        Parameter(
            "alpha_std",
            "nm",
            0.05,
            0.4,
            "Standard deviation of the crystals' half-size.",
            base="alpha_mean",
        ),
        Parameter("pow_exp", "1", 1.25, 3, "Exponent of the field's spectral filter."),
        Parameter(
            "mu", "1/nm", 0.05, 1, "Low-q smoothing of the filter.", "log-uniform"
        ),
        Parameter("sld_grf1", "1", 0, 1, "Density of amorphous phase 1, crystal = 1."),
        Parameter(
            "sld_grf2",
            "1",
            0,
            1,
            "Density of amorphous phase 2, at most that of phase 1.",
            base="sld_grf1",
        ),
        Parameter("phi_crystal", "1", 0.1, 0.6, "Area fraction of the crystals."),
        Parameter(
            "phi_grf1",
            "1",
            0.1,
            0.9,
            "Area fraction of amorphous phase 1.",
            base="1 - phi_crystal",
        ),
    )
)


class Cellulose(Structure):
    """Hard-disk crystals in a clipped Gaussian random field: the paper's ten columns.

    Args:
        geometry: ``powder`` (randomly turned fibrils) or ``aligned`` (their
            equatorial cut, valid while q times the misalignment is well below
            2 pi over the fibril length).
        shape: ``disk`` or ``square``, of the crystals that :meth:`realise` draws; the
            closed form is that of disks.
    """

    name = "cellulose"
    title = "Packed crystals in a matrix of two amorphous phases (fibril cross-section)"
    references = (
        "Chakraborty 2025, section 2.1 (the ten parameters)",
        "Teubner, Europhys. Lett. 14, 403 (1991)",
        "Adler, The Geometry of Random Fields (1981)",
    )
    space = _SPACE
    dependent = (
        Parameter("phi_grf2", "1", 0.04, 0.81, "Area fraction of amorphous phase 2."),
        Parameter(
            "surface_area",
            "1/nm",
            0.03,
            5,
            "Length of all phase boundaries an area; fluctuations up to K_MAX.",
        ),
    )
    entangled = ("sld_grf1", "sld_grf2", "phi_grf1")
    unseen = ("sld_grf2",)
    smooth_to = K_MAX
    derived = (
        Parameter("level", "1", 0, 1.2816, "Clipping level |t| of the field."),
        Parameter(
            "contrast_ratio",
            "1",
            0,
            10,
            "Difference of the amorphous densities over 1 - their mean, up to 10.",
        ),
        Parameter("matrix_sld", "1", 0, 1, "Mean density of the amorphous matrix."),
    )
    phases = (
        Phase("crystals", "of the area", "density, crystal = 1", "mean half-size"),
        Phase("amorphous phase 1", "of the area", "density, crystal = 1"),
        Phase("amorphous phase 2", "of the area", "density, crystal = 1"),
    )

    def __init__(
        self,
        geometry: Literal["powder", "aligned"] = "powder",
        shape: Shape = "disk",
    ) -> None:
        self.geometry = geometry
        self.shape = shape

    def intensity(
        self, q: Float[Tensor, "*curves q"], theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch q"]:
        """Powder intensity [nm³] or aligned cut [nm²], densities in crystal units.

        For parameters in single precision little but the field's covariance is worked
        out in double: in two thirds of the time, to 3e-5 of the intensity and 1e-8 of
        the forward one.
        """
        dtype = theta.dtype
        q, theta = q.double(), theta.double()
        rows = [
            self.cross_section(q if q.ndim == 1 else q[a : a + CHUNK], part, dtype)
            for a, part in zip(
                range(0, len(theta), CHUNK), torch.split(theta, CHUNK), strict=True
            )
        ]
        section = torch.cat(rows)
        if self.geometry == "powder":
            section = section * (math.pi / q).to(dtype)
        return section

    def cross_section(
        self,
        q: Float[Tensor, "*curves q"],
        theta: Float[Tensor, "batch parameter"],
        dtype: torch.dtype = torch.float64,
    ) -> Float[Tensor, "batch q"]:
        """Planar spectrum S(q) [nm²] of the density in cross-section.

        Args:
            q: Scattering vector [1/nm], double precision.
            theta: Parameters, likewise.
            dtype: Precision of all but the field's covariance.
        """
        alpha, std, exponent, mu, _, _, phi, _ = theta.unbind(-1)
        mean, delta, level = matrix(theta)
        size, rows = alpha[:, None].to(dtype), q.to(dtype)
        falling = exponent.to(dtype), mu.to(dtype)
        spectrum = power_law_spectrum(_K.values.to(dtype), *falling)
        deficit = _FIELD.deficit(spectrum).double()
        field = clipped_covariance(level, deficit)
        scaled = size * rows
        reached = slice(_X.beyond(float(scaled.detach().max())))
        disks = packing.Disks.of(phi, std / alpha, dtype)
        cross = disks.covariance(_THIN) * resample_dense(
            field.to(dtype), _R, size * _U.values.to(dtype)
        )
        cross = (alpha * delta).square()[:, None].to(dtype) * cross
        both = torch.addcmul(
            cross @ _crystal_matrix(dtype)[:, reached],
            (alpha * (1 - mean)).square()[:, None].to(dtype),
            disks.spectrum(reached),
        )
        total = resample_dense(both, _X, scaled)
        # Of the field itself the linear part is known exactly, the rest is transformed.
        linear = torch.exp(-level.square())[:, None] / (2 * math.pi)
        rest = (torch.addcmul(field, linear, deficit) - linear).to(dtype)
        rest = (
            rest @ _field_matrix(dtype, tuple(q.tolist()))
            if q.ndim == 1
            else resample(rest @ _field_matrix(dtype), _Q, rows)
        )
        own = power_law_spectrum(rows, *falling) * (rows <= K_MAX).to(dtype)
        norm = _FIELD.norm(spectrum)[:, None] / (2 * math.pi)
        weight = (delta * (1 - phi)).square()[:, None].to(dtype)
        whole = torch.addcmul(rest, linear.to(dtype) / norm, own)
        return torch.addcmul(total, weight, whole)

    def realise(
        self, theta: Float[Tensor, " parameter"], grid: Grid, rng: Generator
    ) -> Realisation:
        """Draws a cross-section in a square of at least 60 / mu."""
        densities = (1.0, *theta[4:6].tolist())
        return self._section(theta).draw(grid, densities, rng)

    def refuse_unfit(self, theta: Float[Tensor, " parameter"], grid: Grid) -> None:
        """Refuses coarse pixels, and boxes below 60 / mu or with too few crystals."""
        self._section(theta).refuse_unfit(grid)

    def suggested_grid(self, theta: Float[Tensor, " parameter"]) -> Grid:
        """At least 60 / mu and a hundred crystals; the finer pixels if it is small."""
        alpha, std, _, mu, _, _, phi, _ = theta.tolist()
        hundred = math.sqrt(100 * math.pi * (alpha**2 + std**2) / phi)
        edge, pixel = max(WAVES / mu, hundred), math.pi / 2 / K_MAX
        return Grid.covering(edge, pixel / 2 if edge < LARGE else pixel)

    def measured(self, drawn: Realisation) -> dict[str, float]:
        """Sizes, area fractions, and the length of all boundaries per area."""
        crystal, first, second = drawn.fractions
        edges = boundaries(drawn.phases, drawn.names, drawn.grid)
        return {
            "alpha_mean": float(drawn.radii.mean()),
            "alpha_std": float(drawn.radii.std()),
            "phi_crystal": crystal,
            "phi_grf1": first,
            "phi_grf2": second,
            "surface_area": sum(edge.density for edge in edges),
        }

    def _section(self, theta: Tensor) -> CrossSection:
        alpha, std, exponent, mu, _, _, phi, _ = theta.tolist()
        level = float(matrix(theta[None])[2])
        return CrossSection(alpha, std, phi, exponent, mu, K_MAX, level, self.shape)

    def drawn_intensity(
        self, drawn: Realisation, rings: Rings
    ) -> Float[ndarray, " ring"]:
        """Of randomly turned long fibrils [nm³], or of their aligned cut [nm²]."""
        section = drawn.spectrum(rings)
        return section * math.pi / rings.q if self.geometry == "powder" else section

    def reach(self, theta: Float[Tensor, "batch parameter"]) -> Float[Tensor, " batch"]:
        """Six crystals [nm]: beyond, their order has faded."""
        return 12 * theta[:, 0]

    def smooth(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch coordinate"]:
        """Six parameters that a curve sees, and ln Delta / (1 - m), with t squared."""
        alpha, std, exponent, mu, _, _, phi, _ = theta.unbind(-1)
        mean, delta, level = matrix(theta)
        ratio = delta.clamp(min=LEAST) / (1 - mean).clamp(min=LEAST)
        columns = (alpha.log(), std / alpha, exponent, mu.log(), phi)
        return torch.stack([*columns, ratio.log(), level.square()], -1)

    def latent(
        self, coordinates: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch parameter"]:
        """Columns 4, 5, 7 from contrast ratio, what no curve sees, and level."""
        columns = list(coordinates.unbind(-1))
        columns[4], columns[5], columns[7] = untangled(*(columns[i] for i in (4, 5, 7)))
        return torch.stack(columns, -1)

    def heights(self, coordinates: Float[Tensor, "batch parameter"]) -> Heights:
        """Of (1 - m)², from contrast ratio and level."""
        return Heights.of(coordinates[:, 4], coordinates[:, 7])

    def log_height(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, " batch"]:
        """Logarithm of (1 - m)²: at equal ratio and level S is proportional to it."""
        return 2 * (1 - matrix(theta)[0]).log()

    def dependent_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch dependent"]:
        """Second amorphous fraction [1] and boundary length per area [1/nm]."""
        alpha, std, exponent, mu, _, _, phi, grf1 = theta.double().unbind(-1)
        _, _, level = matrix(theta.double())
        spectrum = power_law_spectrum(_K.values, exponent, mu)
        curvature = (_FIELD.second_moment(spectrum) / 2).sqrt()
        interface = 0.5 * curvature * torch.exp(-0.5 * level.square())
        disks = 2 * alpha * phi / (alpha.square() + std.square())
        columns = [1 - phi - grf1, disks + (1 - phi) * interface]
        return torch.stack(columns, -1).to(theta.dtype)

    def derived_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch derived"]:
        """|t|, Delta / (1 - m) and m, all [1]."""
        mean, delta, level = matrix(theta.double())
        ratio = (delta / (1 - mean).clamp(min=1e-9)).clamp(max=10)
        return torch.stack([level.abs(), ratio, mean], -1).to(theta.dtype)

    def phase_values(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "batch phase 3"]:
        """Area fractions, densities, and the half-size of crystals [nm]."""
        size, _, _, _, first, second, crystal, amorphous = theta.unbind(-1)
        fractions = [crystal, amorphous, 1 - crystal - amorphous]
        contrasts = [torch.ones_like(crystal), first, second]
        lengths = [size, *2 * [torch.full_like(size, math.nan)]]
        return torch.stack(
            [torch.stack(part, -1) for part in (fractions, contrasts, lengths)], -1
        )

    def mirrors(
        self, theta: Float[Tensor, "batch parameter"]
    ) -> Float[Tensor, "mirror batch parameter"]:
        """The amorphous fractions exchanged at equal mean and difference."""
        mean, delta, _ = matrix(theta)
        phi, grf1 = theta[:, 6], theta[:, 7]
        swapped = 1 - phi - grf1
        share = swapped / (1 - phi)
        other = theta.clone()
        other[:, 4] = mean + delta * (1 - share)
        other[:, 5] = mean - delta * share
        other[:, 7] = swapped
        return other[None]


def matrix(theta: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Mean density, difference of densities, and level of the amorphous matrix."""
    first, second, phi, grf1 = theta[:, 4:8].unbind(-1)
    share = grf1 / (1 - phi)
    delta = first - second
    return second + delta * share, delta, -torch.special.ndtri(share)


@functools.cache
def _crystal_matrix(dtype: torch.dtype) -> Tensor:
    return transform_matrix(_U, _X.values).T.to(dtype).contiguous()


@functools.lru_cache(maxsize=32)
def _field_matrix(dtype: torch.dtype, q: tuple[float, ...] | None = None) -> Tensor:
    """From the field's covariance to its spectrum: at the nodes, or at every q."""
    if dtype != torch.float64:
        return _field_matrix(torch.float64, q).to(dtype)
    if q is None:
        return transform_matrix(_R, _Q.values).T.contiguous()
    points = torch.tensor(q, dtype=torch.float64)
    return _field_matrix(torch.float64) @ resampling_matrix(_Q, points)
