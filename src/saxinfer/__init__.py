"""Physical parameters from small-angle scattering, with honest uncertainties.

Example:
    >>> import saxinfer as sx
    >>> "cellulose" in sx.MODELS
    True
"""

from importlib import import_module
from typing import TYPE_CHECKING

from saxinfer.version import VERSION

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from saxinfer.curve import Curve, Remark
    from saxinfer.formats import FormatError, load, subtract
    from saxinfer.inference import Fit, FitOptions
    from saxinfer.parameter import Parameter, ParameterSpace
    from saxinfer.posterior import Posterior
    from saxinfer.structures import MODELS, get_structure

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
    "fit",
    "get_structure",
    "identify",
    "load",
    "subtract",
]

__version__ = VERSION

# Where each name lives. They are imported when first asked for: the command line
# answers --help without waiting for PyTorch.
_HOMES = {
    "MODELS": "structures",
    "Curve": "curve",
    "Fit": "inference",
    "FitOptions": "inference",
    "FormatError": "formats",
    "Parameter": "parameter",
    "ParameterSpace": "parameter",
    "Posterior": "posterior",
    "Remark": "curve",
    "get_structure": "structures",
    "load": "formats",
    "subtract": "formats",
}


def __getattr__(name: str) -> object:
    if name not in _HOMES:
        raise AttributeError(f"module 'saxinfer' has no attribute '{name}'")
    return getattr(import_module(f"saxinfer.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*__all__, "__version__"]


def fit(  # noqa: PLR0913
    curve: "Curve",
    model: str,
    *,
    q_range: "tuple[float | None, float | None] | None" = None,
    windows: "Mapping[str, tuple[float, float]] | None" = None,
    seed: int = 0,
    method: str = "npe+refine",
    estimator: "str | Path | None" = None,
    contrast: "float | None" = None,
) -> "Fit":
    """Fits one model to one curve.

    Args:
        curve: A measured curve, from :func:`load` say.
        model: Name of the model, see ``MODELS``.
        q_range: Smallest and largest q to fit [1/nm]; None for no limit.
        windows: Narrowed ranges by parameter name [its unit]; equal bounds fix it.
        seed: Seed of the sampling; the same seed gives the same result.
        method: ``npe+refine``, or ``xgboost``: the paper's boosted trees.
        estimator: Folder of an estimator to use instead of the shipped one; boosted
            trees are not shipped.
        contrast: Scattering length density that is one unit of the model's contrast
            [1/nm²], for volume fraction and number density of a curve in 1/cm.

    Returns:
        Posterior, quality, evidence and provenance; shows itself in a notebook.

    Raises:
        ValueError: If the model, method or a parameter is unknown, a range is outside
            of the prior, no estimator fits, or fewer than ten points are left.
    """
    from pathlib import Path

    from saxinfer.inference import DEFAULT_METHOD, FitOptions, run
    from saxinfer.report import register_in_notebook

    register_in_notebook()
    chosen = "" if method == DEFAULT_METHOD else f', method="{method}"'
    chosen += "" if estimator is None else f', estimator="{estimator}"'
    chosen += "" if contrast is None else f", contrast={contrast:g}"
    options = FitOptions(
        windows=windows or {},
        q_range=q_range,
        command=f'saxinfer.fit(curve, "{model}", seed={seed}{chosen})',
        estimator=None if estimator is None else Path(estimator),
        method=method,
        contrast=contrast,
    )
    return run(curve, model, options=options, seed=seed)


def identify(
    curve: "Curve",
    models: "Sequence[str] | None" = None,
    *,
    weights: "Mapping[str, float] | None" = None,
    q_range: "tuple[float | None, float | None] | None" = None,
    seed: int = 0,
) -> "Fit":
    """Fits several models to one curve, and weighs them by their evidence.

    Args:
        curve: A measured curve, from :func:`load` say.
        models: Which to try; None for all whose estimator comes with the package.
        weights: Prior weights by name, 1 where none is given.
        q_range: Smallest and largest q to fit [1/nm]; None for no limit.
        seed: Of the sampling; the same seed gives the same result.

    Returns:
        The fit of the most probable model. Its ``rivals`` are all that were tried, the
        most probable first, each with its probability if it is one of them; if none of
        them ``passes``, it is none.

    Raises:
        ValueError: If a model is unknown or has no estimator, a weight is not positive
            or of no such model, or fewer than ten points are left.
    """
    from saxinfer.inference import FitOptions
    from saxinfer.inference.identify import identify as weigh
    from saxinfer.report import register_in_notebook

    register_in_notebook()
    chosen = "" if models is None else f", {list(models)}"
    chosen += "" if weights is None else f", weights={dict(weights)}"
    options = FitOptions(
        q_range=q_range, command=f"saxinfer.identify(curve{chosen}, seed={seed})"
    )
    return weigh(curve, models, weights=weights, options=options, seed=seed)
