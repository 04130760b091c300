"""``python -m layerloom.worker JOB.json``: train one job."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def main() -> int:
    """Train the job that the command line names."""
    if len(sys.argv) != 2:
        print("usage: python -m layerloom.worker JOB.json", file=sys.stderr)
        return 2
    # Spinning threads beside a busy neighbour make training many times slower; read when torch is loaded.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    from layerloom.worker.job import run

    return run(Path(sys.argv[1]))


if __name__ == "__main__":
    sys.exit(main())
