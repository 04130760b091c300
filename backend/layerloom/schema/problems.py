"""Problems: one shape for everything that can be wrong, each with a code, a place and, where one exists, a mend."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field

from layerloom.schema.base import Wire


class ProblemCode(StrEnum):
    """Stable tags. Texts per language live in the front end, in a dictionary typed by this enumeration."""

    # --- documents
    FORMAT_UNSUPPORTED = "format_unsupported"
    MAIN_MISSING = "main_missing"
    NAME_INVALID = "name_invalid"
    NAME_RESERVED = "name_reserved"
    NAME_DUPLICATE = "name_duplicate"
    NODE_DUPLICATE = "node_duplicate"
    NO_INPUT = "no_input"
    NO_OUTPUT = "no_output"
    CYCLE = "cycle"
    RECURSION = "recursion"
    TOO_DEEP = "too_deep"
    TOO_MANY_NODES = "too_many_nodes"
    TOO_LARGE = "too_large"
    OVERFLOW = "overflow"
    DISCONNECTED = "disconnected"
    UNUSED_MEMBER = "unused_member"
    OPAQUE_MEMBER = "opaque_member"
    UNKNOWN_LAYER = "unknown_layer"
    UNKNOWN_OPERATION = "unknown_operation"
    UNKNOWN_BLOCK = "unknown_block"
    UNKNOWN_MEMBER = "unknown_member"
    UNKNOWN_INITIALIZER = "unknown_initializer"
    UNKNOWN_ARGUMENT = "unknown_argument"
    UNKNOWN_PORT = "unknown_port"
    UNKNOWN_DTYPE = "unknown_dtype"
    UNKNOWN_REFERENCE = "unknown_reference"
    CONDITIONAL_RESULT = "conditional_result"
    MISSING_ARGUMENT = "missing_argument"
    MISSING_INPUT = "missing_input"
    ARGUMENT_TYPE = "argument_type"
    ARGUMENT_RANGE = "argument_range"
    ARGUMENT_INVALID = "argument_invalid"
    EXPRESSION_INVALID = "expression_invalid"
    AUTO_UNRESOLVED = "auto_unresolved"
    AUTO_AMBIGUOUS = "auto_ambiguous"
    NOT_CALLABLE = "not_callable"
    SHAPE_MISMATCH = "shape_mismatch"
    DTYPE_MISMATCH = "dtype_mismatch"
    LAYER_FAILED = "layer_failed"
    INITIALIZER_FAILED = "initializer_failed"
    BATCH_FIXED = "batch_fixed"
    BATCH_OF_ONE = "batch_of_one"
    BATCH_AS_TIME = "batch_as_time"
    IN_PLACE = "in_place"
    NOT_CONFIRMED = "not_confirmed"
    # --- advice, always a warning
    WEIGHTS_CONSTANT = "weights_constant"
    VARIANCE_EXPLODES = "variance_explodes"
    VARIANCE_VANISHES = "variance_vanishes"
    INITIALIZER_UNFIT = "initializer_unfit"
    ACTIVATION_SATURATES = "activation_saturates"
    FORGET_GATE_CLOSED = "forget_gate_closed"
    NORM_WEIGHT_ZERO = "norm_weight_zero"
    ACTIVATION_BEFORE_LOSS = "activation_before_loss"
    ACTIVATION_AT_OUTPUT = "activation_at_output"
    DROPOUT_AT_OUTPUT = "dropout_at_output"
    # --- imports
    PYTHON_DISABLED = "python_disabled"
    PYTHON_INVALID = "python_invalid"
    PYTHON_EXHAUSTED = "python_exhausted"
    PYTHON_BUSY = "python_busy"
    STATE_INCOMPLETE = "state_incomplete"
    GRADIENT_WRONG = "gradient_wrong"
    IMPORT_CLOSED = "import_closed"
    IMPORT_EXHAUSTED = "import_exhausted"
    INPUTS_UNKNOWN = "inputs_unknown"
    UNKNOWN_SOURCE = "unknown_source"
    # --- plans and data
    PLAN_INVALID = "plan_invalid"
    UNKNOWN_DATASET = "unknown_dataset"
    DATASET_UNAVAILABLE = "dataset_unavailable"
    DATASET_DAMAGED = "dataset_damaged"
    DOWNLOADS_OFF = "downloads_off"
    DATASET_MISMATCH = "dataset_mismatch"
    UNKNOWN_OPTIMIZER = "unknown_optimizer"
    UNKNOWN_SCHEDULER = "unknown_scheduler"
    UNKNOWN_LOSS = "unknown_loss"
    UNKNOWN_METRIC = "unknown_metric"
    DEVICE_UNAVAILABLE = "device_unavailable"
    UPLOAD_INVALID = "upload_invalid"
    UPLOAD_TYPE = "upload_type"
    ONE_CLASS = "one_class"
    # --- runs
    TRAINER_FAILED = "trainer_failed"
    TRAINER_LOST = "trainer_lost"
    STALLED = "stalled"
    DIVERGED = "diverged"
    OUT_OF_MEMORY = "out_of_memory"
    DISK_FULL = "disk_full"
    CHECKPOINT_MISSING = "checkpoint_missing"
    STATE_CONFLICT = "state_conflict"
    # --- files that are written
    EXPORT_FAILED = "export_failed"
    EXPORT_BUSY = "export_busy"
    PACKAGE_MISSING = "package_missing"
    WEIGHTS_MISMATCH = "weights_mismatch"
    # --- HTTP
    BAD_REQUEST = "bad_request"
    INVALID_BODY = "invalid_body"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN_ORIGIN = "forbidden_origin"
    UNKNOWN_HOST = "unknown_host"
    NOT_FOUND = "not_found"
    METHOD_NOT_ALLOWED = "method_not_allowed"
    STALE_REVISION = "stale_revision"
    PAYLOAD_TOO_LARGE = "payload_too_large"
    UNSUPPORTED_MEDIA = "unsupported_media"
    REQUEST_TIMEOUT = "request_timeout"
    FENCED = "fenced"
    STORE_BUSY = "store_busy"
    SERVICE_BUSY = "service_busy"
    INTERNAL = "internal"


class Edit(Wire):
    """One RFC 6902 operation on the document that was checked."""

    op: Literal["add", "remove", "replace"]
    path: str
    """JSON pointer."""
    value: Any = None


class Fix(Wire):
    """A mend that can be applied as one step."""

    title: str
    edits: Annotated[list[Edit], Field(min_length=1)]


class Problem(Wire):
    """Something wrong in a document or a plan, at the narrowest place that is known.

    ``block`` and ``node`` name the place on the canvas; ``member`` the member's path below that block; ``instance``
    the qualified module name of the block's instance (empty for the outermost), because one class may be right in one
    place and wrong in another; ``port`` the input or argument; ``pointer`` the JSON pointer into the document.
    """

    code: ProblemCode
    severity: Literal["error", "warning"] = "error"
    message: str
    """What is wrong and what would mend it, in English."""
    block: str | None = None
    node: str | None = None
    member: str | None = None
    instance: str | None = None
    port: str | None = None
    pointer: str | None = None
    data: dict[str, Any] = {}
    """The facts of the message, for other languages: ``expected``, ``got``, ``nearest``…"""
    fixes: list[Fix] = []


class ErrorItem(Wire):
    """One cause of a refused request."""

    path: str = ""
    code: ProblemCode
    message: str
    problem: Problem | None = None


class ErrorBody(Wire):
    """RFC 9457 problem details, ``application/problem+json``: the only shape in which the API refuses."""

    type: str = "about:blank"
    title: str
    status: int
    code: ProblemCode
    detail: str = ""
    errors: list[ErrorItem] = []
    request_id: str = ""
