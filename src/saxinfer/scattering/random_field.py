r"""Gaussian random fields with a power-law filter: spectrum, correlation, moments.

The cellulose model filters white noise with
:math:`\Gamma(k) = (k^2 + \mu^2)^{-p/2}`, up to the band limit ``K_MAX``, so that

.. math:: P(k) = (k^2 + \mu^2)^{-p}, \quad
          g(r) = \frac{\int_0^{K} P(k) J_0(kr)\, k\, dk}{\int_0^{K} P(k)\, k\, dk} .

``pow_exp`` = p is the exponent of the filter squared, in k² + mu².
"""

import functools
import math

import torch
from jaxtyping import Float
from torch import Tensor

from saxinfer.scattering.correlation import Nodes, transform_matrix

__all__ = ["FieldTransform", "power_law_spectrum"]


def power_law_spectrum(
    k: Float[Tensor, "*curves k"],
    exponent: Float[Tensor, " batch"],
    mu: Float[Tensor, " batch"],
) -> Float[Tensor, "batch k"]:
    """(k² + mu²)^-exponent divided by its value at k = 0 [1].

    Args:
        k: Wavevector [1/nm].
        exponent: ``pow_exp`` [1].
        mu: Low-q smoothing [1/nm].
    """
    ratio = k.square() * mu.pow(-2)[:, None]
    return torch.exp(-exponent[:, None] * torch.log1p(ratio))


class FieldTransform:
    """Fixed matrices from a planar spectrum to correlation and moments.

    Args:
        k: Nodes of the spectrum [1/nm]; the last is the band limit.
        r: Nodes of the correlation [nm].
    """

    def __init__(self, k: Nodes, r: Nodes) -> None:
        self.k, self.r = k, r

    @functools.cached_property
    def _weights(self) -> tuple[Tensor, Tensor, Tensor]:
        """From the spectrum to: deficit times norm, norm, and its second moment."""
        # The transform is its own kind of inverse: k takes the part of r.
        kernel = transform_matrix(self.k, self.r.values) / (2 * math.pi)
        norm = kernel[0]
        second = transform_matrix(self.k, self.r.values[:1]) / (2 * math.pi)
        return norm - kernel, norm, second[0] * self.k.values.square()

    def deficit(self, spectrum: Float[Tensor, "batch k"]) -> Float[Tensor, "batch r"]:
        """1 - g(r) at the nodes [1], non-negative."""
        rising, norm = (part.to(spectrum) for part in self._weights[:2])
        return ((spectrum @ rising.T) / (spectrum @ norm)[:, None]).clamp(min=0)

    def norm(self, spectrum: Float[Tensor, "batch k"]) -> Float[Tensor, " batch"]:
        """Integral of P k dk [1/nm² times the spectrum]."""
        total: Tensor = spectrum @ self._weights[1].to(spectrum)
        return total

    def second_moment(
        self, spectrum: Float[Tensor, "batch k"]
    ) -> Float[Tensor, " batch"]:
        """Mean of k² over the spectrum [1/nm²]."""
        moment: Tensor = spectrum @ self._weights[2]
        return moment / self.norm(spectrum)
