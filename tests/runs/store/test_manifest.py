"""That a run's identity covers all its results depend on, and that what differs is said."""

import dataclasses
import json
import re

import pytest
from support.each import each
from support.texts.cheap_run import manifest

from inspector.errors import OutputError
from inspector.runs.store.manifest import SCHEMA, Manifest, differences, read_manifest

CHANGES = {
    "model": "other",
    "model_files": {"model.safetensors": "3" * 64},
    "corpus": "letters",
    "corpus_sha256": "4" * 64,
    "settings": {"labels": "universal", "seeds": [1, 2]},
    "versions": {"numpy": "1.0"},
    "shard_size": 33,
    "batch_size": 9,
    "n_shards": 13,
    "schema": 1,
}


def refusal(document):
    with pytest.raises(OutputError) as caught:
        read_manifest(document if isinstance(document, bytes) else document.encode(), "m.json")
    return str(caught.value)


def changed(**fields):
    return json.dumps({**json.loads(manifest().text()), **fields})


def test_it_comes_back_as_it_was_and_its_bytes_do_not_depend_on_order():
    given = manifest(settings={"b": (1, 2), "a": {"é": 1.5}})
    assert read_manifest(given.text().encode(), "m.json") == given
    assert given.settings == {"b": [1, 2], "a": {"é": 1.5}}
    assert given.text() == manifest(settings={"a": {"é": 1.5}, "b": [1, 2]}).text()


def test_every_field_changes_the_run_id_and_is_listed():
    assert CHANGES.keys() == {field.name for field in dataclasses.fields(Manifest)}
    ids = {manifest().run_id}
    for name, value in CHANGES.items():
        other = dataclasses.replace(manifest(), **{name: value})
        ids.add(other.run_id)
        (line,) = differences(manifest(), other)
        assert line.startswith(name.replace("_", " "))
    assert len(ids) == len(CHANGES) + 1
    assert differences(manifest(), manifest()) == []


def test_differences_are_readable():
    other = manifest(
        model_files={"model.safetensors": "5" * 64, "config.json": "6" * 64},
        settings={"labels": "universal", "claims": {"alpha": 0.05}},
        batch_size=9,
    )
    assert differences(manifest(), other) == [
        "model files model.safetensors: 111111111111… ≠ 555555555555…",
        "model files config.json: not set ≠ 666666666666…",
        "settings labels: 'full' ≠ 'universal'",
        "settings seeds: [1, 2] ≠ not set",
        "settings claims alpha: not set ≠ 0.05",
        "batch size: 8 ≠ 9",
    ]


def test_a_long_value_is_cut():
    (line,) = differences(manifest(settings={}), manifest(settings={"x": "y" * 500}))
    assert line == "settings x: not set ≠ '" + "y" * 58 + "…"


def test_true_is_not_one():
    assert differences(manifest(settings={"x": 1}), manifest(settings={"x": True}))


@each(("value", "error"), [(float("nan"), ValueError), ({1}, TypeError)])
def test_settings_that_json_cannot_hold(value, error):
    with pytest.raises(error):
        manifest(settings={"x": value})


@each("data", [b"", b"{", b"\xff\xfe", b"[" * 100_000])
def test_what_is_not_json(data):
    assert refusal(data) == (
        "manifest (m.json) is not JSON, so the run cannot be used: "
        "choose another folder, or delete this one."
    )


@each("document", ["[]", '{"name": "an extension"}', changed(model=3), changed(extra=1)])
def test_what_is_json_of_something_else(document):
    assert refusal(document) == (
        "manifest (m.json) is not one of an inspector run: choose another folder."
    )


def test_another_schema():
    assert refusal(changed(schema=99)) == (
        f"manifest (m.json) has schema 99, and this inspector reads schema {SCHEMA}: "
        "use the inspector that wrote it, or choose another folder."
    )


@each(
    "document", [changed(batch_size=9), changed(settings={"x": float("nan")}), changed(run_id="0")]
)
def test_one_that_was_changed_by_hand(document):
    assert refusal(document) == (
        "manifest (m.json) was changed since it was written, its run id no longer fits: "
        "restore it, or choose another folder."
    )


def test_every_single_byte_counts():
    """Whichever byte differs, even a blank, is seen: none is outside what the run id is of."""
    data = manifest().text().encode()
    assert read_manifest(data, "m.json") == manifest()
    for place in range(len(data)):
        for other in {data[place] ^ 1, data[place] ^ 32, 32, 9} - {data[place]}:
            assert "manifest (m.json) " in refusal(
                data[:place] + bytes([other]) + data[place + 1 :]
            ), (place, other)
        assert refusal(data[:place] + data[place + 1 :])
    assert refusal(data + b"\n")


def test_it_names_no_date_and_no_machine():
    import socket

    assert not re.search(r"20\d\d-\d\d|date|time|host", manifest().text())
    assert socket.gethostname() not in manifest().text()
