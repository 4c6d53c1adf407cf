"""Mirrors library/error.py: what was wrong is one sentence, in every process."""

import pickle

from saxinfer.library.error import LibraryError


def test_the_sentence_survives_the_way_from_a_worker() -> None:
    error = LibraryError("curve 7 cannot be drawn.")
    assert str(pickle.loads(pickle.dumps(error))) == "curve 7 cannot be drawn."
