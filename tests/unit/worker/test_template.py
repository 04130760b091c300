"""The template alone; with trainers it is tested in ``integration/test_trainer_process.py``."""

from __future__ import annotations

import subprocess

from trainers import COMMAND, ENVIRONMENT
from unit.worker.service import HANG_GUARD_S


def test_left_alone_while_it_warms_up_it_ends() -> None:
    # The other end of its stdin is closed from the start, as after a kill of the server.
    ended = subprocess.run(
        COMMAND, input=b"", stdout=subprocess.PIPE, env=ENVIRONMENT, timeout=HANG_GUARD_S, check=False
    )
    assert (ended.returncode, ended.stdout) == (0, b""), "it never said that it was ready"
