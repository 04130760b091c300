"""``python -m layerloom.data.importer``: reads one uploaded file in a process of its own.

Whatever a hostile file makes a parser do, it does it here: with bounded memory and time, without torch, without a
secret in the environment. Arguments are those of ``command``. It writes the data set into the folder that it is given,
and one JSON object to stdout: ``{}``, or ``{"problem": …}`` when the file is refused.
"""

from __future__ import annotations

import errno
import json
import os
import resource
import sys
import threading
import traceback
from contextlib import suppress
from pathlib import Path

from layerloom.data.dataset import DataError
from layerloom.data.parse import Parsed, Parser, refuse, too_large
from layerloom.data.parse_csv import parse_csv
from layerloom.data.parse_npz import parse_npz
from layerloom.data.tensor_file import write_tensors
from layerloom.schema.catalogue import DatasetEntry
from layerloom.schema.problems import Problem, ProblemCode

PARSERS: dict[str, Parser] = {".csv": parse_csv, ".tsv": parse_csv, ".npz": parse_npz}
"""By file suffix; to add a format, write a parser that gives ``Parsed`` and name it here."""
TENSORS, META = "data.safetensors", "meta.json"
TOO_MUCH = "Reading the file takes more memory or time than one upload may. Split it, or send .npz in place of .csv."


def command(file: Path, suffix: str, name: str, folder: Path, memory: int, seconds: int) -> list[str]:
    """The arguments that read ``file`` into ``folder``, with at most so many bytes of memory and seconds of CPU."""
    given = (file, suffix, name, folder, memory, seconds)
    return [sys.executable, "-P", "-m", "layerloom.data.importer", *map(str, given)]


def read_into(folder: Path, name: str, suffix: str, file: Path) -> None:
    """Parse a file and write it as the data set ``name`` into a folder of its own, synced.

    Raises:
        DataError: the content is bad; the folder may hold a part of it.
    """
    scratch = folder.with_name(f"{folder.name}-scratch")
    folder.mkdir()
    parsed = PARSERS[suffix](file, scratch)
    tensors = {f"inputs.{key}": values for key, values in parsed.inputs.items()}
    write_tensors(folder / TENSORS, {**tensors, "targets": parsed.targets})
    with (folder / META).open("w", encoding="utf-8") as out:
        out.write(_entry(name, parsed).model_dump_json())
        out.flush()
        os.fsync(out.fileno())
    scratch.unlink(missing_ok=True)
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def main(arguments: list[str]) -> int:
    """Read and report."""
    file, suffix, name, folder, memory, seconds = arguments
    threading.Thread(target=_end_with_parent, daemon=True).start()
    _bound(int(memory), int(seconds))
    problem = _attempt(Path(folder), name, suffix, Path(file))
    print(json.dumps({"problem": problem.model_dump(mode="json")} if problem else {}))
    return 0


def _attempt(folder: Path, name: str, suffix: str, file: Path) -> Problem | None:
    try:
        read_into(folder, name, suffix, file)
    except DataError as error:
        return error.problem
    except MemoryError:
        return too_large(TOO_MUCH).problem
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            return DataError(ProblemCode.DISK_FULL, "The disk is full; nothing was saved.").problem
        return _unforeseen()
    except Exception:
        return _unforeseen()
    return None


def _unforeseen() -> Problem:
    """A parser stumbled over something that it should have refused. The service logs what is printed here."""
    traceback.print_exc()
    return refuse("The file cannot be read.").problem


def _entry(name: str, parsed: Parsed) -> DatasetEntry:
    first = next(iter(parsed.inputs.values()))
    return DatasetEntry(
        name=name,
        label=name,
        category="tables" if len(first.shape) == 2 and first.dtype == "float32" else "arrays",
        summary=parsed.summary,
        tasks=[parsed.task],
        task=parsed.task,
        shape=list(first.shape[1:]),
        dtype=first.dtype,
        target_shape=list(parsed.targets.shape[1:]),
        target_dtype=parsed.targets.dtype,
        classes=parsed.classes,
        samples=parsed.targets.shape[0],
        uploaded=True,
    )


def _bound(memory: int, seconds: int) -> None:
    _limit(resource.RLIMIT_AS, memory)
    _limit(resource.RLIMIT_CPU, seconds)
    _limit(resource.RLIMIT_CORE, 0)
    # Others' requests come first, and should the machine's memory run out, this process goes first.
    os.nice(5)
    with suppress(OSError):
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")


def _limit(kind: int, most: int) -> None:
    hard = resource.getrlimit(kind)[1]
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    # Not every system has every limit; the clock of the process that started this one holds everywhere.
    with suppress(ValueError, OSError):
        resource.setrlimit(kind, (most, most))


def _end_with_parent() -> None:
    """Stdin ends when the service does, even when it is killed."""
    # Not through sys.stdin, whose lock this thread would still hold when the interpreter ends.
    os.read(0, 1)
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
