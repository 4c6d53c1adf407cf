"""Mirrors src/saxinfer/formats/entry.py."""

import numpy as np

from saxinfer.formats.entry import Entry


def test_an_entry_states_nothing_that_its_file_does_not() -> None:
    entry = Entry(q=np.arange(3.0), intensity=np.ones(3))
    unstated = (entry.sigma, entry.resolution, entry.unit_text, entry.convention)
    assert all(value is None for value in unstated)
    assert entry.intensity_unit == "a.u."
    assert entry.remarks == ()
