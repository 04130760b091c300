"""What every wire type shares: frozen, closed to unknown fields, one spelling of each name."""

from __future__ import annotations

from typing import NewType

from pydantic import BaseModel, ConfigDict

RunId = NewType("RunId", str)
NodeId = NewType("NodeId", str)
BlockName = NewType("BlockName", str)
MemberPath = NewType("MemberPath", str)
"""Dotted attribute path below a block, as in a state_dict key: ``stages.0.conv``."""


class Wire(BaseModel):
    """A value that crosses a process boundary as JSON.

    Frozen: a changed value is a new value (``model_copy(update=...)``). Unknown fields are refused,
    so that a misspelt setting is an error and never silently the default.
    """

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        validate_by_name=True,
        validate_by_alias=True,
        serialize_by_alias=True,
        allow_inf_nan=False,
        ser_json_inf_nan="null",
        # An answer always holds every field, and its schema says so: readers need no defaults of their own.
        json_schema_serialization_defaults_required=True,
    )
