"""A fit as tables on a terminal."""

from collections.abc import Sequence
from pathlib import Path

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from saxinfer.inference.base import Fit
from saxinfer.posterior import Quantity
from saxinfer.report.choice import (
    choice_words,
    headline,
    model_lines,
    phase_lines,
)
from saxinfer.report.document import Document, parameter_units, trusted
from saxinfer.report.wording import (
    axis_label,
    from_trees,
    in_words,
    interval,
    number,
    rounded,
    solutions,
    teaching,
    unit_in_table,
    verdict_title,
)

__all__ = ["choice_table", "fit_table", "overview_table"]

COLOUR = {"good": "green", "poor": "yellow", "out_of_domain": "red"}


def fit_table(fit: Fit) -> RenderableType:
    """Verdict, parameters, derived quantities, error model and remarks of one fit."""
    title = fit.curve.name or Path(fit.curve.file).stem or "curve"
    parts: list[RenderableType] = [
        Text.assemble((title, "bold"), f"  {fit.model}, {len(fit.curve)} points"),
        Text(verdict_title(fit), COLOUR[fit.quality.verdict]),
        *(Text(f"  {reason}") for reason in fit.quality.reasons),
    ]
    for kind, heading in (
        ("parameter", "parameters"),
        ("derived", "derived"),
        ("nuisance", "instrument and error model"),
    ):
        chosen = tuple(q for q in fit.posterior if q.kind == kind)
        if chosen:
            parts.append(_quantities(fit, heading, chosen))
    parts.append(Text(_quality_line(fit)))
    parts.extend(Text(f"Note: {remark.text}") for remark in fit.curve.remarks)
    return Group(*parts)


def choice_table(found: Document) -> RenderableType:
    """Models by their probability, and the phases of the best, of one curve.

    Args:
        found: Document of a fit whose model was chosen.
    """
    title = found["entry"]["name"] or Path(found["file"]).name or "curve"
    models = _plain_table(
        "model", "prior", "Δ ln evidence", "probability", "passes", "verdict"
    )
    for line in model_lines(found):
        models.add_row(
            line.model,
            line.prior,
            line.evidence,
            line.probability,
            line.passes,
            Text(line.verdict, COLOUR[line.verdict.replace(" ", "_")]),
        )
    parts: list[RenderableType] = [
        Text.assemble((title, "bold"), f"  {headline(found)}"),
        models,
    ]
    phases = _plain_table("phase", "", "median and 90 % interval", "meaning")
    for phase in phase_lines(found):
        title = phase.name
        for kind in ("fraction", "contrast", "length"):
            value, meaning = getattr(phase, kind)
            if meaning:
                phases.add_row(title, kind, Text(value), Text(meaning, "dim"))
                title = ""
    if phases.row_count:
        parts += [phases, Text("In brackets: not constrained by the curve.", "dim")]
    parts.extend(Text(note, "dim") for note in found["notes"])
    return Group(*parts)


def _plain_table(*headings: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    for heading in headings:
        table.add_column(heading)
    return table


def overview_table(documents: Sequence[Document], width: int) -> RenderableType:
    """One line a curve: verdict and as many parameters as the width has room for."""
    done = [found for found in documents if "error" not in found]
    if not done:
        return Text("No curve was fitted.")
    titles = [f["entry"]["name"] or Path(f["file"]).name for f in done]
    verdicts = [f["quality"]["verdict"] for f in done]
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    table.add_column("curve", overflow="fold", max_width=30)
    models = ["{} ({})".format(*choice_words(f)) if "models" in f else "" for f in done]
    if any(models):
        table.add_column("model", no_wrap=True)
    table.add_column("verdict", no_wrap=True)
    left = width - min(30, max(map(len, titles))) - 18
    left -= max(map(len, models)) + 2 if any(models) else 0
    columns: list[list[str]] = []
    units = parameter_units(done)
    for name, unit in units.items():
        label = axis_label(name, unit)
        cells = [_short(found, name) for found in done]
        room = max(len(word) for word in (*cells, *label.split()))
        left -= room + 2
        if left < 0:
            break
        table.add_column(label, justify="right", max_width=max(room, 12))
        columns.append(cells)
    rows = zip(titles, models, verdicts, *columns, strict=True)
    for title, model, verdict, *cells in rows:
        shown = Text(verdict.replace("_", " "), COLOUR[verdict])
        chosen = [model] if any(models) else []
        table.add_row(Text(title), *chosen, shown, *cells)
    note = "Median ± half of the 90 % interval; in brackets: not to be quoted."
    if len(columns) < len(units):
        note += f" {len(units) - len(columns)} more parameters: --json or -o."
    return Group(table, Text(note, "dim"))


def _quantities(fit: Fit, heading: str, chosen: tuple[Quantity, ...]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim", padding=(0, 2, 0, 0))
    # Alike in all three tables: they read as one.
    table.add_column(heading, min_width=26)
    table.add_column("median", justify="right", min_width=10)
    table.add_column("90 % interval", justify="right", min_width=22)
    table.add_column("unit", min_width=6)
    with_constrained = chosen[0].kind != "nuisance"
    table.add_column("constrained" if with_constrained else "")
    for quantity in chosen:
        summary = fit.posterior.summary(quantity.name)
        median, low, high = interval(summary)
        fixed = fit.posterior.is_fixed(quantity.name)
        said = "fixed" if fixed else teaching(summary, fit.quality.verdict)
        if summary.modes > 1:
            said += f": {solutions(fit.posterior, quantity.name)}"
        table.add_row(
            in_words(quantity.name),
            median,
            "" if fixed else f"{low} to {high}",
            unit_in_table(quantity.unit),
            said if with_constrained or fixed else "",
        )
    return table


def _quality_line(fit: Fit) -> str:
    quality = fit.quality
    chi2 = "no error bars in the file"
    if quality.chi2_reduced is not None:
        chi2 = f"reduced χ² {number(quality.chi2_reduced, 3)}"
    p_value = "" if quality.p_value is None else f", p {number(quality.p_value, 2)}"
    worth = f"{quality.effective_samples:.0f} effective samples"
    if from_trees(fit.posterior):
        worth = "quantiles of boosted trees"
    return f"{chi2}{p_value}, {worth}, {fit.provenance.seconds:.1f} s"


def _short(found: Document, name: str) -> str:
    values = found["parameters"].get(name)
    if values is None or None in (values["q05"], values["q95"], values["median"]):
        return "–"
    half = (values["q95"] - values["q05"]) / 2
    text = f"{rounded(values['median'], half)} ± {rounded(half, half)}"
    return text if trusted(found, name) else f"[{text}]"
