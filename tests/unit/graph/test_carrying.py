"""Which weights a changed network takes over, told by key."""

from __future__ import annotations

from layerloom.graph.carrying import Key, carry, keys_of, kind_of
from layerloom.graph.examples import examples


def test_keys_are_those_of_the_module_and_carried_where_shapes_agree() -> None:
    document = next(item.document for item in examples() if item.id == "digits-cnn")
    keys = keys_of(document).keys
    assert keys["fc.weight"] == Key(shape=[10, 1024], kind="float", trained=True)
    assert (keys["stage1.1.num_batches_tracked"].kind, keys["stage1.1.running_mean"].trained) == ("int", False)
    assert keys_of(document.model_copy(update={"frozen": ["fc.*"]})).keys["fc.weight"].trained is False

    before = {**keys, "fc.weight": Key(shape=[7, 1024], kind="float"), "old": Key(shape=[1], kind="float")}
    del before["fc.bias"]
    before["stage1.0.bias"] = Key(shape=[32], kind="int")
    carried = carry(before, keys)
    assert {(one.key, one.why) for one in carried.left} == {
        ("fc.weight", "shape"),
        ("fc.bias", "new"),
        ("old", "gone"),
        ("stage1.0.bias", "dtype"),
    }
    assert carried.keys == [key for key in keys if key not in ("fc.weight", "fc.bias", "stage1.0.bias")]


def test_kinds_of_numbers_have_one_name_in_torch_and_in_files() -> None:
    pairs = [("float32", "F32"), ("bfloat16", "BF16"), ("int64", "I64"), ("uint8", "U8"), ("bool", "BOOL")]
    assert all(kind_of(f"torch.{ours}") == kind_of(theirs) for ours, theirs in pairs)
    assert kind_of("torch.complex64") == kind_of("C64") == "complex"
