"""Writes docs/measured-files.md: what `saxinfer` reads in a folder of measured files.

Usage: python scripts/list_measured_files.py [FOLDER], by default the folder that
SAXINFER_MEASURED_DATA names, else ../shared/data/real.
"""

import os
import sys
from collections import Counter
from pathlib import Path

from saxinfer.curve import Curve
from saxinfer.formats import FormatError, load

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "measured-files.md"
INTRODUCTION = """# Measured files

What `saxinfer` makes of a collection of measured files and of files that only look
like curves. This page is written by `python scripts/list_measured_files.py`; the tests
in `tests/formats/test_measured_files.py` check every line of it against numbers that
were read independently.

*From* says who states the unit of q: the **file**, the **format** (its own convention,
named in the warnings of every result), or nobody: then `--q-unit` is **needed**, and
the range of q is given in the unit of the file, whatever that is.

"""
HEAD = (
    "| file | curves | points | q [1/nm] | unit | from | remarks |\n"
    + "|---" * 7
    + "|\n"
)


def curve_row(name: str, curves: list[Curve], origin: str) -> str:
    """Returns the line of a file that was read."""
    points = ", ".join(dict.fromkeys(str(len(curve)) for curve in curves))
    low = min(curve.q[0].item() for curve in curves)
    high = max(curve.q[-1].item() for curve in curves)
    known = origin != "needed"
    span = f"{low:.4g} to {high:.4g}" if known else f"({low:.4g} to {high:.4g})"
    unit = curves[0].q_unit if known else "?"
    said = [remark for curve in curves for remark in curve.remarks]
    hidden = ("by the convention of", "does not state the unit")
    texts = [
        remark.text if remark.kind == "note" else f"**{remark.kind}**: {remark.text}"
        for remark in said
        if not any(part in remark.text for part in hidden)
    ]
    remarks = " ".join(dict.fromkeys(texts)).replace("|", "\\|")
    cells = (name, str(len(curves)), points, span, unit, origin, remarks)
    return f"| {' | '.join(cells)} |"


def row(folder: Path, path: Path) -> tuple[str, str]:
    """Returns the line of a file, and in which class it falls."""
    name = str(path.relative_to(folder))
    try:
        curves = load(path)
    except FormatError as refusal:
        if "--q-unit" not in str(refusal):
            why = str(refusal).removeprefix(f"{path.name}: ").replace("|", "\\|")
            return f"| {name} | refused | | | | | {why} |", "refused"
        return curve_row(name, load(path, q_unit="1/nm"), "needed"), "unit needed"
    convention = any("by the convention of" in r.text for r in curves[0].remarks)
    origin = "format" if convention else "file"
    return curve_row(name, curves, origin), f"unit from the {origin}"


def main() -> None:
    """Writes the page and prints the sums."""
    default = os.environ.get("SAXINFER_MEASURED_DATA", ROOT.parent / "shared/data/real")
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else default)
    if not folder.is_dir():
        sys.exit(f"{folder} is no folder of measured files; pass one.")
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    rows = [row(folder, path) for path in files if path.name != "SOURCES.md"]
    sums = Counter(kind for _, kind in rows)
    total = ", ".join(f"{count} {kind}" for kind, count in sums.most_common())
    summary = f"{len(rows)} files: {total}.\n\n"
    page = INTRODUCTION + summary + HEAD + "\n".join(line for line, _ in rows) + "\n"
    PAGE.write_text(page, encoding="utf-8")
    print(f"{PAGE.relative_to(ROOT)}: {summary.strip()}")


if __name__ == "__main__":
    main()
