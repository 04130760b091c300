"""Wishes that trainers obey while they train: told until they are fulfilled, and known to whoever comes next."""

from __future__ import annotations

import pytest

from layerloom.schema.events import Adjusted, StateChanged
from layerloom.schema.orders import Adjustment
from layerloom.schema.run import RunPatch
from layerloom.storage import Claim, StateConflict, Store
from stores import add_run, claimed, numbered, progress, publish_checkpoint, running


def begun(store: Store) -> Claim:
    """A run whose trainer has said so."""
    claim = claimed(store)
    store.log.append(claim.run, claim.attempt, numbered(running(), progress(5)))
    return claim


def test_a_wish_for_a_checkpoint_is_told_until_it_is_there(store: Store) -> None:
    claim = begun(store)
    assert store.log.append(claim.run, 1, []).orders.checkpoint == 0
    store.runs.ask(claim.run)
    store.runs.ask(claim.run)  # not twice
    assert store.log.append(claim.run, 1, []).orders.checkpoint == 1
    due = publish_checkpoint(store, claim.run, 1, 6)
    assert store.log.append(claim.run, 1, numbered(due, first=3)).orders.checkpoint == 1, "it was due anyway"
    answer = publish_checkpoint(store, claim.run, 1, 7, answers=1, weights="ema")
    assert store.log.append(claim.run, 1, numbered(answer, first=4)).orders.checkpoint == 0
    assert store.runs.checkpoints(claim.run)[0].weights == "ema"
    store.runs.ask(claim.run)
    store.queue.lost(claim.run, 1, "was killed", crash=False)
    [again] = store.queue.claim(1)
    assert again.orders.checkpoint == 2, "whoever comes next is told, too"


def test_nothing_is_saved_of_a_run_that_is_not_trained(store: Store) -> None:
    with pytest.raises(StateConflict, match="nothing is learned yet"):
        store.runs.ask(add_run(store))
    claim = begun(store)
    store.log.append(claim.run, 1, numbered(StateChanged(state="succeeded"), first=3))
    with pytest.raises(StateConflict, match="last checkpoint already"):
        store.runs.ask(claim.run)


def test_a_change_is_a_level_and_what_took_effect_is_kept(store: Store) -> None:
    claim = begun(store)
    store.runs.patch(claim.run, RunPatch(learning_rate=0.1))
    store.runs.patch(claim.run, RunPatch(learning_rate=0.1))
    store.runs.patch(claim.run, RunPatch(groups={"head.*": 0.2}))
    wanted = store.log.append(claim.run, 1, []).orders.adjustment
    assert wanted == Adjustment(number=2, learning_rate=0.1, groups={"head.*": 0.2})
    event = Adjusted(step=5, epoch=0, adjustment=wanted)
    store.log.append(claim.run, 1, numbered(event, first=3))
    assert store.runs.get(claim.run).adjustment == wanted
    assert [(one.step, one.adjustment) for one in store.runs.get(claim.run).adjusted] == [(5, wanted)]
    store.queue.lost(claim.run, 1, "was killed", crash=False)
    [again] = store.queue.claim(1)
    assert (again.orders.adjustment, [one.step for one in again.adjusted]) == (wanted, [5])


def test_a_finished_run_goes_on_when_it_is_longer(store: Store) -> None:
    claim = begun(store)
    end = [publish_checkpoint(store, claim.run, 1, 5), StateChanged(state="succeeded")]
    store.log.append(claim.run, 1, numbered(*end, first=3))
    with pytest.raises(StateConflict, match="more epochs or steps"):
        store.runs.patch(claim.run, RunPatch(learning_rate=0.1))
    with pytest.raises(StateConflict, match="done 1 epochs already"):
        store.runs.patch(claim.run, RunPatch(epochs=1))
    assert store.runs.patch(claim.run, RunPatch(epochs=3)).state == "queued"
    [again] = store.queue.claim(1)
    assert (again.attempt, again.resume, again.orders.adjustment.epochs) == (2, "checkpoints/a1-s5", 3)


def test_a_patch_is_one_transaction(store: Store) -> None:
    """Whoever hears that the run is longer reads its new name, too; and where one is refused, neither is changed."""
    claim = begun(store)
    end = [publish_checkpoint(store, claim.run, 1, 5), StateChanged(state="succeeded")]
    store.log.append(claim.run, 1, numbered(*end, first=3))
    before = store.runs.get(claim.run)
    with pytest.raises(StateConflict, match="done 1 epochs already"):
        store.runs.patch(claim.run, RunPatch(name="Other", tags=["a"], epochs=1))
    assert store.runs.get(claim.run) == before
    heard: list[tuple[str, list[str], str]] = []

    def hear(run: str, _first: int, _bodies: list[bytes]) -> None:
        seen = store.runs.summary(run)
        heard.append((seen.name, seen.tags, seen.state))

    stop = store.log.listen(hear)
    try:
        store.runs.patch(claim.run, RunPatch(name="Other", tags=["a"], epochs=3))
    finally:
        stop()
    assert heard == [("Other", ["a"], "queued")]
    assert store.runs.get(claim.run).adjustment.epochs == 3


def test_a_trainer_that_ends_before_it_hears_goes_on(store: Store) -> None:
    claim = begun(store)
    store.runs.patch(claim.run, RunPatch(epochs=9))
    store.log.append(claim.run, 1, numbered(StateChanged(state="succeeded"), first=3))
    assert store.runs.summary(claim.run).state == "queued"


@pytest.mark.parametrize("end", ["stopped", "failed"])
def test_what_has_ended_otherwise_is_forked_instead(store: Store, end: str) -> None:
    claim = begun(store)
    store.log.append(claim.run, 1, numbered(StateChanged.model_validate({"state": end}), first=3))
    with pytest.raises(StateConflict, match="Fork it"):
        store.runs.patch(claim.run, RunPatch(epochs=9))
