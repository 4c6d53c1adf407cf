"""Prior and posterior stand side by side for every quantity."""

from collections.abc import Callable
from dataclasses import replace

import torch
from matplotlib.figure import Figure

from saxinfer.inference.base import Fit
from saxinfer.posterior import Posterior
from saxinfer.report.figures import prior_figure

Check = Callable[[Figure], Figure]


def test_every_quantity_has_its_panel_with_a_unit(wide_fit: Fit, check: Check) -> None:
    quantities = wide_fit.posterior.of_kind("parameter")
    figure = check(prior_figure(wide_fit.posterior, quantities))
    labels = " ".join(axes.get_xlabel().replace("\n", " ") for axes in figure.axes)
    for quantity in quantities:
        assert quantity.name.replace("_", " ") in labels


def test_logarithmic_priors_have_a_logarithmic_axis(fit: Fit, check: Check) -> None:
    quantities = fit.posterior.of_kind("parameter")
    figure = check(prior_figure(fit.posterior, quantities))
    assert figure.axes[0].get_xscale() == "log"


def test_a_prior_that_spans_decades_has_a_logarithmic_axis(
    fit: Fit, check: Check
) -> None:
    diameter = replace(fit.posterior.of_kind("derived")[0], logarithmic=False)
    figure = check(prior_figure(fit.posterior, (diameter,)))
    assert figure.axes[0].get_xscale() == "log"


def test_a_fixed_parameter_and_one_that_is_not_a_number_are_no_error(
    fit: Fit, check: Check
) -> None:
    samples, prior = fit.posterior.samples.clone(), fit.posterior.prior.clone()
    samples[:, 0], prior[:, 0] = 5.0, 5.0
    samples[:, 2] = torch.nan
    odd: Posterior = replace(fit.posterior, samples=samples, prior=prior)
    check(prior_figure(odd, odd.of_kind("parameter") + odd.of_kind("derived")))


def test_one_quantity_is_enough(fit: Fit, check: Check) -> None:
    check(prior_figure(fit.posterior, fit.posterior.quantities[:1]))
