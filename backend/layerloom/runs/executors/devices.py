"""What there is to train on, found without importing torch, which would take seconds and touch the GPUs."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
from dataclasses import dataclass

import psutil

from layerloom.runs.executors.port import Need

_QUERY = ["--query-gpu=index,uuid,name,memory.total", "--format=csv,noheader,nounits"]


@dataclass(frozen=True, slots=True)
class Place:
    """A device and how many trainers it takes at once."""

    id: str
    """As in a plan: ``cpu``, ``mps``, ``cuda:0``."""
    name: str
    slots: int
    memory: int | None = None
    """Bytes."""
    visible: str = ""
    """What ``CUDA_VISIBLE_DEVICES`` is set to, so that a trainer sees this GPU alone."""


def cores() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def find_places(cpu_slots: int | None = None) -> list[Place]:
    """GPUs first, in the order in which torch numbers them; the CPU last."""
    places = [*_cuda(), *_mps()]
    slots = cpu_slots or max(1, cores() // 2)
    places.append(Place("cpu", _cpu_name(), slots, psutil.virtual_memory().total))
    return places


def choose(places: list[Place], busy: dict[str, int], need: Need) -> list[Place]:
    """Where a run would start now; empty when it has to wait. ``busy`` counts trainers by device.

    Of accelerators it gets as many as it needs, each for itself; several processes on the CPU share its threads, and
    take one slot. A device that the machine does not have is no reason to wait for ever: the run starts on the CPU, and
    the trainer says what is missing.
    """
    kind, _, index = need.device.partition(":")
    if kind == "auto":
        kind = places[0].id.partition(":")[0]
    fitting = [place for place in places if place.id == need.device or (not index and _kind(place) == kind)]
    if len(fitting) < need.devices and kind != "cpu":
        fitting = []
    candidates = fitting or [place for place in places if place.id == "cpu"]
    count = need.devices if candidates[0].id != "cpu" else 1
    free = [place for place in candidates if busy.get(place.id, 0) < place.slots]
    return free[:count] if len(free) >= count else []


def _kind(place: Place) -> str:
    return place.id.partition(":")[0]


def _cuda() -> list[Place]:
    program = shutil.which("nvidia-smi")
    if program is None:
        return []
    try:
        answer = subprocess.run(  # noqa: S603  (found on PATH, arguments are fixed)
            [program, *_QUERY], capture_output=True, text=True, timeout=20, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return []
    return parse_gpus(answer.stdout, os.environ.get("CUDA_VISIBLE_DEVICES"))


def parse_gpus(listing: str, visible: str | None) -> list[Place]:
    """``nvidia-smi``'s lines ``index, uuid, name, MiB`` as torch numbers them: only the visible ones, in that order."""
    rows = [[field.strip() for field in line.split(",")] for line in listing.splitlines() if line.count(",") >= 3]
    if visible is None:
        chosen = rows
    else:
        chosen = []
        for token in (part.strip() for part in visible.split(",")):
            found = [row for row in rows if token and (row[0] == token or row[1].startswith(token))]
            if not found:
                break  # as CUDA does: what comes after an invalid entry is invisible
            chosen.append(found[0])
    return [
        Place(f"cuda:{number}", row[2], 1, int(row[3]) * 2**20 if row[3].isdigit() else None, row[1])
        for number, row in enumerate(chosen)
    ]


def _mps() -> list[Place]:
    if platform.system() != "Darwin" or platform.machine() != "arm64":
        return []
    return [Place("mps", "Apple GPU", 1, psutil.virtual_memory().total)]


def _cpu_name() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:  # noqa: PTH123  (a kernel file, read line by line)
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()
