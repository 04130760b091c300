"""From a table to tensors, in two passes: what its columns are, then what its rows hold.

Neither the table nor a tensor is ever in memory as a whole.
"""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from layerloom.data.cells import MAX_NAME, OK, Numbers, Source, numbers
from layerloom.data.columns import (
    REASONS,
    CategoryColumn,
    ClassColumn,
    Encoded,
    Encoder,
    IdColumn,
    NumberColumn,
    QuantityColumn,
    TextColumn,
)
from layerloom.data.guessing import Guess, guess, kinds, text_reading
from layerloom.data.lexicon import Lexicon
from layerloom.data.parse import SAME_LABEL, Block, Parsed, Values, refuse, require_room, too_large
from layerloom.data.profile import Histogram, Profile
from layerloom.data.scratch import Rows
from layerloom.schema.datasets import (
    Column,
    ColumnFacts,
    DatasetDetails,
    InputFacts,
    Reading,
    RowProblem,
)

MAX_COLUMNS = 10_000
ROWS_TOLD = 20
FEATURES_TOLD = 1_000
_NONE = np.zeros(0)


@dataclass
class _Plan:
    """Encoders by the tensor that they make a part of, and the place of each one's column."""

    features: list[tuple[int, Encoder]] = field(default_factory=list)
    ids: list[tuple[int, IdColumn]] = field(default_factory=list)
    text: list[tuple[int, Encoder]] = field(default_factory=list)
    targets: list[tuple[int, Encoder]] = field(default_factory=list)

    @property
    def groups(self) -> dict[str, list[tuple[int, Encoder]]]:
        """By the name of the input."""
        named: dict[str, list[tuple[int, Encoder]]] = {"x": self.features, "ids": [*self.ids], "text": self.text}
        return {name: group for name, group in named.items() if group}


def check_names(names: list[str], where: str) -> None:
    """Hold the names of a table's columns.

    Raises:
        DataError: they are too many, too long, or one stands twice.
    """
    if len(names) > MAX_COLUMNS:
        raise too_large(f"The table has {len(names):,} columns; at most {MAX_COLUMNS:,} are read.", columns=len(names))
    if any(len(name) > MAX_NAME for name in names):
        raise refuse(f"{where} names a column with more than {MAX_NAME} characters.")
    repeated = sorted(repr(name) for name, count in Counter(names).items() if count > 1)
    if repeated:
        raise refuse(f"{where} names {', '.join(repeated[:5])} more than once.")
    if len(names) < 2:
        raise refuse("A table needs at least one feature column beside the target.")


def parse_table(source: Source, file: Path, scratch: Path, reading: Reading | None) -> Parsed:
    """Read a table by a ``reading``, or as its columns look.

    Raises:
        DataError: with the column at fault, or what nearly every row lacks.
    """
    profiles = [Profile() for _ in source.names]
    for batch in source.batches():
        for profile, cells in zip(profiles, batch, strict=True):
            profile.add(cells)
    rows = max(profile.cells for profile in profiles)
    if rows == 0:
        raise refuse("The file has a header and no rows.")
    guesses = _chosen(guess(source.names, profiles, source.nested, source.days), profiles, reading, source.nested)
    columns = [item.column for item in guesses]
    fills = reading is not None and reading.missing == "mean"
    lexicon = _lexicon(columns, profiles, reading)
    plan = _planned(columns, profiles, lexicon, fills=fills)
    groups = {**plan.groups, "targets": plan.targets}
    widths = {name: sum(encoder.width for _, encoder in group) for name, group in groups.items()}
    require_room([Values("float32" if name == "x" else "int64", (rows, w), _none) for name, w in widths.items()], file)

    classes = next((one.classes for _, one in plan.targets if isinstance(one, ClassColumn)), [])
    dtypes = {"x": "float32", "ids": "int64", "text": "int32", "targets": "int64" if classes else "float32"}
    count = _Count([Histogram(profile.figures) for profile in profiles])
    with ExitStack() as stack:
        made = {
            name: stack.enter_context(Rows(scratch.with_name(f"{scratch.name}-{name}"), dtypes[name], widths[name]))
            for name in groups
        }
        for batch in source.batches():
            found = [
                numbers(cells) if profile.numeric else Numbers(_NONE, _NONE)
                for cells, profile in zip(batch, profiles, strict=True)
            ]
            count.see(found)
            encoded = {
                name: [(one, one.encode(batch[at], found[at])) for at, one in group] for name, group in groups.items()
            }
            kept = count.keep([pair for group in encoded.values() for pair in group], len(max(batch, key=len)))
            for name, group in encoded.items():
                made[name].append(np.concatenate([item.block for _, item in group], axis=1)[kept])
    if made["targets"].count == 0:
        raise refuse(f"No row can be used: {count.told()}. Ignore that column, or read it as another kind.")
    return _parsed(made, plan, classes, lexicon, count, _Read(guesses, profiles, source, rows, fills))


def _none():  # type: ignore[no-untyped-def]  # sizes are held before there are values
    return iter(())


def _chosen(
    guesses: list[Guess], profiles: list[Profile], reading: Reading | None, nested: frozenset[int]
) -> list[Guess]:
    """The guesses with their owner's word in place of them.

    Raises:
        DataError: a column that is not there, or cannot be read so.
    """
    wanted = {column.name: column for column in reading.columns} if reading is not None else {}
    found = []
    for place, item in enumerate(guesses):
        column = wanted.pop(item.column.name, item.column)
        possible = [] if place in nested else kinds(profiles[place])
        # What has too many values is told so by its encoder.
        if column.role != "ignored" and column.kind not in [*possible, *(["category"] if possible else [])]:
            can = f"It can be {' or '.join(possible)}." if possible else "Save its parts as columns of their own."
            raise refuse(f"Column {column.name!r} cannot be read as {column.kind}. {can}", column=column.name)
        found.append(Guess(column, item.note))
    if wanted:
        raise refuse(f"The table has no column {next(iter(wanted))!r}.", column=next(iter(wanted)))
    return found


def _lexicon(columns: list[Column], profiles: list[Profile], reading: Reading | None) -> Lexicon | None:
    texts = [place for place, column in enumerate(columns) if column.kind == "text" and column.role == "feature"]
    if len(texts) > 1:
        names = " and ".join(repr(columns[place].name) for place in texts[:2])
        raise refuse(f"One column of text can be read, and {names} are chosen. Ignore one of them.")
    if not texts:
        return None
    return Lexicon((reading and reading.text) or text_reading(profiles[texts[0]]))


def _planned(columns: list[Column], profiles: list[Profile], lexicon: Lexicon | None, *, fills: bool) -> _Plan:
    plan = _Plan()
    for place, (column, profile) in enumerate(zip(columns, profiles, strict=True)):
        match column.role, column.kind:
            case "feature", "number":
                plan.features.append((place, NumberColumn(column.name, fills=fills)))
            case "feature", "category":
                plan.features.append((place, CategoryColumn(column.name, profile, fills=fills)))
            case "feature", "id":
                plan.ids.append((place, IdColumn(column.name)))
            case "feature", "text" if lexicon is not None:
                plan.text.append((place, TextColumn(column.name, lexicon)))
            case "target", "number":
                plan.targets.append((place, QuantityColumn(column.name)))
            case "target", "category":
                plan.targets.append((place, ClassColumn(column.name, profile)))
            case "target", kind:
                raise refuse(
                    f"A target is a number or a category, and column {column.name!r} is read as {kind}.",
                    column=column.name,
                )
    if not plan.targets:
        raise refuse("No column is the target. Choose what is to be predicted.")
    if not plan.groups:
        raise refuse("No column is a feature. Choose what to predict the target from.")
    if len(plan.targets) > 1 and any(isinstance(one, ClassColumn) for _, one in plan.targets):
        raise refuse("Several targets have to be numbers, all of them. Leave one category, or read them as numbers.")
    return plan


class _Count:
    """Which rows stay, and why others do not."""

    def __init__(self, histograms: list[Histogram]) -> None:
        self.histograms = histograms
        self.seen = 0
        self.dropped = 0
        self._found: dict[tuple[str, int, bool], tuple[int, list[int]]] = {}

    def see(self, found: list[Numbers]) -> None:
        """Numbers of every column, for its histogram."""
        for histogram, one in zip(self.histograms, found, strict=True):
            histogram.add(one.values[one.states == OK])

    def keep(self, encoded: list[tuple[Encoder, Encoded]], count: int) -> Block:
        """Which of the next ``count`` rows stay."""
        kept = np.ones(count, bool)
        for encoder, item in encoded:
            for reason in np.unique(item.bad[item.bad > 0]).tolist():
                places = np.flatnonzero(item.bad == reason)
                number, rows = self._found.get((encoder.name, reason, encoder.fills), (0, []))
                rows += (self.seen + 1 + places[: ROWS_TOLD - len(rows)]).tolist()
                self._found[encoder.name, reason, encoder.fills] = (number + len(places), rows)
            if not encoder.fills:
                kept &= item.bad == 0
        self.seen += count
        self.dropped += int(count - kept.sum())
        return kept

    def problems(self) -> list[RowProblem]:
        """The most frequent first."""
        found = [
            RowProblem(
                column=name,
                reason=REASONS[reason - 1],
                treated="filled" if filled else "dropped",
                count=count,
                rows=rows,
            )
            for (name, reason, filled), (count, rows) in self._found.items()
        ]
        return sorted(found, key=lambda problem: -problem.count)

    def told(self) -> str:
        """What nearly every row lacks."""
        worst = self.problems()[0]
        return f"column {worst.column!r} has {worst.count:,} rows of which it is said: {worst.reason.replace('_', ' ')}"


@dataclass(frozen=True)
class _Read:
    guesses: list[Guess]
    profiles: list[Profile]
    source: Source
    rows: int
    fills: bool

    def facts(self, place: int, histogram: Histogram) -> ColumnFacts:
        """What is known of a column."""
        item, profile = self.guesses[place], self.profiles[place]
        numeric = profile.numeric > 0
        figures = profile.figures
        return ColumnFacts(
            **item.column.model_dump(),
            stored=self.source.stored[place],
            kinds=[] if place in self.source.nested else kinds(profile),
            note=item.note,
            missing=profile.absent if profile.is_number else profile.empty,
            distinct=profile.distinct,
            minimum=figures.minimum if numeric else None,
            maximum=figures.maximum if numeric else None,
            mean=figures.mean if numeric else None,
            deviation=figures.deviation if numeric else None,
            histogram=histogram.list() if numeric else [],
            common={} if profile.is_number and item.column.kind != "category" else profile.common,
        )


def _parsed(
    made: dict[str, Rows], plan: _Plan, classes: list[str], lexicon: Lexicon | None, count: _Count, read: _Read
) -> Parsed:
    samples = made["targets"].count
    alone = len(plan.groups) == 1
    inputs = {"x" if alone else name: made[name].values("float32" if name == "x" else "int64") for name in plan.groups}
    ids = {
        "ids": 1 + max((one.largest for _, one in plan.ids), default=0),
        "text": lexicon.vocabulary if lexicon else None,
    }
    facts = {
        "x" if alone else name: InputFacts(
            shape=list(inputs["x" if alone else name].shape[1:]),
            dtype=inputs["x" if alone else name].dtype,
            ids=ids.get(name),
            features=[feature for _, one in plan.groups[name] for feature in one.features][:FEATURES_TOLD],
        )
        for name in plan.groups
    }
    details = DatasetDetails(
        reading=Reading(
            columns=[item.column for item in read.guesses],
            missing="mean" if read.fills else "drop",
            text=lexicon.reading if lexicon else None,
        ),
        columns=[read.facts(place, histogram) for place, histogram in enumerate(count.histograms)],
        rows=read.rows,
        dropped=count.dropped,
        problems=count.problems(),
        inputs=facts,
    )
    names = ", ".join(repr(one.name) for _, one in plan.targets[:3])
    width = sum(values.shape[1] for values in inputs.values())
    what = f"{width} features" if not lexicon else f"texts of {lexicon.reading.length} tokens"
    kind = "classes" if classes else "numbers"
    left = f" {count.dropped:,} rows are left out." if count.dropped else ""
    return Parsed(
        inputs=inputs,
        targets=made["targets"].values("int64", ()) if classes else made["targets"].values("float32"),
        task="classification" if classes else "regression",
        classes=classes,
        summary=f"{samples:,} rows, {what}; predicts {kind} in column {names}.{left}"
        + SAME_LABEL * (len(classes) == 1),
        category="texts" if plan.text else "tables",
        details=details,
        lexicon=lexicon.tokens if lexicon else [],
        vocabulary=lexicon.vocabulary if lexicon else 0,
    )
