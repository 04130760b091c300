"""Print the API's description: ``python -m layerloom.api.openapi > openapi.json``. Starts nothing, imports no torch."""

from __future__ import annotations

import json
import sys

from layerloom.api.application import describe, router_app

if __name__ == "__main__":
    json.dump(describe(router_app()), sys.stdout, indent=2, ensure_ascii=False, sort_keys=True)
    sys.stdout.write("\n")
