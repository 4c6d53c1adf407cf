"""What is typed behind an option, as what is meant; options of several commands."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from saxinfer.cli.plain import WrongUseError

__all__ = [
    "AsJson",
    "Background",
    "Cluster",
    "Debug",
    "Entry",
    "Files",
    "Part",
    "QUnit",
    "Reports",
    "Seed",
    "Workers",
    "contrast",
    "entry_name",
    "file_and_entry",
    "q_range",
    "windows",
]

Files = Annotated[list[Path], typer.Argument(metavar="FILE", help="Files of curves.")]

Part = Annotated[
    str, typer.Option("--q-range", metavar="LO..HI", help="Part of q, in 1/nm.")
]

QUnit = Annotated[
    str,
    typer.Option(
        "--q-unit", metavar="UNIT", help="Unit of q in the files: 1/nm, 1/A or 1/m."
    ),
]

Entry = Annotated[
    str,
    typer.Option(
        "--entry", metavar="N|NAME", help="Index (from 0) or name of the curve."
    ),
]

Background = Annotated[
    str,
    typer.Option(
        "--background", metavar="FILE[:ENTRY]", help="Curve to subtract, errors too."
    ),
]

Reports = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="DIR", help="Where to write reports."),
]

Seed = Annotated[int, typer.Option("--seed", help="Seed of the randomness.")]

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON only.")]

Debug = Annotated[bool, typer.Option("--debug", help="Show tracebacks.")]

Workers = Annotated[
    int, typer.Option("--workers", min=0, help="Processes; 0 for one a core.")
]

Cluster = Annotated[
    str,
    typer.Option(
        "--cluster",
        metavar="ADDRESS|FILE",
        help="Dask scheduler (tcp://host:port), or SLURM options (YAML).",
    ),
]


def windows(texts: Sequence[str]) -> dict[str, tuple[float, float]]:
    """``name=value`` and ``name=low..high`` as bounds by name; equal bounds fix.

    Example:
        >>> windows(["radius_mean=4..6", "radius_std=0.5"])
        {'radius_mean': (4.0, 6.0), 'radius_std': (0.5, 0.5)}
    """
    found: dict[str, tuple[float, float]] = {}
    for text in texts:
        name, equals, value = (part.strip() for part in text.partition("="))
        low, dots, high = value.partition("..")
        if not (name and equals and low and (high or not dots)):
            raise WrongUseError(
                f"-p needs name=value or name=low..high, but got '{text}'."
            )
        if name in found:
            raise WrongUseError(f"-p names '{name}' twice. Give it once.")
        first = _number(low, "-p", text)
        found[name] = (first, _number(high, "-p", text) if dots else first)
    return found


def q_range(text: str) -> tuple[float | None, float | None] | None:
    """``LO..HI`` in 1/nm, either side may be empty; None where nothing is asked.

    Example:
        >>> q_range("0.1..3"), q_range("0.1.."), q_range("..3"), q_range("")
        ((0.1, 3.0), (0.1, None), (None, 3.0), None)
    """
    if not text:
        return None
    low, dots, high = (part.strip() for part in text.partition(".."))
    if not dots:
        raise WrongUseError(
            f"--q-range needs LO..HI in 1/nm, 0.1..3 say, but got '{text}'."
        )
    first = _number(low, "--q-range", text) if low else None
    last = _number(high, "--q-range", text) if high else None
    if first is not None and last is not None and not first < last:
        raise WrongUseError(
            f"--q-range needs a lower end below the upper, but got '{text}' 1/nm."
        )
    return None if first is None and last is None else (first, last)


def contrast(text: str) -> float | None:
    """10^10/cm2, or with ``e/nm3`` electrons a volume, as 1/nm²; None for nothing.

    Example:
        >>> f"{contrast('3'):.4g} {contrast('334e/nm3'):.4g}", contrast("")
        ('0.0003 0.0009412', None)
    """
    if not text:
        return None
    from saxinfer.inference.absolute import ELECTRON_RADIUS, PER_NM2

    electrons = text.strip().removesuffix("e/nm3")
    unit = PER_NM2 if electrons == text.strip() else ELECTRON_RADIUS
    try:
        return unit * float(electrons)
    except ValueError:
        raise WrongUseError(
            "--contrast needs a number in 10^10/cm2, or electrons, 334e/nm3 say, but "
            f"got '{text}'."
        ) from None


def entry_name(text: str) -> int | str:
    """An entry's index if it is a whole number, else its name."""
    return int(text) if text.isdecimal() else text


def file_and_entry(text: str) -> tuple[Path, str]:
    """``FILE[:ENTRY]``; a colon within an existing path is part of it.

    Example:
        >>> file_and_entry("buffer.h5:2")
        (PosixPath('buffer.h5'), '2')
    """
    head, colon, tail = text.rpartition(":")
    if not colon or not head or Path(text).exists() or "\\" in tail or "/" in tail:
        return Path(text), ""
    return Path(head), tail


def _number(text: str, option: str, whole: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise WrongUseError(
            f"{option} needs numbers, but got '{text}' in '{whole}'."
        ) from None
