"""Correlations are numbers as well as colours."""

from collections.abc import Callable

from matplotlib.figure import Figure

from saxinfer.inference.base import Fit
from saxinfer.report.figures import correlation_figure


def test_a_strong_correlation_is_printed(
    fit: Fit, check: Callable[[Figure], Figure]
) -> None:
    posterior = fit.posterior
    chosen = posterior.of_kind("parameter") + posterior.of_kind("nuisance")
    figure = check(correlation_figure(posterior, chosen))
    assert "+0.8" in [text.get_text() for text in figure.axes[0].texts]


def test_many_quantities_are_readable(
    wide_fit: Fit, check: Callable[[Figure], Figure]
) -> None:
    posterior = wide_fit.posterior
    chosen = posterior.of_kind("parameter") + posterior.of_kind("nuisance")
    check(correlation_figure(posterior, chosen))


def test_few_quantities_with_long_names_are_readable(
    wide_fit: Fit, check: Callable[[Figure], Figure]
) -> None:
    chosen = wide_fit.posterior.of_kind("parameter")[:2]
    check(correlation_figure(wide_fit.posterior, chosen))
