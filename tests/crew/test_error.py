"""Mirrors crew/error.py."""

import pickle

from saxinfer.crew import CrewError


def test_a_sentence_crosses_from_one_process_to_another() -> None:
    error = pickle.loads(pickle.dumps(CrewError("The Dask scheduler is gone.")))
    assert isinstance(error, CrewError)
    assert str(error) == "The Dask scheduler is gone."
