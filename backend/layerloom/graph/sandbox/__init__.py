"""Tasks in a process of limited means: for code that is not trusted, and for trusted code on what is not.

A task is a function of ``tasks.TASKS`` that takes one JSON value and gives one. ``run`` starts a process for one call,
which sees nothing of any other; ``Warm`` keeps one that has imported its libraries and starts it again when it ends.

What is held, where Linux lets an ordinary user have namespaces (``Process.held`` says whether it does): no network of
any kind; nothing outside a temporary folder can be written; the home directory and the service's folder cannot be
seen; nothing started in it outlives it. Held everywhere, by limits of resources and by a watching process: memory,
CPU time, wall time, number of processes and size of files; the environment carries no secret; the process ends with
the service, even when that is killed. Not held where there are no namespaces (macOS, containers that forbid them): what
the service's user may read, write and reach by network, so can the task.
"""

from layerloom.graph.sandbox.process import Limits, Process, SandboxError, TaskError
from layerloom.graph.sandbox.run import HOLDS, TASKS, Warm, held, run

__all__ = ["HOLDS", "TASKS", "Limits", "Process", "SandboxError", "TaskError", "Warm", "held", "run"]
