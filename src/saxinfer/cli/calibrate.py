"""``saxinfer calibrate``: is the posterior what it says?"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from saxinfer.cli.arguments import AsJson, Cluster, Debug, Workers
from saxinfer.cli.plain import WrongUseError, command_line
from saxinfer.cli.progress import Pace, Twentieths

if TYPE_CHECKING:
    from saxinfer.judging import Calibration
    from saxinfer.judging.study import Study

__all__ = ["calibrate"]

WORDS = {True: "holds", False: "DOES NOT", None: "cannot tell"}


def calibrate(
    what: Annotated[
        str,
        typer.Argument(
            metavar="MODEL_OR_DIR",
            help="Name of a model, or the folder of an estimator.",
        ),
    ],
    curves: Annotated[
        int, typer.Option("--curves", min=1, help="Curves, 20 at least.")
    ] = 200,
    tier: Annotated[
        Literal["standard", "hard"],
        typer.Option("--tier", help="Instruments that see the curves."),
    ] = "standard",
    seed: Annotated[
        int, typer.Option("--seed", min=0, help="Of curves, fits and ranks.")
    ] = 0,
    method: Annotated[
        str | None,
        typer.Option(
            "--method",
            metavar="NAME",
            help="npe+refine or xgboost; the estimator's own if not given.",
        ),
    ] = None,
    workers: Workers = 0,
    cluster: Cluster = "",
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="DIR",
            help="Where everything goes; calibration-MODEL-TIER if not given.",
        ),
    ] = None,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on where a run was stopped, or to more curves."
        ),
    ] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Fit curves whose parameters are known: do intervals hold what they promise?"""
    try:
        from saxinfer.crew import Crew
        from saxinfer.judging import study as stages
        from saxinfer.judging.subject import Subject
        from saxinfer.report.calibration_page import write_calibration

        study = stages.Study(Subject.named(what, method), tier, curves, seed)
        folder = output or Path(f"calibration-{study.subject.model}-{tier}")
        stages.begin(folder, study, resume=resume)
        with _progress() as report:
            found = stages.calibrate(
                study, folder, crew=Crew(workers, cluster), progress=report
            )
        page = write_calibration(found, study, folder, command_line())
    except Exception as error:
        raise _plain(error) from error
    _print(found, study, page, as_json=as_json)


def _plain(error: Exception) -> Exception:
    """What the user can do something about as a sentence, the rest as it is."""
    from saxinfer.judging import CalibrationError

    if isinstance(error, CalibrationError | ValueError | ImportError):
        return WrongUseError(" ".join(str(error).split()))
    return error


def _print(found: "Calibration", study: "Study", page: Path, *, as_json: bool) -> None:
    from saxinfer.report.calibration_findings import findings
    from saxinfer.report.calibration_page import calibration_document

    if as_json:
        document = calibration_document(found, study, page)
        text = json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
        typer.echo(text)
        return
    for each in findings(found):
        typer.echo(f"{WORDS[each.holds]:12} {each.expected}")
        typer.echo(f"{'':12} {each.found}")
    typer.echo(f"Report: {page}")


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal; elsewhere a line for each twentieth of the fits."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console, pace = Console(stderr=True), Pace("minute")
    if not console.is_terminal:
        yield _said_now_and_then(pace)
        return
    columns = (
        TextColumn("fits"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}", markup=False),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("", total=None, pace="")

        def report(done: int, total: int) -> None:
            told = pace.told(done, total)
            progress.update(task, completed=done, total=total, pace=told)

        yield report


def _said_now_and_then(pace: Pace) -> Callable[[int, int], None]:
    lines = Twentieths()

    def say(done: int, total: int) -> None:
        told = pace.told(done, total)
        if lines.due(done, total):
            typer.echo(f"fits: {done:,} of {total:,}, {told}", err=True)

    return say
