"""What a trainer is told by its environment: an allow-list, so that no secret of the service reaches it."""

from __future__ import annotations

import os
import re

_ALLOWED = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_\w+|TZ|TMPDIR|VIRTUAL_ENV|PYTHONPATH|PYTHONHASHSEED|LD_LIBRARY_PATH"
    r"|DYLD_LIBRARY_PATH|SYSTEMROOT|SSL_CERT_FILE|SSL_CERT_DIR|XDG_CACHE_HOME|TORCH_HOME|CUDA_HOME|CUDA_PATH"
    r"|CUDA_VISIBLE_DEVICES|NVIDIA_\w+|PYTORCH_\w+|TORCHINDUCTOR_\w+"
)


def allowed() -> dict[str, str]:
    """Those variables of this process that a trainer may see."""
    return {name: value for name, value in os.environ.items() if _ALLOWED.fullmatch(name)}


def trainer_environment(visible: str | None, threads: int) -> dict[str, str]:
    """For one trainer. ``visible`` are the GPUs it may see, none when empty, and the service's own when None."""
    environment = {
        **allowed(),
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        # Threads that spin while they wait slow training many times over beside one busy neighbour.
        "OMP_WAIT_POLICY": "PASSIVE",
        "OMP_NUM_THREADS": str(threads),
        "PYTHONUNBUFFERED": "1",
    }
    return environment if visible is None else {**environment, "CUDA_VISIBLE_DEVICES": visible}
