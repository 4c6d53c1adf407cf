"""``saxinfer identify``: which model is it, and of which phases?"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saxinfer.cli.arguments import Cluster, Workers, q_range
from saxinfer.cli.plain import UNREADABLE, WrongUseError, command_line
from saxinfer.cli.series import fit_all, fit_alone

if TYPE_CHECKING:
    from saxinfer.report.document import Document

__all__ = ["identify"]


def identify(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Files of curves.")
    ],
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
    q_range_text: Annotated[
        str, typer.Option("--q-range", metavar="LO..HI", help="Part of q, in 1/nm.")
    ] = "",
    q_unit: Annotated[
        str,
        typer.Option(
            "--q-unit", metavar="UNIT", help="Unit of q in the files: 1/nm, 1/A or 1/m."
        ),
    ] = "",
    entry: Annotated[
        str,
        typer.Option(
            "--entry", metavar="N|NAME", help="Index (from 0) or name of the curve."
        ),
    ] = "",
    background: Annotated[
        str,
        typer.Option(
            "--background",
            metavar="FILE[:ENTRY]",
            help="Curve to subtract, errors too.",
        ),
    ] = "",
    seed: Annotated[int, typer.Option("--seed", help="Seed of the randomness.")] = 0,
    workers: Workers = 0,
    cluster: Cluster = "",
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="DIR", help="Where to write reports."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON only.")] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Weigh all models by their evidence: the most probable one, or none of these."""
    weights, part = _weights(weight or ()), q_range(q_range_text)
    from saxinfer.cli.inputs import Unreadable, read_background, read_curves
    from saxinfer.inference import FitOptions
    from saxinfer.inference.identify import check_choice
    from saxinfer.report.series import Request

    options = FitOptions(q_range=part, command=command_line())
    try:
        tried = tuple(check_choice(models or (), weights, options))
    except ValueError as error:
        raise WrongUseError(str(error)) from None
    blank = read_background(background, q_unit=q_unit)
    if isinstance(blank, Unreadable):
        typer.echo(blank.sentence, err=True)
        raise typer.Exit(UNREADABLE)
    inputs = read_curves(files, q_unit=q_unit, entry=entry, background=blank)
    request = Request("", options, seed, debug, tried, weights)
    if len(inputs) == 1:
        documents, _ = fit_alone(request, inputs[0], output)
    else:
        documents = fit_all(request, inputs, output, (workers, cluster))
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
