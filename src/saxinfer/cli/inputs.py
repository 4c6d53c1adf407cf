"""From the files named on a command line to curves, and to sentences on the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from saxinfer.cli.arguments import entry_name, file_and_entry
from saxinfer.curve import Curve

__all__ = ["Unreadable", "read_background", "read_curves"]


@dataclass(frozen=True)
class Unreadable:
    """A file, or one curve of it, that cannot be used, and why."""

    file: str
    sentence: str


def read_curves(
    files: Sequence[Path], *, q_unit: str, entry: str, background: Curve | None
) -> list[Curve | Unreadable]:
    """All curves of all files in order, each less the background."""
    found: list[Curve | Unreadable] = []
    for file in files:
        try:
            for curve in _chosen(file, q_unit, entry):
                found.append(_subtracted(curve, background))
        except (OSError, ValueError) as error:
            found.append(Unreadable(str(file), _sentence(file, error)))
    return found


def read_background(text: str, *, q_unit: str) -> Curve | Unreadable | None:
    """The curve that ``FILE[:ENTRY]`` names."""
    if not text:
        return None
    file, entry = file_and_entry(text)
    try:
        return _chosen(file, q_unit, entry or "0")[0]
    except (OSError, ValueError) as error:
        return Unreadable(str(file), _sentence(file, error))


def _chosen(file: Path, q_unit: str, entry: str) -> list[Curve]:
    from saxinfer.formats import FormatError, load

    curves = load(file, q_unit=q_unit or None)
    if not entry:
        return curves
    wanted = entry_name(entry)
    chosen = [curve for curve in curves if wanted in (curve.entry, curve.name)]
    if not chosen:
        there = ", ".join(f"{curve.entry} ({curve.name})" for curve in curves[:20])
        raise FormatError(f"{file.name}: has no entry '{entry}'; there are {there}.")
    return chosen


def _subtracted(curve: Curve, background: Curve | None) -> Curve:
    if background is None:
        return curve
    from saxinfer.formats import subtract

    return subtract(curve, background)


def _sentence(file: Path, error: Exception) -> str:
    """One sentence that begins with the name of the file."""
    if isinstance(error, OSError):
        return f"{file.name}: {(error.strerror or str(error)).lower()}."
    text = " ".join(str(error).split())
    return text if text.startswith(file.name) else f"{file.name}: {text}"
