"""Every layer and operation as a network of one call, on the arguments with which torch's own tests call it.

The check tells the shapes and dtypes that torch gives, on fake tensors as on real ones; the written source gives the
same numbers, gradients, buffers and state_dict keys as the call by hand, in evaluation and in training.
All samples are tried by ``make catalogue-report``.
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice

import pytest
import torch

from catalogue import operation_samples, torch_samples
from catalogue.proof import Case, imported, proven
from catalogue.verdicts import CLOSED, OTHERWISE, REFUSED
from layerloom.catalogue import layers, operations
from layerloom.graph.errors import GraphError
from layerloom.graph.importing import ClosedError

# Torch's samples and kernels warn of much that is meant: empty tensors, beta features, complex numbers made real.
pytestmark = pytest.mark.filterwarnings("ignore")
torch.set_num_threads(1)
LAYER_SAMPLES = 2
IMPORTED = 8
"""Samples of which one must come back; the importer takes the first axis for the batch, and not all have one."""
OPERATION_SAMPLES = 3
"""Of which the first that the check accepts is proven."""


def refusals(cases: Iterable[Case], wanted: int) -> tuple[int, list[str]]:
    """Prove as many samples as wanted; how many that were, and what the check said of those that it refused."""
    proved, refused = 0, []
    for case in cases:
        try:
            proven(case)
            proved += 1
        except GraphError as error:
            refused.append(str(error))
        if proved == wanted:
            break
    return proved, refused


@pytest.mark.parametrize("name", [name for name in layers() if name not in OTHERWISE])
def test_a_layer_is_what_torch_makes_of_it(name: str) -> None:
    proved, refused = refusals(islice(torch_samples.cases(name), LAYER_SAMPLES), LAYER_SAMPLES)
    assert proved, f"no sample of {name} is accepted: {refused}"
    assert not refused


@pytest.mark.parametrize("name", layers())
def test_a_layer_comes_back_from_its_module(name: str) -> None:
    said = None
    for case in islice(torch_samples.cases(name), IMPORTED):
        try:
            imported(case)
            said = None
            break
        except (ClosedError, GraphError) as error:
            said = str(error)
    assert (said is None) != (name in CLOSED), said


def test_what_torch_makes_of_an_empty_batch_misleads_nobody() -> None:
    """PixelUnshuffle gives an empty batch back as it is, though a full one changes its shape."""
    refusals(torch_samples.cases("torch.nn.PixelUnshuffle"), 20)


@pytest.mark.parametrize("place", sorted({name.rpartition(".")[0] for name in operations()}))
def test_operations_are_what_torch_makes_of_them(place: str) -> None:
    names = [name for name in operations() if name.rpartition(".")[0] == place and name not in OTHERWISE]
    ran = 0
    for name in names:
        try:
            proved, refused = refusals(islice(operation_samples.cases(name), OPERATION_SAMPLES), 1)
        except AssertionError as error:
            pytest.fail(f"{name}: {error}")
        ran += bool(proved)
        assert bool(proved) != (name in REFUSED), f"{name}: {refused or 'no sample'}"
    print(f"\n{place}: {ran} of {len(names)} operations ran on torch's own samples")


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_is_otherwise_still_is(name: str) -> None:
    cases = torch_samples.cases(name) if name in layers() else operation_samples.cases(name)
    with pytest.raises(AssertionError, match="the check says"):
        all(proven(case) is None for case in cases)


def test_what_depends_on_numbers_is_refused_with_that_reason() -> None:
    for name in REFUSED:
        _, refused = refusals(islice(operation_samples.cases(name), 1), 1)
        assert "depends on the numbers" in refused[0] or "item()" in refused[0]
