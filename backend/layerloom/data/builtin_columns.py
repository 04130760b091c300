"""What the columns of the tables that come with LayerLoom hold, as it is told of an upload."""

from __future__ import annotations

import numpy as np

from layerloom.data.builtin import Source
from layerloom.data.parse import Block
from layerloom.data.profile import Histogram, Profile
from layerloom.schema.datasets import ColumnFacts, ColumnKind, ColumnRole, DatasetDetails, InputFacts, Reading


def told(source: Source) -> DatasetDetails:
    """A line per column, the target last; nothing of what is no table."""
    if source.columns is None:
        return DatasetDetails(reading=Reading(), editable=False)
    inputs, targets = source.make()
    *features, target = source.columns()
    cells = inputs.double().numpy()
    columns = [_facts(name, "number", "feature", cells[:, place]) for place, name in enumerate(features)]
    if source.entry.task == "classification":
        columns.append(_classes(target, source.entry.classes, targets.numpy()))
    else:
        columns.append(_facts(target, "number", "target", targets.double().numpy()[:, 0]))
    facts = InputFacts(shape=source.entry.shape, dtype=source.entry.dtype, features=features)
    return DatasetDetails(
        reading=Reading(), columns=columns, rows=source.entry.samples, inputs={"x": facts}, editable=False
    )


def _facts(name: str, kind: ColumnKind, role: ColumnRole, cells: Block) -> ColumnFacts:
    profile = Profile()
    profile.add(cells)
    figures = profile.figures
    histogram = Histogram(figures)
    histogram.add(cells)
    return ColumnFacts(
        name=name,
        kind=kind,
        role=role,
        stored="float32",
        kinds=[kind],
        distinct=profile.distinct,
        minimum=figures.minimum,
        maximum=figures.maximum,
        mean=figures.mean,
        deviation=figures.deviation,
        histogram=histogram.list(),
    )


def _classes(name: str, classes: list[str], labels: Block) -> ColumnFacts:
    counts = np.bincount(labels, minlength=len(classes)).tolist()
    common = dict(sorted(zip(classes, counts, strict=True), key=lambda pair: -pair[1]))
    return ColumnFacts(
        name=name,
        kind="category",
        role="target",
        stored="int64",
        kinds=["category"],
        distinct=len(classes),
        common=common,
    )
