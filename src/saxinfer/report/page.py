"""The report of one fit, and the index of many, as HTML that needs no network."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from saxinfer.inference.base import Fit
from saxinfer.inference.verdict import MISFIT_P, STRANGE_P
from saxinfer.posterior import Quantity
from saxinfer.report.choice import (
    choice_words,
    chosen,
    headline,
    model_lines,
    phase_lines,
)
from saxinfer.report.document import Document, parameter_units, trusted
from saxinfer.report.wording import (
    MEANING_OF_NUISANCE,
    axis_label,
    from_trees,
    in_words,
    interval,
    number,
    prior_range,
    rounded,
    solutions,
    teaching,
    unit_in_print,
    unit_in_table,
    verdict_sentence,
    verdict_title,
)

__all__ = ["index_page", "rendered", "report_page"]


@dataclass(frozen=True)
class _Row:
    """One line of a table of quantities, as printed."""

    title: str
    meaning: str
    unit: str
    median: str
    interval: str
    prior: str
    narrowed: str
    constrained: str
    solutions: str
    weak: bool


def report_page(fit: Fit) -> str:
    """The whole report of one fit, figures embedded."""
    from saxinfer.report import figures

    posterior = fit.posterior
    parameters, derived = posterior.of_kind("parameter"), posterior.of_kind("derived")
    nuisance = posterior.of_kind("nuisance")
    varying = tuple(q for q in parameters if posterior.summary(q.name).sd > 0)
    drawn: dict[str, str] = {
        "curve": figures.image_source(figures.curve_figure(fit)),
        "prior": figures.image_source(
            figures.prior_figure(posterior, parameters + derived)
        ),
        "correlation": "",
        "corner": "",
        "rivals": "",
    }
    if fit.rivals:
        drawn["rivals"] = figures.image_source(figures.rivals_figure(fit))
    # How quantities go together is nothing that trees know.
    together = not from_trees(posterior)
    if together:
        drawn["correlation"] = figures.image_source(
            figures.correlation_figure(posterior, varying + nuisance)
        )
    if together and len(varying) > 1:
        corner = figures.corner_figure(posterior, varying)
        drawn["corner"] = figures.image_source(corner)
    return rendered(
        "report.html",
        fit=fit,
        title=_title(fit),
        file_name=Path(fit.curve.file).name,
        q_range=f"{number(float(fit.curve.q[0]), 3)} to "
        f"{number(float(fit.curve.q[-1]), 3)}",
        verdict_title=verdict_title(fit),
        verdict_sentence=verdict_sentence(fit),
        trees=from_trees(posterior),
        remarks=[remark.text for remark in fit.curve.remarks],
        parameters=[_row(fit, q) for q in parameters],
        derived=[_row(fit, q) for q in derived],
        nuisance=[_row(fit, q) for q in nuisance],
        figures=drawn,
        choice=_choice(fit),
        has_errors=fit.curve.sigma is not None,
        corner_left_out=len(varying) > figures.CORNER_COLUMNS
        or len(varying) < len(parameters),
        model_free=_model_free(fit),
        quality=_quality(fit),
        provenance=_provenance(fit),
        references=_references(fit.model),
    )


def index_page(documents: list[Document], links: Mapping[int, str]) -> str:
    """A table of many curves that links to the report of each.

    Args:
        documents: One a curve, failures included.
        links: Where the report of the document at an index is.
    """
    done = [found for found in documents if "error" not in found]
    units = parameter_units(done)
    failed = len(documents) - len(done)
    return rendered(
        "index.html",
        count_text=f"{len(done)} fitted, {failed} not." if failed else "All fitted.",
        labels=[axis_label(name, unit) for name, unit in units.items()],
        chosen=any("models" in found for found in done),
        rows=[
            _index_row(found, list(units), links.get(i))
            for i, found in enumerate(documents)
        ],
    )


def _index_row(found: Document, names: list[str], link: str | None) -> dict[str, Any]:
    if "error" in found:
        title = Path(found["file"]).name
        return {"title": title, "file": "", "error": found["error"], "link": link}
    return {
        "title": found["entry"]["name"] or Path(found["file"]).stem,
        "file": found["file"],
        "error": "",
        "link": link,
        "verdict": found["quality"]["verdict"].replace("_", " "),
        "model": choice_words(found) if "models" in found else ("", ""),
        "values": [_index_value(found, name) for name in names],
    }


def _index_value(found: Document, name: str) -> tuple[str, str]:
    """Median and interval as printed."""
    values = found["parameters"].get(name)
    if values is None or None in (values["q05"], values["q95"], values["median"]):
        return "–", ""
    keys, spread = ("q05", "median", "q95"), (values["q95"] - values["q05"]) / 2
    low, median, high = (rounded(values[key], spread) for key in keys)
    if trusted(found, name):
        return median, f"{low} to {high}"
    return f"[{median}]", f"[{low} to {high}]"


@cache
def _environment() -> Environment:
    return Environment(
        loader=PackageLoader("saxinfer", "report/templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )


def rendered(template: str, **content: Any) -> str:  # noqa: ANN401
    """A page from its template, with the style of all pages."""
    return str(_environment().get_template(template).render(style=_style(), **content))


def _style() -> Markup:
    loader = _environment().loader
    assert loader is not None
    return Markup(loader.get_source(_environment(), "style.css")[0])


def _title(fit: Fit) -> str:
    return fit.curve.name or Path(fit.curve.file).stem or "Curve"


def _row(fit: Fit, quantity: Quantity) -> _Row:
    posterior, verdict = fit.posterior, fit.quality.verdict
    summary = posterior.summary(quantity.name)
    median, low, high = interval(summary)
    fixed = posterior.is_fixed(quantity.name)
    meaning = quantity.meaning
    if quantity.kind == "nuisance":
        meaning = MEANING_OF_NUISANCE.get(quantity.name, meaning)
    return _Row(
        title=in_words(quantity.name),
        meaning=meaning,
        unit=unit_in_table(quantity.unit),
        median=median,
        interval="–" if fixed else f"{low} to {high}",
        prior="–" if fixed else prior_range(quantity),
        narrowed="–" if fixed else _percent(summary.shrinkage),
        constrained="fixed by you" if fixed else teaching(summary, verdict),
        solutions=solutions(posterior, quantity.name),
        weak=not (summary.constrained or fixed) or verdict == "out_of_domain",
    )


def _choice(fit: Fit) -> dict[str, Any] | None:
    """Which models were tried, and of which phases the best one is."""
    if not fit.rivals:
        return None
    found = chosen(fit)
    return {
        "headline": headline(found),
        "models": model_lines(found),
        "phases": phase_lines(found),
        "notes": found["notes"],
    }


def _percent(share: float) -> str:
    """A share in per cent that never claims 100 % of what is only nearly that."""
    if 0.99 < share < 1:
        return f"{min(100 * share, 99.99):.2f} %"
    return f"{max(0.0, 100 * share):.0f} %"


def _model_free(fit: Fit) -> list[tuple[str, str]]:
    found, unit = fit.model_free, unit_in_print(fit.curve.intensity_unit)
    no_guinier = "none: the curve shows no Guinier region"
    no_peak = "none: no peak stands out of the errors"
    no_slope = "none: no power law stands out of the background at high q"
    return [
        ("Radius of gyration (Guinier)", _or(found.guinier_rg, "nm", no_guinier)),
        ("Forward intensity I(0)", _or(found.i0, unit, no_guinier)),
        ("Strongest interference peak at q", _or(found.peak_q, "nm⁻¹", no_peak)),
        ("Spacing 2π/q of that peak", _or(found.peak_d, "nm", no_peak)),
        ("Exponent n of I ~ q⁻ⁿ at high q", _or(found.porod_slope, "", no_slope)),
    ]


def _or(value: float | None, unit: str, otherwise: str) -> str:
    return otherwise if value is None else f"{number(value)} {unit}".strip()


def _quality(fit: Fit) -> list[tuple[str, str]]:
    quality = fit.quality
    chi2 = "none: the file has no error bars"
    if quality.chi2_reduced is not None:
        chi2 = f"{number(quality.chi2_reduced, 3)} (1 if the file's errors are right)"
    errors = {"measured": "as stated in the file", "estimated": "estimated by the fit"}
    return [
        ("Reduced χ² with the file's errors", chi2),
        (
            "Posterior-predictive p-value",
            "none: it was not computed"
            if quality.p_value is None
            else f"{number(quality.p_value, 2)} (below 0.01 the fit is not good)",
        ),
        *_domain(fit),
        *_sampling(fit),
        ("Errors of the data", errors[fit.sigma_source]),
        ("Points dropped when reading", str(fit.curve.dropped)),
        ("Unit of q in the file", unit_in_print(fit.curve.q_unit)),
    ]


def _domain(fit: Fit) -> list[tuple[str, str]]:
    """What the domain check found, as far as it was made."""
    rows = (
        ("p-value of shapes in the residuals", fit.quality.misfit_p, MISFIT_P),
        ("p-value of likeness to the training", fit.quality.domain_p, STRANGE_P),
    )
    return [
        (title, f"{number(p, 2)} (below {least:g} the fit is not good)")
        for title, p, least in rows
        if p is not None
    ]


def _sampling(fit: Fit) -> list[tuple[str, str]]:
    """How well the posterior was sampled; nothing is where trees predict it."""
    if from_trees(fit.posterior):
        return [("Log evidence", "none: boosted trees have no likelihood")]
    quality, evidence = fit.quality, fit.evidence
    return [
        ("Effective posterior samples", f"{quality.effective_samples:.0f}"),
        ("Sampling efficiency", _percent(quality.sampling_efficiency)),
        (
            "Log evidence",
            f"{evidence.log:.2f} ± {number(evidence.sd, 2)} (compare models "
            "of the same data by its difference)",
        ),
    ]


def _provenance(fit: Fit) -> list[tuple[str, str]]:
    made = fit.provenance
    settings = [
        (in_words(key), _setting(value)) for key, value in made.settings.items()
    ]
    return [
        ("File", fit.curve.file or "none: simulated"),
        ("saxinfer", made.saxinfer),
        ("Method", fit.method),
        ("Estimator", made.estimator),
        ("Seed", str(made.seed)),
        ("Time", f"{made.seconds:.1f} s"),
        *settings,
    ]


def _setting(value: str | float) -> str:
    return number(value, 6) if isinstance(value, float) else str(value)


def _references(model: str) -> tuple[str, ...]:
    from saxinfer.structures import MODELS

    return MODELS[model].references if model in MODELS else ()
