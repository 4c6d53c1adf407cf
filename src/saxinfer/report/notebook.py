"""A fit as it shows itself in a notebook."""

import html
import sys
from pathlib import Path

from saxinfer.inference.base import Fit
from saxinfer.posterior import Quantity
from saxinfer.report.choice import chosen, headline
from saxinfer.report.wording import (
    in_words,
    interval,
    teaching,
    unit_in_table,
    verdict_title,
)

__all__ = ["notebook_html", "register_in_notebook", "show"]


def notebook_html(fit: Fit) -> str:
    """Verdict, table of quantities and figure of one fit, as a piece of HTML."""
    from saxinfer.report.figures import curve_figure, image_source

    quality = fit.quality
    title = fit.curve.name or Path(fit.curve.file).stem or "curve"
    reasons = "".join(f"<li>{html.escape(reason)}</li>" for reason in quality.reasons)
    remarks = "".join(f"<li>{html.escape(r.text)}</li>" for r in fit.curve.remarks)
    choice = ""
    if fit.rivals:
        choice = f"<p>Which model? {html.escape(headline(chosen(fit)))}.</p>"
    rows = "".join(_row(fit, q) for q in fit.posterior if q.kind != "nuisance")
    return (
        f"<div><h3>{html.escape(title)} – {html.escape(fit.model)}</h3>"
        f"<p><strong>{verdict_title(fit)}</strong></p>"
        f"{choice}<ul>{reasons}{remarks}</ul>"
        "<table><thead><tr><th>quantity</th><th>median</th><th>90 % interval</th>"
        f"<th>unit</th><th>constrained</th></tr></thead><tbody>{rows}</tbody></table>"
        f'<img alt="curve and fit" src="{image_source(curve_figure(fit))}"></div>'
    )


def register_in_notebook() -> bool:
    """Makes a running IPython show every ``Fit`` with :func:`notebook_html`.

    Returns:
        Whether there is one. Nothing is imported that is not there already.
    """
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    if shell is None:
        return False
    shell.display_formatter.formatters["text/html"].for_type(Fit, notebook_html)
    return True


def show(fit: Fit) -> None:
    """Shows a fit where one is: in a notebook as HTML, on a terminal as tables."""
    if register_in_notebook():
        sys.modules["IPython"].display.display(fit)
        return
    from rich.console import Console

    from saxinfer.report.terminal import fit_table

    Console().print(fit_table(fit))


def _row(fit: Fit, quantity: Quantity) -> str:
    summary = fit.posterior.summary(quantity.name)
    median, low, high = interval(summary)
    cells = (
        in_words(quantity.name),
        median,
        f"{low} to {high}",
        unit_in_table(quantity.unit),
        teaching(summary, fit.quality.verdict),
    )
    return f"<tr>{''.join(f'<td>{html.escape(cell)}</td>' for cell in cells)}</tr>"
