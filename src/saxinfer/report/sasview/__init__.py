"""Closed forms as plug-ins for SasView: files of their own that need numpy and scipy.

To add one: write its file beside this one, in sasmodels' form (a table of parameters
and a vectorised ``Iq``, lengths in Å), and list it here.
"""

from importlib import resources

from saxinfer.version import VERSION

__all__ = ["PLUGINS", "plugin"]

PLUGINS = ("wood",)
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
    text = resources.files(__name__).joinpath(f"{model}.py").read_text("utf-8")
    head = (
        f"# SasView plug-in '{model}', written by saxinfer {VERSION} (MIT licence).\n"
        "# Copy it to the folder of plug-in models, ~/.sasview/plugin_models.\n"
    )
    return head + text
