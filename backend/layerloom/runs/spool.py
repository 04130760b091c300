"""The rest of a trainer's spool, imported when the trainer has ended before it could deliver everything."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from pydantic import ValidationError

from layerloom.schema.worker import Numbered
from layerloom.storage import EventRefused, Fenced, Store

_CHUNK = 500
_log = logging.getLogger(__name__)


def import_rest(store: Store, run: str, attempt: int, spool: Path, received: int) -> None:
    """Append the events after number ``received``; what is stored by now is passed over by the store."""
    with_numbers = (item for item in _lines(spool) if item.number > received)
    while chunk := list(islice(with_numbers, _CHUNK)):
        try:
            store.log.append(run, attempt, chunk)
        except Fenced:
            return
        except EventRefused:
            _log.exception("the spool %s holds an event that cannot be stored", spool)
            return


def size(spool: Path) -> int:
    """Bytes written so far: it grows while the trainer gets on, whether it can deliver or not."""
    try:
        return spool.stat().st_size
    except OSError:
        return 0


def _lines(spool: Path) -> Iterator[Numbered]:
    try:
        with spool.open("rb") as file:
            for line in file:
                yield Numbered.model_validate_json(line)
    except FileNotFoundError:
        return
    except ValidationError:
        return  # the last line, cut short by a crash: nothing follows it
