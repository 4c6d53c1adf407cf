"""``saxinfer train``: make the estimator of a model anew."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from saxinfer.cli.plain import WrongUseError
from saxinfer.cli.progress import Twentieths

__all__ = ["train"]


METHODS = ("npe", "xgboost")


def train(
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Where the estimator goes."),
    ],
    method: Annotated[
        str,
        typer.Option(
            "--method", metavar="NAME", help="npe (network) or xgboost (boosted trees)."
        ),
    ] = "npe",
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Gradient steps (npe).")
    ] = None,
    curves: Annotated[
        int | None,
        typer.Option("--curves", min=1, help="Curves to learn from (xgboost)."),
    ] = None,
    library: Annotated[
        Path | None,
        typer.Option(
            "--library",
            metavar="X.zarr",
            help="Learn from a library of 'saxinfer simulate' (xgboost).",
        ),
    ] = None,
    grid_search: Annotated[
        bool,
        typer.Option(
            "--grid-search", help="Choose the trees' size by trial (xgboost)."
        ),
    ] = False,
    seed: Annotated[
        int | None, typer.Option("--seed", help="Seed of training and simulations.")
    ] = None,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on where a run was stopped (npe).")
    ] = False,
    every: Annotated[
        int | None,
        typer.Option(
            "--every", min=1, help="Steps between validations, 500 by default (npe)."
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            "--patience",
            min=1,
            help="Stop after so many validations without a better one (npe).",
        ),
    ] = None,
    devices: Annotated[
        int | None,
        typer.Option(
            "--devices",
            min=1,
            help="Processors that share a batch, 1 by default (npe).",
        ),
    ] = None,
    accelerator: Annotated[
        str | None,
        typer.Option(
            "--accelerator",
            metavar="NAME",
            help="auto (the default), cpu or gpu (npe).",
        ),
    ] = None,
    domain_only: Annotated[
        bool,
        typer.Option("--domain-only", help="Only survey a trained estimator (npe)."),
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show tracebacks.")] = False,
) -> None:
    """Train the estimator of a model on simulated curves."""
    from saxinfer.structures import get_structure

    try:
        get_structure(model)
    except ValueError as error:
        raise WrongUseError(str(error)) from None
    given = {
        "--steps": ("npe", steps is not None),
        "--resume": ("npe", resume),
        "--every": ("npe", every is not None),
        "--patience": ("npe", patience is not None),
        "--devices": ("npe", devices is not None),
        "--accelerator": ("npe", accelerator is not None),
        "--domain-only": ("npe", domain_only),
        "--curves": ("xgboost", curves is not None),
        "--library": ("xgboost", library is not None),
        "--grid-search": ("xgboost", grid_search),
    }
    _check_method(method, given)
    if domain_only:
        also = [option for option, (_, is_given) in given.items() if is_given]
        _survey(model, output, [*also, *(["--seed"] if seed is not None else [])])
    elif method == "npe":
        course = {
            "every": every,
            "patience": patience,
            "devices": devices,
            "accelerator": accelerator,
        }
        asked = _Network(steps, seed, resume, course)
        _train_network(model, output, asked)
    else:
        trees = _Trees(curves, library, grid_search, seed)
        _train_trees(model, output, trees)
    typer.echo(f"Estimator: {output}")


@dataclass(frozen=True)
class _Network:
    """What was asked for of a network; None for what was not."""

    steps: int | None
    seed: int | None
    resume: bool
    course: dict[str, Any]


@dataclass(frozen=True)
class _Trees:
    """What was asked for of boosted trees."""

    curves: int | None
    library: Path | None
    grid_search: bool
    seed: int | None


def _check_method(method: str, given: dict[str, tuple[str, bool]]) -> None:
    """Refuses an unknown method, and options of another one."""
    if method not in METHODS:
        raise WrongUseError(
            f"Unknown method '{method}'. Known methods: {', '.join(METHODS)}."
        )
    for option, (owner, is_given) in given.items():
        if is_given and owner != method:
            raise WrongUseError(
                f"{option} belongs to --method {owner}, but the method is '{method}'. "
                "Leave it out."
            )


def _train_network(model: str, output: Path, asked: _Network) -> None:
    """Trains a network; what a checkpoint holds is not lost when it is stopped."""
    from saxinfer.inference import training

    given = {k: v for k, v in asked.course.items() if v is not None}
    try:
        recipe = training.recipe_for(model, steps=asked.steps, seed=asked.seed)
        course = training.Course(**given)
        _check_writable(output)
        with _progress() as report:
            training.train(
                model,
                output,
                recipe=recipe,
                course=course,
                resume=asked.resume,
                progress=report,
            )
    except (ImportError, ValueError) as error:
        raise WrongUseError(_sentence(error)) from error
    except KeyboardInterrupt:
        if (output / "checkpoint.pt").exists():
            typer.echo("--resume goes on from the last checkpoint.", err=True)
        raise


def _sentence(error: Exception) -> str:
    text = str(error)
    return text[:1].upper() + text[1:]


def _survey(model: str, output: Path, also: list[str]) -> None:
    """Says anew where the curves of a trained network lie."""
    others = [option for option in also if option != "--domain-only"]
    if others:
        raise WrongUseError(
            f"--domain-only trains nothing, so that {others[0]} has no meaning. Leave "
            "it out."
        )
    from saxinfer.inference.card import survey_estimator

    try:
        survey_estimator(model, output)
    except ValueError as error:
        raise WrongUseError(_sentence(error)) from None


def _train_trees(model: str, output: Path, asked: _Trees) -> None:
    """Grows trees; a folder made for them goes again if they never come."""
    from saxinfer.inference.trees.boosting import Boosting
    from saxinfer.inference.trees.training import train_trees
    from saxinfer.library import LibraryError

    seed = Boosting.seed if asked.seed is None else asked.seed
    try:
        with _progress() as report:
            train_trees(
                model,
                output,
                boosting=Boosting(seed=seed, grid_search=asked.grid_search),
                curves=asked.curves,
                library=asked.library,
                progress=report,
            )
    except OSError as error:
        raise WrongUseError(_unwritable(output, error)) from None
    except (ImportError, LibraryError, ValueError) as error:
        raise WrongUseError(str(error)) from None


def _check_writable(output: Path) -> None:
    """Finds out before an hour of training whether anything can be written."""
    import tempfile

    try:
        output.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=output):
            pass
    except OSError as error:
        raise WrongUseError(_unwritable(output, error)) from None


def _unwritable(output: Path, error: OSError) -> str:
    reason = (error.strerror or str(error)).lower()
    return f"Cannot write to {output}: {reason}. Name another folder with -o."


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
        last = [0]

        def report(done: int, total: int, note: str) -> None:
            if done < last[0]:
                progress.reset(task)
            last[0] = done
            progress.update(task, completed=done, total=total)
            speed = progress.tasks[0].speed
            said = f"{note}, {speed:.3g} a second" if speed else note
            progress.update(task, description=said)

        yield report


def _say_now_and_then() -> Callable[[int, int, str], None]:
    lines = Twentieths()

    def say(done: int, total: int, note: str) -> None:
        if lines.due(done, total):
            typer.echo(f"{100 * done // total:3d} %  {note}", err=True)

    return say
