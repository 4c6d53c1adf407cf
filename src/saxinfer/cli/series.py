"""Fits of one or many curves from the command line: workers, progress, reports."""

from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from saxinfer.cli.plain import UNREADABLE, WrongUseError

if TYPE_CHECKING:
    from saxinfer.cli.inputs import Unreadable
    from saxinfer.curve import Curve
    from saxinfer.inference.base import Fit
    from saxinfer.inference.trials import Begun
    from saxinfer.report import ReportFolder
    from saxinfer.report.document import Document
    from saxinfer.report.series import Request, TaskDone

__all__ = ["fit_curves", "inputs_of"]


def inputs_of(
    files: Sequence[Path], *, q_unit: str, entry: str, background: str
) -> "list[Curve | Unreadable]":
    """All curves that are named, less the background, which must be readable."""
    from saxinfer.cli.inputs import Unreadable, read_background, read_curves

    blank = read_background(background, q_unit=q_unit)
    if isinstance(blank, Unreadable):
        typer.echo(blank.sentence, err=True)
        raise typer.Exit(UNREADABLE)
    return read_curves(files, q_unit=q_unit, entry=entry, background=blank)


def fit_curves(
    request: "Request",
    inputs: "Sequence[Curve | Unreadable]",
    output: Path | None,
    crew: tuple[int, str],
) -> tuple[list["Document"], "Fit | None"]:
    """Fits one curve here, or many with a crew.

    Args:
        request: How.
        inputs: Curves, and what could not be read.
        output: Folder of the reports.
        crew: Number of processes, and cluster.

    Returns:
        What is printed of each curve, and the fit if there is one curve only.
    """
    if len(inputs) == 1:
        return _fit_alone(request, inputs[0], output)
    return _fit_all(request, inputs, output, crew), None


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
            with _models(len(request.models)) as begun:
                found = request.fit(item, begun)
        if isinstance(found, Fit):
            return [document(found) if folder is None else folder.add(found)], found
        typer.echo(found["error"], err=True)
        return [found], None
    finally:
        if folder is not None:
            folder.finish()


def _fit_all(
    request: "Request",
    inputs: "Sequence[Curve | Unreadable]",
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
    inputs: "Sequence[Curve | Unreadable]",
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


@contextmanager
def _models(count: int) -> "Iterator[Begun | None]":
    """A bar on stderr over the models that one curve is fitted to, on a terminal."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    if count < 2 or not console.is_terminal:
        yield None
        return
    columns = (
        BarColumn(20),
        MofNCompleteColumn(),
        TextColumn("models, now {task.description}", markup=False),
    )
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=count)

        def begun(done: int, model: str) -> None:
            progress.update(task, completed=done, description=model)

        yield begun
