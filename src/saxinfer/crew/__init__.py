"""Work shared among processes of this machine, or among the workers of a cluster.

What the work is, a crew does not know. It moves no bit of a result: every worker is a
process of one thread, and a job is the same whoever does it.
"""

from saxinfer.crew.base import Team
from saxinfer.crew.crew import Crew
from saxinfer.crew.error import CrewError
from saxinfer.crew.memory import keep_memory
from saxinfer.crew.processes import cores

__all__ = ["Crew", "CrewError", "Team", "cores", "keep_memory"]
