"""Bulky events go when they are too many or too old, and leave a note; curves stay."""

from __future__ import annotations

import orjson
import pytest

from layerloom.schema.events import Activations, Histogram, Histograms, Log, StateChanged
from layerloom.storage import Keep, Store
from layerloom.storage.retention import Detail, surplus
from stores import add_run, loss, running


def histograms(step: int) -> Histograms:
    return Histograms(step=step, items=[Histogram(name="w", of="weight", edges=[0.0, 1.0], counts=[float(step)])])


def activations(step: int) -> Activations:
    return Activations(step=step, names=["fc"], mean=[0.0], std=[1.0], zeros=[0.0], units=[4], dead=[0])


def filled(store: Store, state: str) -> str:
    run = add_run(store)
    store.log.say(run, running())
    for step in range(1, 41):
        store.log.say(run, loss(step), histograms(step), activations(step), Log(message=f"line {step}"))
    store.log.say(run, StateChanged(state=state))  # type: ignore[arg-type]
    return run


def kinds(store: Store, run: str) -> dict[str, int]:
    found = [orjson.loads(body) for body in store.log.events(run)]
    assert [event["seq"] for event in found] == list(range(1, len(found) + 1))
    names = [event["kind"] + "/" + event["of"] if event["kind"] == "thinned" else event["kind"] for event in found]
    return {name: names.count(name) for name in names}


def test_details_of_old_runs_go_and_the_rest_stays(store: Store) -> None:
    old, live = filled(store, "succeeded"), filled(store, "paused")
    curves = store.series.read(old)
    assert store.retention.thin(Keep(days=1)) == 0
    assert store.retention.thin(Keep()) == 0
    assert store.retention.thin(Keep(days=0)) == 120
    bulky = ("histograms", "activations", "log")
    assert kinds(store, old) == {"state": 3, "metrics": 40, **{f"thinned/{kind}": 40 for kind in bulky}}
    assert kinds(store, live) == {"state": 3, "metrics": 40, **dict.fromkeys(bulky, 40)}
    assert store.retention.thin(Keep(days=0)) == 0
    assert store.series.read(old).items[0].means.tolist() == curves.items[0].means.tolist()
    assert len(store.log.outline(old, 0, 10**6)) == 123


def test_large_runs_are_thinned_where_they_are_oldest(store: Store) -> None:
    run = filled(store, "paused")
    bulky = ("histograms", "activations", "log")
    size = sum(len(body) for body in store.log.events(run) if orjson.loads(body)["kind"] in bulky)
    assert store.retention.thin(Keep(most_bytes=size)) == 0
    gone = store.retention.thin(Keep(most_bytes=size - 1))
    left = kinds(store, run)
    assert gone == sum(left[f"thinned/{kind}"] for kind in bulky) == 120 - sum(left[kind] for kind in bulky)
    kept = [orjson.loads(body)["step"] for body in store.log.events(run) if b'"kind":"histograms"' in body]
    assert kept[-10:] == list(range(31, 41))
    assert store.retention.thin(Keep(most_bytes=size - 1)) == 0


@pytest.mark.parametrize(
    ("sizes", "most", "gone"), [([5] * 8, 40, []), ([5] * 8, 30, [0, 2]), ([9], 3, [0]), ([], 0, [])]
)
def test_what_is_too_much(sizes: list[int], most: int, gone: list[int]) -> None:
    assert surplus([Detail(seq, "log", size) for seq, size in enumerate(sizes)], most) == gone
