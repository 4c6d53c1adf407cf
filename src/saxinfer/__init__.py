"""Physical parameters from small-angle scattering, with honest uncertainties.

Example:
    >>> import saxinfer as sx
    >>> sorted(sx.MODELS)
    ['cellulose', 'core_shell_sphere', 'sphere']
"""

from saxinfer.curve import Curve, Remark
from saxinfer.formats import FormatError, load, subtract
from saxinfer.inference import Fit, FitOptions
from saxinfer.inference import run as fit
from saxinfer.parameter import Parameter, ParameterSpace
from saxinfer.posterior import Posterior
from saxinfer.structures import MODELS, get_structure
from saxinfer.version import VERSION as __version__

__all__ = [
    "MODELS",
    "Curve",
    "Fit",
    "FitOptions",
    "FormatError",
    "Parameter",
    "ParameterSpace",
    "Posterior",
    "Remark",
    "__version__",
    "fit",
    "get_structure",
    "load",
    "subtract",
]
