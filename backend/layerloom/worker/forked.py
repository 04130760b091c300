"""How a forked child ends: by the code of what it did, without the exit handlers of the process it was forked from."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from typing import NoReturn


def end_with(action: Callable[[], int]) -> NoReturn:
    """Do it and exit with the code that it gives; with 1, and a traceback on stderr, when it raises."""
    code = 1
    try:
        code = action()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
