r"""Scattering of packed disks: equilibrium hard disks with a distribution of sizes.

Disks of log-normal radius (by number, mean :math:`\bar\alpha`, standard deviation
:math:`s\bar\alpha`) cover the area fraction :math:`\varphi`. The covariance of their
indicator function and its two-dimensional Fourier transform,

.. math:: S_c(q) = 2\pi \int_0^\infty C_c(r) J_0(qr)\, r\, dr, \qquad
          C_c(0) = \varphi(1-\varphi),

are scale-free: with :math:`x = q\bar\alpha`, :math:`u = r/\bar\alpha` they depend on
:math:`(\varphi, s)` only. Each is a self part, known exactly, and a pair part,

.. math:: S_c = \varphi\, \frac{\langle f^2\rangle}{\pi\langle R^2\rangle}
          + \varphi^2 P(x; \varphi, s), \quad f = 2\pi R J_1(xR)/x, \qquad
          C_c = \varphi\, \frac{\langle\text{overlap}(u; R)\rangle}
          {\pi\langle R^2\rangle} + \varphi^2 c(u; \varphi, s),

where P is the Hankel transform of c. The pair part was measured on Monte Carlo
packings (``scripts/make_packing_table.py``) and is stored as a polynomial in
:math:`(\varphi, s)` at every node, so that a batch is one product of matrices. It
holds for the *equilibrium* fluid; disks that were dropped at random and stuck (random
sequential addition) scatter differently.

References:
    Rosenfeld, Phys. Rev. A 42, 5978 (1990): hard-disk structure factor, which this
    table can be held against, as against the 2D Percus-Yevick equation for mixtures.
"""

import functools
import math
from dataclasses import dataclass
from importlib import resources

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

__all__ = [
    "PHI_RANGE",
    "REL_STD_RANGE",
    "U_NODES",
    "U_SCALE",
    "X_NODES",
    "X_SCALE",
    "X_STEP",
    "Disks",
    "covariance",
    "relative_error",
    "spectrum",
]

PHI_RANGE = (0.05, 0.65)
"""Area fractions that the table covers."""
REL_STD_RANGE = (0.05, 0.40)
"""Relative standard deviations of the radius that the table covers."""

X_SCALE = 1.0
"""Below it the wavevectors are nearly uniform, above it nearly logarithmic."""
X_COUNT = 640
X_STEP = math.asinh(75.0 / X_SCALE) / (X_COUNT - 1)
"""Step of asinh(x / X_SCALE) from one node to the next."""
X_NODES = X_SCALE * torch.sinh(X_STEP * torch.arange(X_COUNT, dtype=torch.float64))
"""Scaled wavevectors x = q alpha_mean, from 0 to 75."""

U_SCALE = 4.0
"""Below it the distances are nearly uniform, above it nearly logarithmic."""
U_COUNT = 448
U_STEP = math.asinh(40.0 / U_SCALE) / (U_COUNT - 1)
U_NODES = U_SCALE * torch.sinh(U_STEP * torch.arange(U_COUNT, dtype=torch.float64))
"""Scaled distances u = r / alpha_mean, from 0 to 40."""

EVERY = slice(None)


@dataclass(frozen=True)
class _Table:
    """Chebyshev coefficients in phi and rel_std (the self part: in rel_std)."""

    self_spectrum: Float[Tensor, "degree x"]
    self_covariance: Float[Tensor, "degree u"]
    pair_spectrum: Float[Tensor, "phi_degree std_degree x"]
    pair_covariance: Float[Tensor, "phi_degree std_degree u"]
    error: Float[Tensor, "x"]


@functools.cache
def _table(dtype: torch.dtype = torch.float64) -> _Table:
    file = resources.files("saxinfer.scattering") / "packing.npz"
    with file.open("rb") as stream, np.load(stream) as archive:
        arrays = {name: torch.from_numpy(archive[name]).to(dtype) for name in archive}
    return _Table(**arrays)


@dataclass(frozen=True, eq=False)
class Disks:
    """States of packed disks, told once for both of their curves.

    Attributes:
        own: Terms of the self part, in the precision of the products of matrices.
        pair: Terms of the pair part.
    """

    own: Float[Tensor, "batch degree"]
    pair: Float[Tensor, "batch term"]

    @classmethod
    def of(
        cls,
        phi: Float[Tensor, "batch"],
        rel_std: Float[Tensor, "batch"],
        dtype: torch.dtype = torch.float64,
    ) -> "Disks":
        """States of area fraction phi [1] and relative standard deviation [1].

        Raises:
            ValueError: If a value lies outside the table.
        """
        phi, rel_std, table = phi.double(), rel_std.double(), _table()
        phi_terms, std_terms, _ = table.pair_spectrum.shape
        in_phi = _chebyshev("phi", phi, PHI_RANGE, phi_terms)
        in_std = _chebyshev("rel_std", rel_std, REL_STD_RANGE, len(table.self_spectrum))
        term = in_phi[:, :, None] * in_std[:, None, :std_terms]
        # phi and phi² go with the few terms, not with the many nodes.
        pair = phi.square()[:, None] * term.flatten(1)
        return cls((phi[:, None] * in_std).to(dtype), pair.to(dtype))

    def spectrum(self, nodes: slice = EVERY) -> Float[Tensor, "batch x"]:
        """As :func:`spectrum`, at some of its nodes."""
        table = _table(self.own.dtype)
        return self._curve(table.self_spectrum, table.pair_spectrum, nodes)

    def covariance(self, nodes: slice = EVERY) -> Float[Tensor, "batch u"]:
        """As :func:`covariance`, at some of its nodes."""
        table = _table(self.own.dtype)
        return self._curve(table.self_covariance, table.pair_covariance, nodes)

    def _curve(self, own: Tensor, pair: Tensor, nodes: slice) -> Tensor:
        smooth = self.own @ own[:, nodes]
        return torch.addmm(smooth, self.pair, pair.flatten(0, 1)[:, nodes])


def spectrum(
    phi: Float[Tensor, "batch"], rel_std: Float[Tensor, "batch"]
) -> Float[Tensor, "batch x"]:
    r"""Returns the scaled spectrum :math:`S_c / \bar\alpha^2` of the disks.

    Args:
        phi: Area fraction of the disks [1], 0.05 to 0.65.
        rel_std: Standard deviation of the radius over its mean [1], 0.05 to 0.40.

    Returns:
        Spectrum on ``X_NODES`` [alpha_mean²], positive; its statistical error is
        ``relative_error``.

    Raises:
        ValueError: If a value lies outside the table.

    Example:
        >>> phi = torch.tensor([0.2, 0.4], dtype=torch.float64)
        >>> spectrum(phi, torch.full_like(phi, 0.2)).shape
        torch.Size([2, 640])
    """
    return Disks.of(phi, rel_std).spectrum()


def covariance(
    phi: Float[Tensor, "batch"], rel_std: Float[Tensor, "batch"]
) -> Float[Tensor, "batch u"]:
    r"""Returns the covariance of the disks' indicator function.

    Its Hankel transform is ``spectrum``.

    Args:
        phi: Area fraction of the disks [1], 0.05 to 0.65.
        rel_std: Standard deviation of the radius over its mean [1], 0.05 to 0.40.

    Returns:
        Covariance on ``U_NODES`` [1]; phi (1 - phi) at distance zero.

    Raises:
        ValueError: If a value lies outside the table.

    Example:
        >>> half = torch.tensor([0.5], dtype=torch.float64)
        >>> covariance(half, half / 2)[0, 0]
        tensor(0.2500, dtype=torch.float64)
    """
    return Disks.of(phi, rel_std).covariance()


def relative_error() -> Float[Tensor, "x"]:
    """Returns the statistical 1-sigma error of ``spectrum`` over its value.

    The root mean square over the simulated states, on ``X_NODES`` [1]. It is a fifth
    of that at phi = 0.1 and twice that at 0.65, where less than a twentieth of the
    self part is left at small x.

    Example:
        >>> bool((relative_error() < 0.1).all())
        True
    """
    return _table().error


def _chebyshev(
    name: str, value: Float[Tensor, "batch"], span: tuple[float, float], terms: int
) -> Float[Tensor, "batch term"]:
    low, high = span
    slack = 1e-9  # of a value that went through a logit and back
    outside = ~((value >= low - slack) & (value <= high + slack))
    if bool(outside.any()):
        where = int(outside.nonzero()[0])
        raise ValueError(
            f"{name} must lie between {low} and {high}, but value {where} is "
            f"{float(value[where]):.4g}. Keep the prior inside the packing table, or "
            "extend the table with scripts/make_packing_table.py."
        )
    # Just inside of the ends, where the angle has a derivative.
    t = ((2 * value - low - high) / (high - low)).clamp(-1 + 1e-12, 1 - 1e-12)
    order = torch.arange(terms, dtype=t.dtype, device=t.device)
    return torch.cos(order * torch.acos(t)[:, None])
