"""``saxinfer export``: a plug-in for SasView, or a sentence why there is none."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Run = Callable[..., Any]


def test_a_plugin_is_written_where_it_is_wanted(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "wood.py"
    done = run("export", "wood", "--to", "sasview", "-o", str(place))
    assert done.code == 0
    assert str(place) in done.out.replace("\n", "")
    assert "def Iq(" in place.read_text("utf-8")


def test_without_a_name_it_is_called_after_the_model(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run("export", "wood", "--to", "sasview").code == 0
    assert (tmp_path / "saxinfer_wood.py").exists()


def test_json_is_one_document(run: Run, tmp_path: Path) -> None:
    place = tmp_path / "wood.py"
    done = run("export", "wood", "--to", "sasview", "-o", str(place), "--json")
    told = json.loads(done.out)
    assert told["schema"] == "saxinfer/export/1"
    assert told["file"] == str(place)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("wood", "--to", "excel"), "Say --to sasview"),
        (("cube", "--to", "sasview"), "Unknown model 'cube'"),
        (
            ("sphere", "--to", "sasview"),
            "plug-ins of two_phase, three_phase",
        ),
        (("wood", "--to", "sasview", "-o", "plugin.txt"), "a Python file"),
        (("wood", "--to", "sasview", "-o", "/nowhere/wood.py"), "cannot be written"),
    ],
)
def test_what_cannot_be_exported_is_said_in_a_sentence(
    run: Run, arguments: tuple[str, ...], sentence: str
) -> None:
    done = run("export", *arguments)
    assert done.code == 2
    assert sentence in done.err.replace("\n", " ")
