"""What a writer has to tell of the file that it wrote."""

from __future__ import annotations

from dataclasses import dataclass, field

from layerloom.schema.export import Agreement, Quantization


@dataclass(frozen=True)
class Written:
    """For the report."""

    verified: list[Agreement] = field(default_factory=list)
    quantization: Quantization | None = None
