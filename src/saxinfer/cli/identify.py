"""``saxinfer identify``: which model is it, and of which phases?"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saxinfer.cli.arguments import (
    AsJson,
    Background,
    Cluster,
    Debug,
    Entry,
    Files,
    Part,
    QUnit,
    Reports,
    Seed,
    Workers,
    q_range,
)
from saxinfer.cli.plain import UNREADABLE, WrongUseError, command_line
from saxinfer.cli.series import fit_curves, inputs_of

if TYPE_CHECKING:
    from saxinfer.report.document import Document

__all__ = ["identify"]


def identify(
    files: Files,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model", "-m", metavar="NAME", help="Model to try. Repeatable; else all."
        ),
    ] = None,
    weight: Annotated[
        list[str] | None,
        typer.Option(
            "--weight",
            metavar="NAME=W",
            help="Prior weight of a model, 1 if not given. Repeatable.",
        ),
    ] = None,
    q_range_text: Part = "",
    q_unit: QUnit = "",
    entry: Entry = "",
    background: Background = "",
    seed: Seed = 0,
    workers: Workers = 0,
    cluster: Cluster = "",
    output: Reports = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Weigh all models by their evidence: the most probable one, or none of these."""
    weights, part = _weights(weight or ()), q_range(q_range_text)
    from saxinfer.inference import FitOptions
    from saxinfer.inference.identify import check_choice
    from saxinfer.report.series import Request

    options = FitOptions(q_range=part, command=command_line())
    try:
        tried = tuple(check_choice(models or (), weights, options))
    except ValueError as error:
        raise WrongUseError(str(error)) from None
    inputs = inputs_of(files, q_unit=q_unit, entry=entry, background=background)
    request = Request("", options, seed, debug, tried, weights)
    documents, _ = fit_curves(request, inputs, output, (workers, cluster))
    _print(documents, output, as_json=as_json)
    if any("error" in found for found in documents):
        raise typer.Exit(UNREADABLE)


def _weights(texts: Sequence[str]) -> dict[str, float]:
    """``name=weight`` by name."""
    found: dict[str, float] = {}
    for text in texts:
        name, _, value = (part.strip() for part in text.partition("="))
        if name in found:
            raise WrongUseError(f"--weight names '{name}' twice. Give it once.")
        try:
            found[name] = float(value)
        except ValueError:
            raise WrongUseError(
                f"--weight needs NAME=W, sphere=2 say, but got '{text}'."
            ) from None
    return found


def _print(documents: list["Document"], output: Path | None, *, as_json: bool) -> None:
    from rich.console import Console

    from saxinfer.report import identification
    from saxinfer.report.terminal import choice_table

    if as_json:
        typer.echo(identification(documents))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=200)
    fitted = [found for found in documents if "error" not in found]
    for number, found in enumerate(fitted):
        if number:
            console.print()
        console.print(choice_table(found))
    if output is not None and fitted:
        page = "report.html" if len(documents) == 1 else "index.html"
        console.print(f"Report: {output / page}", markup=False, soft_wrap=True)
