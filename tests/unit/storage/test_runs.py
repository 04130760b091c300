"""Runs as the user sees them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from layerloom.schema.events import StateChanged
from layerloom.schema.run import RunPatch
from layerloom.storage import KeyReused, Missing, StateConflict, Store
from stores import DOCUMENT, PLAN, add_run, claimed, numbered, publish_checkpoint, running


def states(store: Store, run: str) -> list[str]:
    events = [orjson.loads(body) for body in store.log.events(run)]
    return [event["state"] for event in events if event["kind"] == "state"]


def test_a_run_comes_back_whole(store: Store) -> None:
    run = store.runs.get(add_run(store, parameters=650))
    assert (run.document, run.plan) == (DOCUMENT, PLAN)
    assert (run.name, run.model, run.dataset, run.parameters) == ("Line", "Line", "digits-flat", 650)
    assert (run.state, run.desired, run.attempt, run.last_seq, run.problem) == ("queued", "run", 0, 1, None)


def test_one_key_makes_one_run(store: Store) -> None:
    with ThreadPoolExecutor(8) as pool:
        added = list(pool.map(lambda _: store.runs.add(DOCUMENT, PLAN, key="once"), range(8)))
    assert len({item.run for item in added}) == 1
    assert sum(item.new for item in added) == 1
    assert store.runs.page().total == 1
    with pytest.raises(KeyReused):
        store.runs.add(DOCUMENT, PLAN.model_copy(update={"seed": 1}), key="once")
    assert store.runs.add(DOCUMENT, PLAN, key="twice\0" * 100).new


def test_pages_neither_overlap_nor_miss(store: Store) -> None:
    runs = [add_run(store, name=f"run {index}") for index in range(7)]
    for sort in ("created_at", "name", "state", "ended_at", "step"):
        pages = [store.runs.page(sort=sort, descending=False, limit=3, offset=offset) for offset in (0, 3, 6)]
        assert sorted(item.id for page in pages for item in page.items) == sorted(runs)
        assert {page.total for page in pages} == {7}
    assert [item.id for item in store.runs.page().items] == runs[::-1]
    assert store.runs.page(limit=-1, offset=-5).items == []
    assert store.runs.page(offset=10**30).items == []
    assert len(store.runs.page(limit=10**30).items) == 7


def test_text_finds_name_tag_model_data_set_and_id(store: Store) -> None:
    run, other = add_run(store, name="Größe 50%_x"), add_run(store, name="other")
    store.runs.patch(run, RunPatch(tags=["纸", "Sweep"]))
    for text in ("größe"[2:], "50%_", "纸", "sweep", run):
        assert [item.id for item in store.runs.page(text=text).items] == [run], text
    for text in ("line", "digits"):
        assert {item.id for item in store.runs.page(text=text).items} == {run, other}
    for text in ("50x_", "%x%", "'; --", "none\0such"):
        assert store.runs.page(text=text).total == 0, text
    store.runs.want(other, "stop")
    assert [item.id for item in store.runs.page(state="stopped").items] == [other]
    assert store.runs.counts() == {"queued": 1, "stopped": 1}


def test_names_and_tags_change_and_hold_any_text(store: Store) -> None:
    run = add_run(store)
    assert store.runs.patch(run, RunPatch()).name == "Line"
    assert store.runs.patch(run, RunPatch(name="a\0b\u202ec")).name == "ab\u202ec"
    assert store.runs.patch(run, RunPatch(tags=['"', "\0"])).tags == ['"', ""]
    assert store.runs.get(run).tags == ['"', ""]


def test_what_waits_is_settled_at_once(store: Store) -> None:
    run = add_run(store)
    assert store.runs.want(run, "pause").state == "paused"
    assert store.queue.claim(5) == []
    assert store.runs.want(run, "run").state == "queued"
    assert store.runs.want(run, "run").state == "queued"
    assert store.runs.want(run, "stop").state == "stopped"
    assert states(store, run) == ["queued", "paused", "queued", "stopped"]
    assert store.runs.want(run, "stop").ended_at is not None
    for desired in ("run", "pause"):
        with pytest.raises(StateConflict):
            store.runs.want(run, desired)


def test_a_live_run_is_settled_by_its_trainer(store: Store) -> None:
    claim = claimed(store)
    assert store.log.append(claim.run, 1, numbered(running())).desired == "run"
    row = store.runs.want(claim.run, "pause")
    assert (row.state, row.desired) == ("running", "pause")
    assert store.log.append(claim.run, 1, []).desired == "pause"
    store.log.append(claim.run, 1, numbered(StateChanged(state="paused"), first=2))
    assert store.runs.summary(claim.run).state == "paused"
    store.runs.want(claim.run, "run")
    [second] = store.queue.claim(1)
    assert second.attempt == 2
    store.runs.want(claim.run, "stop")
    for desired in ("run", "pause"):
        with pytest.raises(StateConflict):
            store.runs.want(claim.run, desired)


def test_a_wish_that_changes_while_the_trainer_pauses_is_kept(store: Store) -> None:
    claims = {"run": claimed(store), "stop": claimed(store)}
    for desired, claim in claims.items():
        store.log.append(claim.run, 1, numbered(running()))
        store.runs.want(claim.run, "pause")
        store.runs.want(claim.run, desired)
        store.log.append(claim.run, 1, numbered(StateChanged(state="paused"), first=2))
    assert store.runs.summary(claims["run"].run).state == "queued"
    assert store.runs.summary(claims["stop"].run).state == "stopped"


def test_checkpoints_last_best_and_by_step(store: Store) -> None:
    claim = claimed(store)
    run = claim.run
    with pytest.raises(Missing):
        store.runs.checkpoint(run, "last")
    events = [
        publish_checkpoint(store, run, 1, 10, best=True, monitor="validation/loss", value=0.5),
        publish_checkpoint(store, run, 1, 20, best=True, monitor="validation/loss", value=0.4),
        publish_checkpoint(store, run, 1, 30, value=None),
    ]
    store.log.append(run, 1, numbered(running(), *events))
    listed = store.runs.checkpoints(run)
    assert [(item.step, item.best, item.last, item.value) for item in listed] == [
        (30, False, True, None),
        (20, True, False, 0.4),
        (10, False, False, 0.5),
    ]
    assert store.runs.checkpoint(run, "last").folder == store.folder(run) / "checkpoints/a1-s30"
    assert store.runs.checkpoint(run, "best").step == 20
    assert store.runs.checkpoint(run, "10").step == 10
    for which in ("11", "", "../10", "a1-s10", "-10"):
        with pytest.raises(Missing):
            store.runs.checkpoint(run, which)


def test_only_checkpoints_with_files_count(store: Store) -> None:
    claim = claimed(store)
    run = claim.run
    events = [publish_checkpoint(store, run, 1, step) for step in (10, 20)]
    store.log.append(run, 1, numbered(running(), *events))
    (store.folder(run) / "checkpoints/a1-s20/manifest.json").unlink()
    assert [item.step for item in store.runs.checkpoints(run)] == [10]
    assert store.runs.checkpoint(run, "last").step == 10
    store.log.append(run, 1, numbered(publish_checkpoint(store, run, 1, 30), first=4))
    assert [item.step for item in store.runs.checkpoints(run)] == [30, 10]


def test_delete_takes_everything_and_waits_for_the_end(store: Store) -> None:
    claim = claimed(store, key="k")
    saved = publish_checkpoint(store, claim.run, 1, 10)
    store.log.append(claim.run, 1, numbered(running(), saved))
    with pytest.raises(StateConflict):
        store.runs.delete(claim.run)
    store.log.append(claim.run, 1, numbered(StateChanged(state="stopped"), first=3))
    store.runs.delete(claim.run)
    assert not store.folder(claim.run).exists()
    assert store.log.attempt_of(claim.run, claim.token) is None
    with pytest.raises(Missing):
        store.log.events(claim.run)
    assert store.runs.add(DOCUMENT, PLAN, key="k").new
