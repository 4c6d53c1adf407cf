"""Physical parameters from small-angle scattering, with honest uncertainties."""

from saxinfer.curve import Curve, Remark

__all__ = ["Curve", "Remark"]

__version__ = "0.1.0"
