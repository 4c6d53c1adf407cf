"""The tutorial does what it says: its commands and its code are run as they stand."""

import contextlib
import io
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

for extra in ("numba", "xarray", "sklearn"):
    pytest.importorskip(extra)

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial.md"
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def run(command: str, folder: Path) -> None:
    """Runs one ``saxinfer ...`` of the tutorial."""
    words = command.split()
    assert words[0] == "saxinfer"
    done = subprocess.run(
        [sys.executable, "-m", *words], cwd=folder, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_the_tutorial_runs_as_it_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    printed = io.StringIO()
    blocks = BLOCK.findall(TUTORIAL.read_text(encoding="utf-8"))
    assert len(blocks) == 6
    for language, text in blocks:
        if language == "bash":
            run(text.strip(), tmp_path)
        else:
            with contextlib.redirect_stdout(printed):
                exec(compile(text, str(TUTORIAL), "exec"), names)
    pictures = {file.name for file in Path("drawn").glob("*.png")}
    assert pictures == {"structure.png", "curve.png", "two-point.png"}
    # Single rings of one box: their scatter is known to some percent.
    assert 0.8 < names["scatter"].std() < 1.25
    assert names["found"] == pytest.approx(names["nominal"], rel=0.1)
    assert names["score"] > 0.85
    assert names["fit"].quality.verdict in ("good", "poor")
    assert "nm⁻¹ in the mean" in printed.getvalue()
