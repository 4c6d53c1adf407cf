"""Fits two measured curves and a simulated one, and says what came out.

    make demo          or, where saxinfer is installed,          python examples/demo.py

The measured curves come with the package ``sasdata``: nothing is downloaded. Every fit
is one command line, printed before it runs; what is said of a result is read from the
``fit.json`` that the command wrote. Reports are written to ``demo/``.
"""

import importlib.util
import json
import math
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any

from saxinfer import get_structure
from saxinfer.cli import app

OUT = Path("demo")
SIMULATION = Path(__file__).with_name("simulate_cellulose.py")

# From this correlation on, either way, two parameters are named as hard to tell apart.
TIED = 0.8


@dataclass(frozen=True)
class Case:
    """One curve, the model to fit to it, and why.

    Attributes:
        name: Folder of the result within ``OUT``.
        file: The curve.
        model: What is fitted.
        about: What the curve is, in sentences.
    """

    name: str
    file: Path
    model: str
    about: str


def measured(name: str) -> Path:
    """A measured curve in the installed ``sasdata``.

    Raises:
        FileNotFoundError: If the package or the file is not there.
    """
    spec = importlib.util.find_spec("sasdata")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("sasdata is not installed. Run 'pip install sasdata'.")
    path = Path(spec.origin).parent / "example_data" / "1d_data" / name
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing: this sasdata brings no such file.")
    return path


def cases() -> tuple[Case, ...]:
    """The three curves of the demonstration."""
    return (
        Case(
            "apoferritin",
            measured("apoferritin.txt"),
            "core_shell_sphere",
            "Apoferritin in solution, neutrons (ISIS SANS2D). The protein is a hollow\n"
            "sphere, known to be 12 to 13 nm across with a cavity of about 8 nm.",
        ),
        Case(
            "aot",
            measured("AOT_Microemulsion-Core_Contrast.xml"),
            "core_shell_sphere",
            "Droplets of an AOT microemulsion, neutrons (ISIS LOQ): water cores in a\n"
            "thin layer of surfactant, marked so that mostly the cores scatter.",
        ),
        Case(
            "cellulose",
            OUT / "cellulose.dat",
            "cellulose",
            "Cellulose fibrils simulated in real space just now on a grid, without\n"
            "the closed form that is fitted. Here the true parameters are known.",
        ),
    )


def fit(case: Case) -> dict[str, Any]:
    """Runs one command line; returns what it wrote as JSON.

    Raises:
        SystemExit: If the command fails; it has said why.
    """
    folder = OUT / case.name
    arguments = [str(case.file), "--model", case.model, "-o", str(folder)]
    print("$ saxinfer fit", *arguments, "\n", flush=True)
    code = app(["fit", *arguments], standalone_mode=False)
    if code:
        raise SystemExit(code)
    document: dict[str, Any] = json.loads((folder / "fit.json").read_text())[0]
    return document


def decimals(found: dict[str, Any]) -> int:
    """Digits after the point that an interval's width leaves meaningful."""
    width = found["q95"] - found["q05"]
    return min(max(1 - math.floor(math.log10(width)), 0), 6) if width > 0 else 3


def quantity(name: str, found: dict[str, Any]) -> str:
    """Median and 90 % interval in words."""
    digits = decimals(found)
    middle, low, high = (f"{found[key]:.{digits}f}" for key in ("median", "q05", "q95"))
    unit = "" if found["unit"] == "1" else f" {found['unit']}"
    return f"{name} {middle}{unit} ({low} to {high})"


def meaning(document: dict[str, Any]) -> Iterator[str]:
    """What a result says and what it leaves open, one sentence each."""
    quality, parameters = document["quality"], document["parameters"]
    if quality["verdict"] == "out_of_domain":
        yield "The model cannot produce this curve: do not use the numbers."
        return
    known = {n: p for n, p in parameters.items() if p["constrained"]}
    if known:
        sizes = ", ".join(quantity(n, p) for n, p in known.items())
        poor = quality["verdict"] == "poor"
        start = "With the reservations above, the" if poor else "The"
        yield f"{start} curve determines, with 90 % intervals: {sizes}."
    for name, found in parameters.items():
        if name in known:
            continue
        if len(found["solutions"]) > 1:
            each = " or ".join(
                f"{s['median']:.3g} ({100 * s['share']:.0f} %)"
                for s in found["solutions"]
            )
            yield f"It fits with more than one {name}: {each}."
        else:
            taught = max(0.0, 100 * found["shrinkage"])
            yield (
                f"It does not determine {name}: the data narrowed what was assumed "
                f"by {taught:.0f} % only."
            )
    yield from ties(document)


def ties(document: dict[str, Any]) -> Iterator[str]:
    """Groups of free parameters that the curve fixes only together."""
    names, matrix = (document["correlation"][key] for key in ("names", "matrix"))
    free = get_structure(document["model"]).space.names
    groups: dict[str, set[str]] = {name: {name} for name in free}
    for one, two in combinations(free, 2):
        if abs(matrix[names.index(one)][names.index(two)]) >= TIED:
            joined = groups[one] | groups[two]
            groups.update(dict.fromkeys(joined, joined))
    for name in free:
        group = [other for other in free if other in groups[name]]
        if len(group) > 1 and name == group[0]:
            yield (
                f"{', '.join(group[:-1])} and {group[-1]} are tied (correlations of "
                f"{TIED} and more): a change of one is made up for by the rest. "
                "Fix what you know with -p and the rest gets sharper."
            )


def against_truth(document: dict[str, Any], file: Path) -> Iterator[str]:
    """How the true parameters lie to the intervals, where they are known."""
    beside = file.with_suffix(".json")
    if not beside.exists():
        return
    truth = json.loads(beside.read_text())["parameters"]
    missed = [
        f"{quantity(name, found)} against {truth[name]:.{decimals(found)}f}"
        for name, found in document["parameters"].items()
        if not found["q05"] <= truth[name] <= found["q95"]
    ]
    inside = len(truth) - len(missed)
    yield (
        f"{inside} of the {len(truth)} true values lie within their 90 % intervals"
        f"{'; outside: ' + ', '.join(missed) if missed else ''}. About one in ten is "
        "expected outside."
    )


def main() -> None:
    """Simulates, fits, explains."""
    start = time.perf_counter()
    print("saxinfer: from scattering curves to parameters and what they are worth.\n")
    OUT.mkdir(exist_ok=True)
    command = [sys.executable, str(SIMULATION), "-o", str(OUT)]
    subprocess.run(command, check=True)
    chosen = cases()
    for number, case in enumerate(chosen, 1):
        print(f"\n{number} of {len(chosen)}. {case.about}")
        document = fit(case)
        print("\nWhat this means:")
        for sentence in meaning(document):
            print(f"- {sentence}")
        for sentence in against_truth(document, case.file):
            print(f"- {sentence}")
    print(f"\nDone in {time.perf_counter() - start:.0f} s. Open in a browser:")
    for case in chosen:
        print(f"  {OUT / case.name / 'report.html'}")


if __name__ == "__main__":
    try:
        main()
    except FileNotFoundError as error:
        sys.exit(str(error))
