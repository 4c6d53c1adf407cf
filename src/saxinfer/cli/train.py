"""``saxinfer train``: make the estimator of a model anew."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from saxinfer.cli.arguments import Debug
from saxinfer.cli.label_free import Wanted, learn_label_free
from saxinfer.cli.plain import WrongUseError
from saxinfer.cli.progress import shown

__all__ = ["train"]


METHODS = ("npe", "xgboost", "label-free")

# Of whatever learns by steps.
NETWORKS = ("npe", "label-free")


def train(
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="DIR", help="Where the estimator goes."),
    ],
    method: Annotated[
        str,
        typer.Option(
            "--method",
            metavar="NAME",
            help="npe (network), label-free (from curves alone) or xgboost (trees).",
        ),
    ] = "npe",
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="Gradient steps (networks).")
    ] = None,
    curves: Annotated[
        list[str] | None,
        typer.Option(
            "--curves",
            metavar="N|FILE",
            help="How many curves (xgboost); files, folders or zarr libraries of them, "
            "repeatable (label-free).",
        ),
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
        bool, typer.Option("--resume", help="Go on where a run was stopped (networks).")
    ] = False,
    every: Annotated[
        int | None,
        typer.Option(
            "--every",
            min=1,
            help="Steps between validations, 500 by default (networks).",
        ),
    ] = None,
    patience: Annotated[
        int | None,
        typer.Option(
            "--patience",
            min=1,
            help="Stop after so many validations without a better one (networks).",
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
    start_from: Annotated[
        Path | None,
        typer.Option(
            "--start-from",
            metavar="DIR",
            help="Estimator to go on from; 'shipped' for the package's (label-free).",
        ),
    ] = None,
    term: Annotated[
        list[str] | None,
        typer.Option(
            "--term",
            metavar="NAME=WEIGHT",
            help="Weight of a term of the loss, 0 for none; repeatable (label-free).",
        ),
    ] = None,
    sleep: Annotated[
        float | None,
        typer.Option(
            "--sleep",
            min=0.0,
            help="Weight of simulated truths, 0 by default (label-free).",
        ),
    ] = None,
    bound: Annotated[
        str | None,
        typer.Option(
            "--bound", metavar="NAME", help="elbo, iwae or none (label-free)."
        ),
    ] = None,
    samples: Annotated[
        int | None,
        typer.Option("--samples", min=1, help="Samples of each curve (label-free)."),
    ] = None,
    batch: Annotated[
        int | None,
        typer.Option("--batch", min=1, help="Curves of a step (label-free)."),
    ] = None,
    memory: Annotated[
        bool | None,
        typer.Option(
            "--memory/--no-memory",
            help="Keep a place in its posterior for each curve (label-free).",
        ),
    ] = None,
    q_unit: Annotated[
        str | None,
        typer.Option(
            "--q-unit",
            metavar="UNIT",
            help="Unit of q in the files: 1/nm, 1/A or 1/m (label-free).",
        ),
    ] = None,
    debug: Debug = False,
) -> None:
    """Train the estimator of a model: on simulated curves, or on curves alone."""
    from saxinfer.structures import get_structure

    try:
        get_structure(model)
    except ValueError as error:
        raise WrongUseError(str(error)) from None
    given = {
        "--steps": (NETWORKS, steps is not None),
        "--resume": (NETWORKS, resume),
        "--every": (NETWORKS, every is not None),
        "--patience": (NETWORKS, patience is not None),
        "--devices": (("npe",), devices is not None),
        "--accelerator": (("npe",), accelerator is not None),
        "--domain-only": (("npe",), domain_only),
        "--curves": (("xgboost", "label-free"), bool(curves)),
        "--library": (("xgboost",), library is not None),
        "--grid-search": (("xgboost",), grid_search),
        "--start-from": (("label-free",), start_from is not None),
        "--term": (("label-free",), bool(term)),
        "--sleep": (("label-free",), sleep is not None),
        "--bound": (("label-free",), bound is not None),
        "--samples": (("label-free",), samples is not None),
        "--batch": (("label-free",), batch is not None),
        "--memory": (("label-free",), memory is not None),
        "--q-unit": (("label-free",), q_unit is not None),
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
    elif method == "label-free":
        wanted = Wanted(
            curves=tuple(curves or ()),
            q_unit=q_unit or "",
            start=start_from,
            terms=(*(term or ()), *([] if sleep is None else [f"sleep={sleep}"])),
            plan={"steps": steps, "seed": seed, "batch": batch}
            | {"bound": bound, "samples": samples, "memory": memory},
            course={"every": every, "patience": patience},
            resume=resume,
        )
        _learn(model, output, wanted)
    else:
        trees = _Trees(_number_of(curves), library, grid_search, seed)
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


def _number_of(curves: list[str] | None) -> int | None:
    """How many curves trees are to learn from."""
    if not curves:
        return None
    if len(curves) > 1 or not curves[0].isdecimal() or int(curves[0]) < 1:
        raise WrongUseError(
            "--curves needs a number of curves with --method xgboost, but got "
            f"'{' '.join(curves)}'. Name files with --library, or a number."
        )
    return int(curves[0])


def _check_method(method: str, given: dict[str, tuple[tuple[str, ...], bool]]) -> None:
    """Refuses an unknown method, and options of another one."""
    if method not in METHODS:
        raise WrongUseError(
            f"Unknown method '{method}'. Known methods: {', '.join(METHODS)}."
        )
    for option, (owners, is_given) in given.items():
        if is_given and method not in owners:
            raise WrongUseError(
                f"{option} belongs to --method {' or '.join(owners)}, but the method "
                f"is '{method}'. Leave it out."
            )


def _train_network(model: str, output: Path, asked: _Network) -> None:
    """Trains a network; what a checkpoint holds is not lost when it is stopped."""
    from saxinfer.inference import training

    given = {k: v for k, v in asked.course.items() if v is not None}
    try:
        recipe = training.recipe_for(model, steps=asked.steps, seed=asked.seed)
        course = training.Course(**given)
        _check_writable(output)
        with shown() as report:
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


def _learn(model: str, output: Path, wanted: Wanted) -> None:
    """Learns from curves alone; likewise."""
    _check_writable(output)
    try:
        with shown() as report:
            said = learn_label_free(model, output, wanted, report)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise WrongUseError(f"{error.filename or output}: {reason}.") from None
    except (ImportError, ValueError) as error:
        raise WrongUseError(_sentence(error)) from error
    except KeyboardInterrupt:
        if (output / "checkpoint.pt").exists():
            typer.echo("--resume goes on from the last checkpoint.", err=True)
        raise
    for sentence in said:
        typer.echo(sentence)


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
        with shown() as report:
            survey_estimator(model, output, progress=report)
    except ValueError as error:
        raise WrongUseError(_sentence(error)) from None


def _train_trees(model: str, output: Path, asked: _Trees) -> None:
    """Grows trees; a folder made for them goes again if they never come."""
    from saxinfer.inference.trees.boosting import Boosting
    from saxinfer.inference.trees.training import train_trees
    from saxinfer.library import LibraryError

    seed = Boosting.seed if asked.seed is None else asked.seed
    try:
        with shown() as report:
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
