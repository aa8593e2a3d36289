"""That a shard comes back as it was, and that no damage to its bytes goes unseen."""

import hashlib
import json
import re

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from safetensors.numpy import save
from support.texts.cheap_run import figures

from inspector.runs.store.shards import ShardError, ShardResult, decode_shard, encode_shard

RUN = "a" * 64


def encoded(result=None, shard_id=5):
    return encode_shard(result or figures(5, size=3), run_id=RUN, shard_id=shard_id)


def assert_refused(data, run_id=RUN, shard_id=5):
    with pytest.raises(ShardError) as caught:
        decode_shard(data, run_id=run_id, shard_id=shard_id)
    return str(caught.value)


def assert_equal(one, other):
    assert one.labels == other.labels
    assert one.arrays.keys() == other.arrays.keys()
    for name, array in one.arrays.items():
        assert array.dtype.newbyteorder("=") == other.arrays[name].dtype, name
        assert array.shape == other.arrays[name].shape, name
        np.testing.assert_array_equal(array, other.arrays[name])


dtypes = st.one_of(
    hnp.boolean_dtypes(),
    hnp.integer_dtypes(endianness="?"),
    hnp.unsigned_integer_dtypes(endianness="?"),
    hnp.floating_dtypes(endianness="?", sizes=(16, 32, 64)),
)
texts = st.text(max_size=8)
names = texts.filter(lambda name: name != "__metadata__")
arrays = st.dictionaries(
    names, hnp.arrays(dtypes, hnp.array_shapes(min_dims=0, min_side=0, max_side=4)), max_size=4
)
labels = st.dictionaries(texts, st.lists(texts, max_size=4), max_size=3)


@settings(deadline=None)
@given(arrays, labels)
def test_a_result_comes_back_as_it_was(arrays, labels):
    result = ShardResult(arrays, labels)
    assert_equal(result, decode_shard(encoded(result), run_id=RUN, shard_id=5))


def test_arrays_that_are_not_contiguous_come_back():
    grid = np.arange(24.0).reshape(4, 6)
    result = ShardResult({"columns": grid.T, "every second": grid[::2, ::-1]})
    assert_equal(result, decode_shard(encoded(result), run_id=RUN, shard_id=5))


def test_what_comes_back_can_be_added_to():
    array = decode_shard(encoded(), run_id=RUN, shard_id=5).arrays["sums"]
    array += 1.0
    np.testing.assert_array_equal(array, figures(5, size=3).arrays["sums"] + 1.0)


def test_the_same_result_gives_the_same_bytes():
    one = figures(5)
    other = ShardResult(dict(reversed(one.arrays.items())), dict(reversed(one.labels.items())))
    assert len({encoded(result) for result in [one, other] * 20}) == 1


def test_metadata_stand_in_the_file_as_safetensors_reads_them(tmp_path):
    from safetensors import safe_open

    path = tmp_path / "shard.safetensors"
    path.write_bytes(encoded())
    with safe_open(path, framework="np") as file:
        metadata = file.metadata()
        np.testing.assert_array_equal(file.get_tensor("sums"), figures(5, size=3).arrays["sums"])
    assert metadata["run_id"] == RUN
    assert metadata["shard_id"] == "5"
    assert json.loads(metadata["labels"]) == {"documents": ["d5", "é5"]}
    sealed = path.read_bytes().replace(metadata["sha256"].encode(), b"0" * 64)
    assert hashlib.sha256(sealed).hexdigest() == metadata["sha256"]


def test_every_flipped_bit_is_seen():
    data = encoded()
    decode_shard(data, run_id=RUN, shard_id=5)  # control: whole, it is taken
    for place in range(len(data)):
        for bit in range(8):
            damaged = bytearray(data)
            damaged[place] ^= 1 << bit
            with pytest.raises(ShardError):
                decode_shard(bytes(damaged), run_id=RUN, shard_id=5)


def test_every_truncation_and_every_zeroed_tail_is_seen():
    data = encoded()
    end = len(data.rstrip(b"\0"))
    for length in range(len(data)):
        assert_refused(data[:length])
        if length < end:
            assert_refused(data[:length] + bytes(len(data) - length))


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_inserted_removed_and_replaced_stretches_are_seen(data):
    whole = encoded()
    start = data.draw(st.integers(0, len(whole)))
    end = data.draw(st.integers(start, min(len(whole), start + 200)))
    damaged = whole[:start] + data.draw(st.binary(max_size=200)) + whole[end:]
    if damaged != whole:
        assert_refused(damaged)


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_any_other_bytes_are_refused(data):
    assert_refused(data)


def test_swapped_labels_and_names_inside_the_header_are_seen():
    data = encoded()
    assert data.count(b"d5") == data.count(b'"sums"') == 1
    assert "checksum" in assert_refused(data.replace(b"d5", b"d6"))
    assert "checksum" in assert_refused(data.replace(b'"sums"', b'"sumt"'))


def test_a_shard_of_another_run_or_another_number_is_refused():
    assert assert_refused(encoded(), run_id="b" * 64) == f"it belongs to another run ({RUN})"
    assert assert_refused(encoded(), shard_id=6) == "it is shard 5"


def test_a_label_that_looks_like_a_checksum_does_not_mislead():
    result = ShardResult({}, {"x": ['"sha256":"' + "0" * 64 + '"']})
    assert_equal(result, decode_shard(encoded(result), run_id=RUN, shard_id=5))


@pytest.mark.parametrize("metadata", [{}, {"run_id": RUN, "labels": "[" * 100_000}])
def test_a_sealed_file_that_is_not_ours_is_refused(metadata):
    data = save({"n": np.arange(3)}, {**metadata, "sha256": "0" * 64})
    digest = hashlib.sha256(data).hexdigest().encode()
    sealed = data.replace(b'"sha256":"' + b"0" * 64, b'"sha256":"' + digest)
    assert assert_refused(sealed) == "it is not a shard of inspector"


@pytest.mark.parametrize(
    "array", [np.array(["a"]), np.array([None]), np.array([1j]), np.array([1], np.longdouble)]
)
def test_a_dtype_that_no_shard_holds(array):
    with pytest.raises(TypeError, match=re.escape(f"array x ({array.dtype}) is of a dtype that")):
        encoded(ShardResult({"x": array}))


def test_the_name_that_safetensors_keeps_for_itself():
    with pytest.raises(ValueError, match=r"array \(__metadata__\) has a name that safetensors"):
        encoded(ShardResult({"__metadata__": np.arange(3)}))
