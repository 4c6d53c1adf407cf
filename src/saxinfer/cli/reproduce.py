"""``saxinfer reproduce``: a published experiment, made again."""

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from saxinfer.cli.arguments import AsJson, Cluster, Debug, Workers
from saxinfer.cli.plain import WrongUseError, command_line
from saxinfer.cli.progress import Pace, Twentieths

if TYPE_CHECKING:
    from saxinfer.library import Recipe
    from saxinfer.paper.experiment import Outcome

__all__ = ["reproduce"]


def reproduce(
    what: Annotated[
        Literal["paper"],
        typer.Argument(help="Which: the paper's pilot test on cellulose."),
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Where everything goes."),
    ],
    curves: Annotated[
        int | None, typer.Option("--curves", min=1, help="Curves, 10,000 if not given.")
    ] = None,
    test_curves: Annotated[
        int, typer.Option("--test-curves", min=1, help="Test curves that are fitted.")
    ] = 200,
    pixels: Annotated[
        int | None,
        typer.Option("--pixels", help="Pixels along the box, 3072 if not given."),
    ] = None,
    points: Annotated[
        int | None, typer.Option("--points", help="Points of q, 500 if not given.")
    ] = None,
    grid_search: Annotated[
        bool,
        typer.Option(
            "--grid-search/--no-grid-search", help="Tune the trees as the paper did."
        ),
    ] = True,
    seed: Annotated[
        int,
        typer.Option(
            "--seed", min=0, help="Of split, trees and fits; of curves 1 more."
        ),
    ] = 42,
    library: Annotated[
        Path | None,
        typer.Option(
            "--library", metavar="X.zarr", help="Use this library of drawn curves."
        ),
    ] = None,
    workers: Workers = 0,
    cluster: Cluster = "",
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a run was stopped.")
    ] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make the paper's data set, its boosted trees, and the posterior beside them."""
    box = {"curves": curves, "pixels": pixels, "points": points}
    try:
        from saxinfer.crew import Crew
        from saxinfer.inference import FitOptions
        from saxinfer.paper import experiment as stages
        from saxinfer.paper.data import Experiment
        from saxinfer.report.paper_page import write_paper

        recipe = _recipe(box, seed, library)
        experiment = Experiment(recipe, test_curves, seed, grid_search)
        options = FitOptions(command=command_line())
        stages.begin(output, experiment, options, resume=resume)
        with _progress() as report:
            outcome = stages.reproduce(
                experiment,
                output,
                options,
                library=library,
                crew=Crew(workers, cluster),
                progress=report,
            )
        page = write_paper(outcome, output, command_line())
    except WrongUseError:
        raise
    except Exception as error:
        raise _plain(error) from error
    _print(outcome, page, as_json=as_json)


def _recipe(box: dict[str, int | None], seed: int, library: Path | None) -> "Recipe":
    """Of the curves that are to be made, or of those that are there."""
    from saxinfer.paper.data import paper_recipe, stored_recipe

    given = {name: value for name, value in box.items() if value is not None}
    if library is None:
        return paper_recipe(**given, seed=seed + 1)
    if given:
        raise WrongUseError(
            f"--{next(iter(given))} is about curves that are yet to be made, but "
            f"--library names {library}. Leave out either."
        )
    return stored_recipe(library)


def _plain(error: Exception) -> Exception:
    """What the user can do something about as a sentence, the rest as it is."""
    from saxinfer.library import LibraryError
    from saxinfer.paper.data import ExperimentError

    known = ExperimentError | LibraryError | ValueError | ImportError
    if isinstance(error, known):
        return WrongUseError(" ".join(str(error).split()))
    return error


def _print(outcome: "Outcome", page: Path, *, as_json: bool) -> None:
    from saxinfer.report.paper_findings import findings, untold

    found = findings(outcome)
    if not as_json:
        for each in found:
            typer.echo(f"{'met' if each.met else 'NOT met':8} {each.expected}")
            typer.echo(f"{'':8} {each.found}")
        typer.echo(f"Report: {page}")
        return
    document = {
        "schema": "saxinfer/paper/1",
        "page": str(page),
        "recipe": json.loads(outcome.experiment.recipe.as_json()),
        "test_curves": outcome.experiment.test_curves,
        "seed": outcome.experiment.seed,
        "findings": [asdict(each) for each in found],
        "not_identifiable": {s: untold(outcome, s) for s in outcome.fits},
        "scores": [asdict(score) for score in outcome.scores],
        "grid_search": None if outcome.tuning is None else asdict(outcome.tuning),
    }
    typer.echo(json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False))


@contextmanager
def _progress() -> Iterator[Callable[[str, int, int], None]]:
    """A bar a stage on a terminal; elsewhere a line for each twentieth of a stage."""
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TaskID,
        TextColumn,
    )

    console = Console(stderr=True)
    paces: dict[str, Pace] = defaultdict(partial(Pace, "minute"))
    if not console.is_terminal:
        yield _said_now_and_then(paces)
        return
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[pace]}", markup=False),
    )
    with Progress(*columns, console=console) as progress:
        tasks: dict[str, TaskID] = {}

        def report(stage: str, done: int, total: int) -> None:
            if stage not in tasks:
                tasks[stage] = progress.add_task(stage, total=total, pace="")
            pace = paces[stage].told(done, total)
            progress.update(tasks[stage], completed=done, total=total, pace=pace)

        yield report


def _said_now_and_then(paces: dict[str, Pace]) -> Callable[[str, int, int], None]:
    lines: dict[str, Twentieths] = defaultdict(Twentieths)

    def say(stage: str, done: int, total: int) -> None:
        pace = paces[stage].told(done, total)
        if lines[stage].due(done, total):
            typer.echo(f"{stage}: {done:,} of {total:,}, {pace}", err=True)

    return say
