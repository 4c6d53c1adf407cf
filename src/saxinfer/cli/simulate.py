"""``saxinfer simulate``: a library of curves."""

import json
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from saxinfer.cli.arguments import (
    AsJson,
    Cluster,
    Debug,
    Seed,
    Workers,
    q_range,
    windows,
)
from saxinfer.cli.plain import WrongUseError, command_line
from saxinfer.cli.progress import Pace, Twentieths

if TYPE_CHECKING:
    from saxinfer.library import Box, Recipe

__all__ = ["simulate"]

# What is made where nothing is asked for: q [1/nm] and the number of points.
Q_RANGE, POINTS = (0.02, 3.0), 500


def simulate(
    model: Annotated[str, typer.Argument(help="Name of the model.")],
    count: Annotated[
        int, typer.Option("-n", "--count", min=1, help="Number of curves.")
    ],
    output: Annotated[
        Path,
        typer.Option("--output", "-o", metavar="OUT.zarr", help="Where they go."),
    ],
    engine: Annotated[
        Literal["closed-form", "structure"],
        typer.Option("--engine", help="How: by equations, or drawn and transformed."),
    ] = "closed-form",
    parameter: Annotated[
        list[str] | None,
        typer.Option(
            "--parameter",
            "-p",
            metavar="NAME=LOW..HIGH",
            help="Narrow a parameter's prior, or fix it: NAME=VALUE. Repeatable.",
        ),
    ] = None,
    q_range_text: Annotated[
        str, typer.Option("--q", metavar="LO..HI", help="Range of q, in 1/nm.")
    ] = "",
    points: Annotated[
        int | None, typer.Option("--points", min=1, help="Number of points of q.")
    ] = None,
    spacing: Annotated[
        Literal["log", "linear"] | None,
        typer.Option("--spacing", help="How q is spaced."),
    ] = None,
    q_like: Annotated[
        Path | None,
        typer.Option("--q-like", metavar="FILE", help="Take q from a measured file."),
    ] = None,
    q_unit: Annotated[
        str,
        typer.Option(
            "--q-unit", metavar="UNIT", help="Unit of q in it: 1/nm, 1/A or 1/m."
        ),
    ] = "",
    noise: Annotated[
        Literal["none", "standard", "hard"],
        typer.Option("--noise", help="Tier of the instruments that measure them."),
    ] = "none",
    pixels: Annotated[
        int | None, typer.Option("--pixels", help="Pixels along the drawn box.")
    ] = None,
    pixel: Annotated[
        float | None, typer.Option("--pixel", metavar="NM", help="Their size, in nm.")
    ] = None,
    average: Annotated[
        int | None, typer.Option("--average", help="Realisations for each curve.")
    ] = None,
    seed: Seed = 0,
    workers: Workers = 0,
    cluster: Cluster = "",
    resume: Annotated[
        bool, typer.Option("--resume", help="Finish a library that was stopped.")
    ] = False,
    as_json: AsJson = False,
    debug: Debug = False,
) -> None:
    """Make a library of simulated curves with their parameters."""
    q = _Q(q_range_text, points, spacing, q_like, q_unit)
    options = _BoxOptions(pixels, pixel, average)
    ranges = windows(parameter or ())
    with _plainly(ValueError):
        from saxinfer.crew import Crew
        from saxinfer.library import Recipe, make_library

        box = options.chosen(engine, model, points)
        recipe = Recipe(
            model=model,
            count=count,
            seed=seed,
            engine=engine,
            windows=tuple((name, *ends) for name, ends in ranges.items()),
            q=q.chosen(box),
            noise=noise,
            box=box,
        )
        start = time.monotonic()
    with _plainly(), _progress() as report:
        made = make_library(
            recipe,
            output,
            Crew(workers, cluster),
            resume=resume,
            command=command_line(),
            progress=report,
        )
    _print(recipe, output, made, time.monotonic() - start, as_json=as_json)


@contextmanager
def _plainly(*also: type[Exception]) -> Iterator[None]:
    """Turns what the user can do something about into wrong use."""
    from saxinfer.library import LibraryError

    known: tuple[type[Exception], ...] = (LibraryError, ImportError, *also)
    try:
        yield
    except known as error:
        raise WrongUseError(" ".join(str(error).split())) from error


@dataclass(frozen=True)
class _Q:
    """What was typed about q."""

    text: str
    points: int | None
    spacing: str | None
    like: Path | None
    unit: str

    def chosen(self, box: "Box | None") -> tuple[float, ...]:
        """The grid [1/nm]; empty where the box is to say."""
        part = _range(self.text)
        if self.like is not None:
            return self._measured(*part)
        low, high = (
            asked if asked is not None else usual
            for asked, usual in zip(part, Q_RANGE, strict=True)
        )
        if box is not None:
            if not self.text and self.spacing is None:
                return ()
            if None in part:
                raise WrongUseError(
                    "--engine structure needs both ends of --q, LO..HI in 1/nm, or "
                    "neither --q nor --spacing: then q is what the box can be trusted "
                    "for."
                )
        if not 0 < low < high:
            raise WrongUseError(
                f"--q needs 0 < LO < HI in 1/nm, but got '{self.text}', which with the "
                f"usual {Q_RANGE[0]}..{Q_RANGE[1]} is {low:g}..{high:g}."
            )
        count = self.points or POINTS
        shares = [n / max(1, count - 1) for n in range(count)]
        if self.spacing == "linear":
            return tuple(low + (high - low) * share for share in shares)
        return tuple(low * (high / low) ** share for share in shares)

    def _measured(self, low: float | None, high: float | None) -> tuple[float, ...]:
        """The q of a measured file that lie in the range."""
        if self.points is not None or self.spacing is not None:
            raise WrongUseError(
                "--q-like takes the points of a file, so it does not go with --points "
                "or --spacing. Leave out either."
            )
        from saxinfer.formats import load

        assert self.like is not None
        q = load(self.like, q_unit=self.unit or None)[0].q.tolist()
        return tuple(k for k in q if (low or 0.0) <= k <= (high or math.inf))


def _range(text: str) -> tuple[float | None, float | None]:
    """Ends of ``LO..HI``, either of which may be left out."""
    try:
        return q_range(text) or (None, None)
    except WrongUseError as error:
        raise WrongUseError(str(error).replace("--q-range", "--q")) from None


@dataclass(frozen=True)
class _BoxOptions:
    """What was typed about the box."""

    pixels: int | None
    pixel: float | None
    average: int | None

    def chosen(self, engine: str, model: str, rings: int | None) -> "Box | None":
        """The box of the structure engine; the other one has none."""
        from saxinfer.library import Box

        if engine != "structure":
            self._refuse()
            return None
        usual = Box.usual(model, self.pixels, self.pixel)
        return replace(usual, rings=rings or usual.rings, average=self.average or 1)

    def _refuse(self) -> None:
        """Options of the box would be ignored."""
        if (self.pixels, self.pixel, self.average) != (None, None, None):
            raise WrongUseError(
                "--pixels, --pixel and --average are about drawn structures. Add "
                "--engine structure, or leave them out."
            )


def _print(
    recipe: "Recipe", output: Path, made: int, seconds: float, *, as_json: bool
) -> None:
    """What there is now."""
    if as_json:
        found = {
            "schema": "saxinfer/simulate/1",
            "library": str(output),
            "made": made,
            "kept": recipe.count - made,
            "seconds": round(seconds, 3),
            "recipe": json.loads(recipe.as_json()) | {"q": _ends(recipe)},
        }
        typer.echo(json.dumps(found, indent=2, ensure_ascii=False, allow_nan=False))
        return
    kept = recipe.count - made
    before = f", of which {kept:,} were there" if kept else ""
    typer.echo(f"Library: {output} ({recipe.count:,} curves{before})")


def _ends(recipe: "Recipe") -> dict[str, float]:
    """The range and number of q [1/nm]."""
    from saxinfer.library.block import q_of

    q = q_of(recipe)
    return {"low": float(q[0]), "high": float(q[-1]), "points": len(q)}


@contextmanager
def _progress() -> Iterator[Callable[[int, int], None]]:
    """A bar on a terminal; elsewhere one line for each twentieth of the work."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    console = Console(stderr=True)
    pace = Pace()
    if not console.is_terminal:
        yield _said_now_and_then(pace)
        return
    columns = (
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("curves, {task.description}", markup=False),
    )
    with Progress(*columns, console=console) as progress:
        task = progress.add_task("getting ready", total=None)

        def report(done: int, total: int) -> None:
            told = pace.told(done, total)
            progress.update(task, completed=done, total=total, description=told)

        yield report


def _said_now_and_then(pace: Pace) -> Callable[[int, int], None]:
    lines = Twentieths()

    def say(done: int, total: int) -> None:
        told = pace.told(done, total)
        if lines.due(done, total):
            share = 100 * done // total
            typer.echo(f"{share:3d} %  {done:,} of {total:,} curves, {told}", err=True)

    return say
