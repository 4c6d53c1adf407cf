"""``saxinfer train``: make the estimator of a model anew."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer

from saxinfer.cli.plain import WrongUseError

__all__ = ["train"]


def train(
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Where the estimator goes."),
    ],
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Gradient steps.")
    ] = None,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of weights and simulations.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a run was stopped.")
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Train the estimator of a model on curves simulated on the fly."""
    from saxinfer.structures import get_structure

    try:
        get_structure(model)
    except ValueError as error:
        raise WrongUseError(str(error)) from None
    _check_writable(output)
    from saxinfer.inference import training

    recipe = training.recipe_for(model, steps=steps, seed=seed)
    with _progress() as report:
        training.train(model, output, recipe=recipe, resume=resume, progress=report)
    typer.echo(f"Estimator: {output}")


def _check_writable(output: Path) -> None:
    """Finds out before an hour of training whether anything can be written."""
    import tempfile

    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output):
            pass
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise WrongUseError(
            f"Cannot write to {output}: {reason}. Name another folder with -o."
        ) from None


@contextmanager
def _progress() -> Iterator[Callable[[int, int, str], None]]:
    """A bar on a terminal; elsewhere one line for each twentieth of the work."""
    from rich.console import Console
    from rich.progress import Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    if not console.is_terminal:
        yield _say_now_and_then()
        return
    columns = (
        *Progress.get_default_columns()[1:3],
        TimeRemainingColumn(),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("")

        def report(done: int, total: int, note: str) -> None:
            progress.update(task, completed=done, total=total, description=note)

        yield report


def _say_now_and_then() -> Callable[[int, int, str], None]:
    said = [-1]

    def say(done: int, total: int, note: str) -> None:
        if 20 * done // total > said[0]:
            said[0] = 20 * done // total
            typer.echo(f"{100 * done // total:3d} %  {note}", err=True)

    return say
