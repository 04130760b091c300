"""Stored documents with revisions."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from layerloom.schema.document import Document
from layerloom.storage import Missing, StaleRevision, Store
from stores import DOCUMENT


def renamed(name: str) -> Document:
    return DOCUMENT.model_copy(update={"name": name})


def test_each_save_is_a_revision_that_can_be_read_again(store: Store) -> None:
    made = store.networks.create(DOCUMENT)
    assert (made.revision, made.name) == (1, "Line")
    saved = store.networks.save(made.id, renamed("Curve"), expected_revision=1)
    assert (saved.revision, saved.name, saved.document.name) == (2, "Curve", "Curve")
    assert store.networks.get(made.id) == saved
    assert store.networks.get(made.id, 1) == made
    assert [item.revision for item in store.networks.revisions(made.id)] == [2, 1]
    for revision in (0, -1, 3, 10**30):
        with pytest.raises(Missing):
            store.networks.get(made.id, revision)


def test_a_stale_save_is_refused_with_what_is_stored(store: Store) -> None:
    made = store.networks.create(DOCUMENT)
    theirs = store.networks.save(made.id, renamed("theirs"), expected_revision=1)
    with pytest.raises(StaleRevision) as refusal:
        store.networks.save(made.id, renamed("mine"), expected_revision=1)
    assert refusal.value.current == theirs
    assert store.networks.get(made.id) == theirs


def test_of_many_saves_on_one_revision_one_wins(store: Store) -> None:
    made = store.networks.create(DOCUMENT)

    def save(index: int) -> bool:
        try:
            store.networks.save(made.id, renamed(f"by {index}"), expected_revision=1)
        except StaleRevision:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(save, range(8))) == 1
    assert store.networks.get(made.id).revision == 2


def test_an_unchanged_save_adds_no_revision(store: Store) -> None:
    made = store.networks.create(DOCUMENT, "mine")
    assert store.networks.save(made.id, DOCUMENT, "mine", expected_revision=1) == made
    assert store.networks.save(made.id, DOCUMENT, "renamed").revision == 2


def test_the_list_shows_the_newest_save_first(store: Store) -> None:
    first, second = store.networks.create(DOCUMENT, "a\0"), store.networks.create(DOCUMENT, "b")
    store.networks.save(first.id, renamed("later"), "a")
    assert [(item.id, item.name, item.revision) for item in store.networks.page()] == [
        (first.id, "a", 2),
        (second.id, "b", 1),
    ]
    store.networks.delete(first.id)
    assert [item.id for item in store.networks.page(limit=10**30, offset=-1)] == [second.id]
    with pytest.raises(Missing):
        store.networks.get(first.id)


def test_a_revision_is_named_and_found_by_it(store: Store) -> None:
    made = store.networks.create(DOCUMENT)
    store.networks.save(made.id, renamed("Curve"), expected_revision=1)
    assert store.networks.name_revision(made.id, 1, " before the curve ").label == "before the curve"
    assert [(item.revision, item.label) for item in store.networks.revisions(made.id)] == [
        (2, ""),
        (1, "before the curve"),
    ]
    assert [item.revision for item in store.networks.revisions(made.id, labelled=True)] == [1]
    assert [item.revision for item in store.networks.revisions(made.id, limit=1, offset=1)] == [1]
    assert store.networks.name_revision(made.id, 1, "").label == ""
    assert store.networks.revisions(made.id, labelled=True) == []
    for revision in (0, 3, 10**30):
        with pytest.raises(Missing):
            store.networks.name_revision(made.id, revision, "x")
