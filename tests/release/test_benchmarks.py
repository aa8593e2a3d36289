"""The benchmarks run, measure what they say, and fail where a bound breaks; no test of speed."""

import functools
import json
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from support.memory import peak_of_bytes

import inspector
from benchmarks import (
    ablation,
    backend,
    call_by_call,
    first_use,
    growth,
    imports,
    long_texts,
    meaning,
    profile,
    verify,
    weights,
    whole_profile,
)
from benchmarks.__main__ import BENCHMARKS, main
from benchmarks.fresh import in_fresh_process, lifetime_peak_megabytes
from benchmarks.script import QUANTITIES, script
from benchmarks.table import Measure, exit_code, table
from benchmarks.timing import Timings, alternate
from inspector.corpora import annotate, read_conllu
from inspector.corpora.default import sample_files
from inspector.heads.observers import observe


def test_paired_ratio_of_a_known_pair() -> None:
    passed = [0.0]
    ways = {
        name: functools.partial(passed.append, seconds)
        for name, seconds in {"long": 0.03, "short": 0.01}.items()
    }
    times = alternate(ways, repeats=5, clock=lambda: sum(passed))
    assert times.ratio("long", "short") == pytest.approx(3.0)
    assert times.ratio("short", "short") == 1.0
    real = alternate({"long": lambda: time.sleep(0.03)}, repeats=1, clock=time.perf_counter)
    assert real.median("long") >= 0.03


def test_ratio_is_the_median_of_pairs_not_of_sides() -> None:
    times = Timings({"ours": [1.0, 10.0, 300.0], "theirs": [2.0, 10.0, 100.0]})
    assert times.ratio("ours", "theirs") == 1.0
    assert times.median("ours") == 10.0


def test_ways_are_run_in_turn_and_warm_ups_do_not_count() -> None:
    order: list[str] = []
    ways = {name: (lambda name=name: order.append(name)) for name in "ab"}
    times = alternate(ways, repeats=2, warm_ups=1)
    assert "".join(order) == "abbaab"
    assert [len(taken) for taken in times.seconds.values()] == [2, 2]


def test_no_repeat_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^repeats \(0\) must be at least 1: a median needs"):
        alternate({}, repeats=0)


def test_table_says_what_was_measured_and_whether_it_holds() -> None:
    rows = [
        Measure("kept", 1.0, "s", at_most=2.0),
        Measure("broken", 49.0, "×", at_least=50.0),
        Measure("only read", 123456.0),
        Measure("not a number", float("nan"), at_most=1.0),
    ]
    assert table(rows).splitlines() == [
        "what          measured  bound   holds",
        "kept          1 s       ≤ 2 s   yes",
        "broken        49 ×      ≥ 50 ×  NO",
        "only read     123456",
        "not a number  nan       ≤ 1     NO",
    ]


def test_exit_code_is_one_if_any_bound_breaks() -> None:
    kept, broken = Measure("a", 1.0, at_most=1.0), Measure("b", 1.1, at_most=1.0)
    assert exit_code([]) == exit_code([kept, Measure("c", 9.0)]) == 0
    assert exit_code([kept, broken]) == 1


def test_peak_memory_is_seen_though_it_is_freed() -> None:
    """50 MB held only during the call count; a process that does nothing peaks at nothing."""
    assert in_fresh_process(peak_of_bytes, megabytes=50) == pytest.approx(50.0, abs=3.0)
    assert in_fresh_process(peak_of_bytes, megabytes=0) == pytest.approx(0.0, abs=3.0)


def test_what_a_fresh_process_says_of_its_failure_is_told() -> None:
    with pytest.raises(RuntimeError, match=r"peak_of_bytes failed: (?s:.*)TypeError"):
        in_fresh_process(peak_of_bytes, kilobytes=1)


def test_weights_on_a_small_model(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its memory is taken in this process here: a new one would take five seconds."""
    monkeypatch.setattr(
        weights, "in_fresh_process", lambda function, settings=None, /, **given: function(**given)
    )
    settings = weights.Settings(
        n_layers=2, n_heads=2, d_model=24, dense_heads=2, repeats=1, memory_repeats=1
    )
    seconds, faster, apart, peak = weights.run(settings)
    assert (seconds.at_most, faster.at_least, apart.at_most, peak.at_most) == (2, 50, 1e-4, 50)
    assert seconds.value > 0
    assert faster.value > 0
    assert 0 < apart.value < 1e-9
    assert "2 × 2 heads, d_model 24" in seconds.what


def test_backend_on_a_small_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its memory is taken in this process here: five new ones would take half a minute."""
    monkeypatch.setattr(
        backend, "in_fresh_process", lambda function, settings, /, **given: function(**given)
    )
    # Nothing need be added by so small a batch: no ratio to zero.
    monkeypatch.setattr(backend, "peak_megabytes", lambda call: 1.0 + (call() is not None))
    assert backend.Settings().padded == (False, True)
    rows = backend.run(backend.Settings((backend.Shape(2, 8, 1),), (True,), memory_repeats=1))
    assert len(rows) == 7
    bounds = [(row.what, row.at_most) for row in rows if row.at_most is not None]
    assert bounds == [
        ("backend: minilm, 2×8 padded, our time over eager's", 1.15),
        ("backend: minilm, 2×8 padded, our peak memory beyond eager's", 0.5),
    ]
    assert all(row.value > 0 for row in rows if row.unit == "s")


def test_a_new_process_does_not_hold_what_the_one_that_started_it_held() -> None:
    """What `getrusage` says begins with it: after a large benchmark all were as large."""
    held = np.ones(60_000_000)
    assert lifetime_peak_megabytes() > 480
    assert in_fresh_process(lifetime_peak_megabytes) < 100
    assert held[-1] == 1


def test_ablation_on_a_few_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its memory is taken in this process here, and needs not be more than before."""
    monkeypatch.setattr(
        growth, "in_fresh_process", lambda function, settings, /, **given: function(**given)
    )
    monkeypatch.setattr(ablation, "peak_megabytes", lambda call: 1.0 + (call() is not None))
    assert ablation.Settings().sentences == 500
    few = ablation.Settings(2, gradient_sentences=2, gradient_repeats=1, memory=(1, 2))
    rows = ablation.run(few)
    assert [row.at_most for row in rows] == [None, 40.0, 4.0, None, 1.1]
    assert all(row.value > 0 for row in rows)
    assert rows[-1].value == 1.0


def test_the_script_finds_what_the_observers_find() -> None:
    """Else the two would not be compared with each other on the same figures."""
    read = profile.corpus(24)
    made = profile.batches(read, 8)
    names = sorted({label for _, label in read.relation_counts()})
    behaviour, scores = profile.observers(read, ("behaviour", "relations"))
    observe(profile.minilm(), made, [behaviour, scores])
    found = script(made, names)
    queries = behaviour.frame()["queries"].iloc[0]
    for place, quantity in enumerate(QUANTITIES):
        n = behaviour.counts[1] if quantity == "duplicate_mass" else queries
        means = behaviour.frame()[quantity].to_numpy()
        np.testing.assert_allclose(found.sums[place].ravel() / n, means, rtol=1e-4, atol=1e-6)
    middle, reach = found.offsets.shape[-1] // 2, behaviour.max_tokens - 1
    np.testing.assert_array_equal(
        found.offsets[..., middle - reach : middle + reach + 1], behaviour.offsets
    )
    np.testing.assert_array_equal(found.n.sum(0), scores.n.sum(0))
    np.testing.assert_array_equal(found.correct.sum(0), scores.correct.sum(0))
    assert found.correct.any()


def test_call_by_call_on_a_small_batch(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its memory is taken in this process here: two new ones would take ten seconds."""
    monkeypatch.setattr(
        call_by_call, "in_fresh_process", lambda function, settings, /, **given: function(**given)
    )
    assert [(shape.texts, shape.tokens) for shape in call_by_call.Settings().shapes] == [
        (16, 40),
        (2, 256),
    ]
    rows = call_by_call.run(call_by_call.Settings((backend.Shape(2, 8, 1),)))
    maps = 2 * 12 * 8 * 8 * 4 / 1e6
    assert [row.at_most for row in rows] == [None, 2.0, 1.15, None, maps]
    assert all(row.value > 0 for row in rows if row.unit != "MB")


def test_meaning_reads_the_same_texts_on_both_sides(monkeypatch: pytest.MonkeyPatch) -> None:
    sides: dict[str, list[int]] = {"bare": []}
    real = meaning.bare

    def bare(made: list) -> None:
        sides["bare"].append(sum(len(batch.sentences) for batch in made))
        real(made[:1])

    monkeypatch.setattr(meaning, "bare", bare)
    read = annotate(read_conllu(sample_files()[:1]))
    monkeypatch.setattr(meaning, "corpus", lambda documents: read)
    first, ratio = meaning.run(meaning.Settings(documents=1, repeats=1))
    assert ratio.at_most == 1.6
    assert first.value > 0
    assert sides["bare"][0] > len(read.sentences)  # its windows as well


def test_first_use(tiny_folder) -> None:
    model = str(tiny_folder("bert"))
    over_pass, attend = first_use.run(first_use.Settings(model=model, tokens=64, repeats=1))
    assert (over_pass.at_most, attend.at_most) == (1.5, 1.0)
    assert over_pass.value > 0
    assert 0 < attend.value < 60


def test_imports() -> None:
    start, over_torch, _ = imports.run(imports.Settings(repeats=1))
    assert start.at_most == 0.3
    assert start.value > 0
    assert over_torch.value > 0


def test_verify_counts_the_processor_time_of_the_command() -> None:
    busy = (
        "import time\nwhile time.process_time() < 0.3: pass\n"
        f"print({json.dumps(json.dumps({'passed': True}))})"
    )
    command = (sys.executable, "-c", busy)
    middle, largest, ratio = verify.run(verify.Settings(1, tokens=64, command=command))
    assert (middle.at_most, largest.at_most, ratio.at_most) == (None, None, verify.IN_PASSES)
    assert 0.25 < middle.value == largest.value < 3.0
    assert 0 < ratio.value < 100
    assert ratio.what.endswith("over 3 passes of 8×64")


@pytest.mark.parametrize("program", ["raise SystemExit(3)", "print('{\"passed\": false}')"])
def test_a_verification_that_did_not_pass_is_no_measurement(program: str) -> None:
    with pytest.raises(RuntimeError, match="did not verify"):
        verify.run(verify.Settings(repeats=1, command=(sys.executable, "-c", program)))


def test_the_command_that_is_timed_is_the_installed_one() -> None:
    assert verify.inspector_command()[1].endswith("inspector")
    assert verify.inspector_command()[2:] == ("verify", "--json")


def test_command_line_runs_what_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    ways = {
        "kept": lambda: [Measure("a", 1.0, at_most=1.0)],
        "broken": lambda: [Measure("b", 2.0, at_most=1.0)],
    }
    import torch

    threads = str(torch.get_num_threads())
    assert main(["--threads", threads, "kept"], ways) == 0
    output, told = capsys.readouterr()
    assert told.startswith("kept …\nwhat  measured  bound  holds\na     1 ")  # before all are done
    assert output.startswith(f"$ python -m benchmarks --threads {threads} kept\n")
    assert f"{threads} thread(s)" in output
    assert "b  " not in output
    assert output.splitlines()[-1].startswith("took ")
    assert output.splitlines()[-1].endswith(" s: kept 0 s")
    assert main(["--threads", threads], ways) == 1
    with pytest.raises(SystemExit, match="2"):
        main(["no-such"], ways)
    assert "no benchmark no-such. Available: kept, broken." in capsys.readouterr().err
    assert list(BENCHMARKS) == [
        "imports", "first_use", "weights", "backend", "verify", "diagnosis", "profile",
        "whole_profile", "long_texts", "estimate", "meaning", "nulls", "truths", "ablation",
        "call_by_call",
    ]  # fmt: skip


def test_whole_profile_of_a_few_sentences(monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, once: the peak is then the same, and every part but ablation has a share."""
    found = whole_profile.costs(sentences=3, ablation=False)
    assert found["bare"] > 0
    assert found["whole"] > found["bare"]
    assert sum(found["shares"].values()) == pytest.approx(1.0)
    assert {"model", "inference"} <= found["shares"].keys()
    monkeypatch.setattr(
        whole_profile, "in_fresh_process", lambda function, settings, /, **given: found
    )
    rows = {row.what: row for row in whole_profile.run()}
    bounds = sorted(row.at_most for row in rows.values() if row.at_most is not None)
    assert bounds == [1.1, 3.0, 10.0]
    root = Path(inspector.__file__).parent
    assert [part for part in whole_profile.PARTS if not (root / part).exists()] == []


def test_rows_of_long_texts_are_measured() -> None:
    """On a decoder of two heads; all that is asked here is that every row comes out."""
    small = long_texts.Settings(shape=(1, 2, 16), tokens=1100, dense_tokens=300)
    rows = {row.what.partition(", ")[2]: row for row in long_texts._times(small)}
    assert [row.at_most for row in rows.values()] == [None, 2.5, 3.5, None, None]
    assert all(row.value > 0 for row in rows.values())
