"""A fit shows itself richly where there is a notebook, and only there."""

import subprocess
import sys
from collections.abc import Callable
from types import SimpleNamespace

import pytest

from saxinfer.inference.base import Fit
from saxinfer.report import notebook_html, register_in_notebook, show


def test_the_piece_of_html_has_table_and_figure(wide_fit: Fit) -> None:
    text = notebook_html(wide_fit)
    assert "fibril diameter mean" in text
    assert "data:image/svg+xml;base64," in text
    assert "Poor" in text


def test_a_choice_is_told_above_the_table(chosen_fit: Fit, fit: Fit) -> None:
    text = notebook_html(chosen_fit)
    said = text.index("Which model? sphere, with a probability of 80.0 %.")
    assert said < text.index("<table>")
    assert "Which model?" not in notebook_html(fit)


def test_nothing_is_registered_without_a_notebook(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    assert not register_in_notebook()
    assert "IPython" not in sys.modules


def test_a_running_notebook_learns_to_show_fits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    known: dict[type, Callable[[Fit], str]] = {}
    html = SimpleNamespace(for_type=known.__setitem__)
    shell = SimpleNamespace(
        display_formatter=SimpleNamespace(formatters={"text/html": html})
    )
    fake = SimpleNamespace(get_ipython=lambda: shell)
    monkeypatch.setitem(sys.modules, "IPython", fake)
    assert register_in_notebook()
    assert known == {Fit: notebook_html}


def test_a_terminal_gets_tables(fit: Fit, capsys: pytest.CaptureFixture[str]) -> None:
    show(fit)
    assert "radius mean" in capsys.readouterr().out


def test_importing_the_package_opens_no_door_to_plotting() -> None:
    code = (
        "import sys, saxinfer, saxinfer.report, saxinfer.cli; "
        "sys.exit(bool({'matplotlib', 'jinja2', 'h5py'} & set(sys.modules)))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_a_fit_by_trees_has_a_verdict_of_its_own(tree_fit: Fit) -> None:
    assert "the curve at the predicted values" in notebook_html(tree_fit)
