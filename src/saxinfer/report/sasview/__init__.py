"""Closed forms as plug-ins for SasView: files of their own that need numpy and scipy.

To add one: write its file beside this one, in sasmodels' form (a table of parameters
and a vectorised ``Iq``, lengths in Å), and list it here. What several share is a module
of this folder, whose text takes the place of the line that imports from it.
"""

import re
from importlib import resources

from saxinfer.version import VERSION

__all__ = ["PLUGINS", "plugin"]

PLUGINS = ("two_phase", "three_phase", "wood")
"""Models that there is a plug-in of."""


def plugin(model: str) -> str:
    """The plug-in of a model, as the text of a Python file.

    Raises:
        ValueError: If there is none; the sentence lists those that there are.
    """
    if model not in PLUGINS:
        raise ValueError(
            f"there is no SasView plug-in of '{model}'. There are plug-ins of "
            f"{', '.join(PLUGINS)}."
        )
    text = _text(model)
    shared = re.search(rf"from {re.escape(__name__)}\.(\w+) import .*\n", text)
    if shared is not None:
        _, body = _text(shared[1]).split('"""\n', 1)
        body = re.sub(r"__all__ = .*\n", "", body)
        text = text.replace(shared[0], body.strip() + "\n\n")
    head = (
        f"# SasView plug-in '{model}', written by saxinfer {VERSION} (MIT licence).\n"
        "# Copy it to the folder of plug-in models, ~/.sasview/plugin_models.\n"
    )
    return head + text


def _text(module: str) -> str:
    return resources.files(__name__).joinpath(f"{module}.py").read_text("utf-8")
