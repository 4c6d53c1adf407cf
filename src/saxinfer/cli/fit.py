"""``saxinfer fit``: parameters of one or many curves."""

from collections.abc import Callable, Generator, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from saxinfer.cli.arguments import Cluster, Workers, q_range, windows
from saxinfer.cli.plain import UNREADABLE, WRONG_USE, WrongUseError, command_line

if TYPE_CHECKING:
    from saxinfer.cli.inputs import Unreadable
    from saxinfer.curve import Curve
    from saxinfer.inference import FitOptions
    from saxinfer.inference.base import Fit
    from saxinfer.report import ReportFolder
    from saxinfer.report.document import Document
    from saxinfer.report.series import Request, TaskDone

__all__ = ["fit"]


def fit(
    files: Annotated[
        list[Path], typer.Argument(metavar="FILE", help="Files of curves.")
    ],
    model: Annotated[
        str, typer.Option("--model", "-m", metavar="NAME", help="Name of the model.")
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
    method: Annotated[
        str,
        typer.Option(
            "--method", metavar="NAME", help="npe+refine, or xgboost (boosted trees)."
        ),
    ] = "npe+refine",
    estimator: Annotated[
        Path | None,
        typer.Option(
            "--estimator", metavar="DIR", help="Estimator from 'saxinfer train'."
        ),
    ] = None,
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
    """Fit a model to every curve of the files: posterior, verdict and report."""
    narrowed, part = windows(parameter or ()), q_range(q_range_text)
    _check_model(model, narrowed)
    options = _checked_options(model, narrowed, part, method, estimator)
    from saxinfer.cli.inputs import Unreadable, read_background, read_curves

    blank = read_background(background, q_unit=q_unit)
    if isinstance(blank, Unreadable):
        typer.echo(blank.sentence, err=True)
        raise typer.Exit(UNREADABLE)
    inputs = read_curves(files, q_unit=q_unit, entry=entry, background=blank)
    from saxinfer.report.series import Request

    request = Request(model, options, seed, debug)
    if len(inputs) == 1:
        documents, last = _fit_alone(request, inputs[0], output)
    else:
        documents, last = _fit_all(request, inputs, output, (workers, cluster)), None
    _print(documents, last, output, as_json=as_json)
    if any("error" in found for found in documents):
        raise typer.Exit(UNREADABLE)


def _check_model(model: str, narrowed: dict[str, tuple[float, float]]) -> None:
    """Refuses an unknown model or parameter before anything is read."""
    from saxinfer.structures import MODELS, get_structure

    if not model:
        names = "\n".join(f"  {m.name:20} {m.title}" for m in MODELS.values())
        typer.echo(f"Name a model with --model. The models are:\n{names}", err=True)
        raise typer.Exit(WRONG_USE)
    try:
        space = get_structure(model).space
        for name, (low, high) in narrowed.items():
            space = space.narrow(name, low, high)
    except ValueError as error:
        raise WrongUseError(str(error)) from None


def _checked_options(
    model: str,
    narrowed: dict[str, tuple[float, float]],
    part: tuple[float | None, float | None] | None,
    method: str,
    estimator: Path | None,
) -> "FitOptions":
    """Refuses an unknown method and a missing estimator, likewise."""
    from saxinfer.inference import METHODS, FitOptions

    try:
        options = FitOptions(narrowed, part, command_line(), estimator, method=method)
        METHODS[method].find(model, estimator)
    except (ImportError, ValueError) as error:
        raise WrongUseError(str(error)) from None
    return options


def _fit_alone(
    request: "Request", item: "Curve | Unreadable", output: Path | None
) -> tuple[list["Document"], "Fit | None"]:
    """Fits one curve in this process."""
    from saxinfer.cli.inputs import Unreadable
    from saxinfer.inference.base import Fit
    from saxinfer.report import document, failure

    folder = None if output is None else _opened(output, several=False)
    try:
        if isinstance(item, Unreadable):
            found: Fit | Document = failure(item.file, item.sentence)
        else:
            _one_thread()
            found = request.fit(item)
        if isinstance(found, Fit):
            return [document(found) if folder is None else folder.add(found)], found
        typer.echo(found["error"], err=True)
        return [found], None
    finally:
        if folder is not None:
            folder.finish()


def _fit_all(
    request: "Request",
    inputs: list["Curve | Unreadable"],
    output: Path | None,
    crew: tuple[int, str],
) -> list["Document"]:
    """Fits many curves; a report is written as soon as its fit is done."""
    from saxinfer.crew import CrewError

    folder = None if output is None else _opened(output, several=True)
    documents: dict[int, Document] = {}
    try:
        with (
            _progress(len(inputs)) as bar,
            closing(_done(request, inputs, folder, crew)) as results,
        ):
            for done in results:
                documents[done.number] = done.document
                if "error" in done.document:
                    bar.say(done.document["error"])
                if folder is not None and done.report is not None:
                    folder.put(done.number, done.report)
                elif folder is not None:
                    folder.add_failure(done.document, done.number)
                bar.advance()
    except CrewError as error:
        kept = "" if folder is None else " What was finished is kept."
        raise WrongUseError(
            f"{error} {len(documents)} of {len(inputs)} curves were fitted.{kept}"
        ) from None
    finally:
        if folder is not None:
            folder.finish()
    return [documents[number] for number in sorted(documents)]


def _done(
    request: "Request",
    inputs: list["Curve | Unreadable"],
    folder: "ReportFolder | None",
    crew: tuple[int, str],
) -> Generator["TaskDone", None, None]:
    """Results in the order in which they are done, unreadable files first."""
    from saxinfer.cli.inputs import Unreadable
    from saxinfer.crew import Crew
    from saxinfer.report import failure
    from saxinfer.report.series import Task, TaskDone

    tasks: list[Task] = []
    for number, item in enumerate(inputs):
        if isinstance(item, Unreadable):
            yield TaskDone(number, failure(item.file, item.sentence), None)
        else:
            name = None if folder is None else folder.name_for(item)
            tasks.append(Task(number, item, request, name))
    if crew == (1, ""):
        _one_thread()
        yield from map(Task.done, tasks)
        return
    with Crew(*crew).ready() as team, closing(team(Task.done, tasks)) as results:
        yield from results


def _one_thread() -> None:
    """Sums must come out the same here and in any worker."""
    import torch

    torch.set_num_threads(1)


def _opened(output: Path, *, several: bool) -> "ReportFolder":
    from saxinfer.report import ReportFolder

    try:
        return ReportFolder(output, several=several)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise WrongUseError(
            f"Cannot write to {output}: {reason}. Name another folder with -o."
        ) from None


@dataclass(frozen=True)
class _Bar:
    """What is told on stderr while the fits run."""

    advance: Callable[[], None]
    say: Callable[[str], None]


@contextmanager
def _progress(count: int) -> Iterator[_Bar]:
    """A bar on stderr with rate and remaining time, for many curves on a terminal."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    console = Console(stderr=True)
    if count < 2 or not console.is_terminal:
        yield _Bar(lambda: None, lambda text: typer.echo(text, err=True))
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("curves, {task.fields[rate]}"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("fit", total=count, rate="–")

        def advance() -> None:
            progress.advance(task)
            speed = progress.tasks[0].finished_speed or progress.tasks[0].speed
            rate = f"{60 * speed:.1f} a minute" if speed else "–"
            progress.update(task, rate=rate)

        def say(text: str) -> None:
            console.print(text, markup=False, highlight=False, soft_wrap=True)

        yield _Bar(advance, say)


def _print(
    documents: list["Document"],
    last: "Fit | None",
    output: Path | None,
    *,
    as_json: bool,
) -> None:
    from rich.console import Console

    from saxinfer.report import dumped
    from saxinfer.report.terminal import fit_table, overview_table

    if as_json:
        typer.echo(dumped(documents))
        return
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=200)
    if len(documents) > 1:
        console.print(overview_table(documents, console.width))
    elif last is not None:
        console.print(fit_table(last))
    if output is not None and any("error" not in found for found in documents):
        page = "index.html" if last is None else "report.html"
        console.print(f"Report: {output / page}", markup=False, soft_wrap=True)
