"""``saxinfer fit``: parameters of one or many curves."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

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
    contrast,
    q_range,
    windows,
)
from saxinfer.cli.plain import UNREADABLE, WRONG_USE, WrongUseError, command_line
from saxinfer.cli.series import fit_curves, inputs_of

if TYPE_CHECKING:
    from saxinfer.inference import FitOptions
    from saxinfer.inference.base import Fit
    from saxinfer.report.document import Document

__all__ = ["fit"]

# In place of a model's name: the most probable of all.
AUTO: Final = "auto"


def fit(
    files: Files,
    model: Annotated[
        str,
        typer.Option(
            "--model", "-m", metavar="NAME|auto", help="Model; auto: the most probable."
        ),
    ] = "",
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-p",
            metavar="NAME=VALUE",
            help="Fix a parameter, or narrow it: NAME=LOW..HIGH. Repeatable.",
        ),
    ] = None,
    q_range_text: Part = "",
    q_unit: QUnit = "",
    entry: Entry = "",
    background: Background = "",
    contrast_text: Annotated[
        str,
        typer.Option(
            "--contrast",
            metavar="VALUE",
            help="Scattering length density that is one unit of the model's contrast, "
            "in 10^10/cm2, or electrons, 334e/nm3: 1/cm becomes a volume fraction.",
        ),
    ] = "",
    method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="NAME",
            help="npe+refine, label-free (no network), or xgboost (boosted trees).",
        ),
    ] = "npe+refine",
    estimator: Annotated[
        Path | None,
        typer.Option(
            "--estimator", metavar="DIR", help="Estimator from 'saxinfer train'."
        ),
    ] = None,
    seed: Seed = 0,
    workers: Workers = 0,
    cluster: Cluster = "",
    output: Reports = None,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Fit a model to every curve of the files: posterior, verdict and report."""
    narrowed, part = windows(parameter or ()), q_range(q_range_text)
    unit = contrast(contrast_text)
    _check_model(model, narrowed, unit)
    options = _checked_options(narrowed, part, method, estimator, unit)
    tried = _tried(model, options)
    inputs = inputs_of(files, q_unit=q_unit, entry=entry, background=background)
    from saxinfer.report.series import Request

    request = Request(model, options, seed, debug, tried)
    documents, last = fit_curves(request, inputs, output, (workers, cluster))
    _print(documents, last, output, as_json=as_json)
    if any("error" in found for found in documents):
        raise typer.Exit(UNREADABLE)


def _check_model(
    model: str, narrowed: dict[str, tuple[float, float]], contrast: float | None
) -> None:
    """Refuses an unknown model or parameter before anything is read."""
    from saxinfer.inference.absolute import check_contrast
    from saxinfer.structures import MODELS, get_structure

    if model == AUTO:
        return
    if not model:
        names = "\n".join(f"  {m.name:20} {m.title}" for m in MODELS.values())
        said = (
            "Name a model with --model, or choose the most probable with --model auto."
        )
        typer.echo(f"{said} The models are:\n{names}", err=True)
        raise typer.Exit(WRONG_USE)
    try:
        structure = get_structure(model)
        check_contrast(structure, contrast)
        space = structure.space
        for name, (low, high) in narrowed.items():
            space = space.narrow(name, low, high)
    except ValueError as error:
        raise WrongUseError(str(error)) from None


def _checked_options(
    narrowed: dict[str, tuple[float, float]],
    part: tuple[float | None, float | None] | None,
    method: str,
    estimator: Path | None,
    contrast: float | None,
) -> "FitOptions":
    """Refuses an unknown method, likewise."""
    from saxinfer.inference import FitOptions

    try:
        return FitOptions(
            narrowed,
            part,
            command_line(),
            estimator,
            method=method,
            contrast=contrast,
        )
    except ValueError as error:
        raise WrongUseError(str(error)) from None


def _tried(model: str, options: "FitOptions") -> tuple[str, ...]:
    """Models to choose from, if any; refuses a missing estimator, likewise."""
    from saxinfer.inference import METHODS
    from saxinfer.inference.identify import check_choice

    try:
        if model == AUTO:
            return tuple(check_choice((), {}, options))
        METHODS[options.method].find(model, options.estimator)
    except (ImportError, ValueError) as error:
        raise WrongUseError(str(error)) from None
    return ()


def _print(
    documents: list["Document"],
    last: "Fit | None",
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    from rich.console import Console

    from saxinfer.report import dumped
    from saxinfer.report.terminal import choice_table, fit_table, overview_table

    if as_json:
        typer.echo(dumped(documents))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=200)
    if len(documents) > 1:
        console.print(overview_table(documents, console.width))
    elif last is not None:
        if last.rivals:
            console.print(choice_table(documents[0]), "")
        console.print(fit_table(last))
    if output is not None and any("error" not in found for found in documents):
        page = "index.html" if last is None else "report.html"
        console.print(f"Report: {output / page}", markup=False, soft_wrap=True)
