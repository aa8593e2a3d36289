"""A user's implementation against a model: every layer, on every input, and what is wrong with it.

Must not know: how a report is shown, command lines.
"""

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

import torch

from inspector.models import PretrainedModel
from inspector.progress import Progress
from inspector.verification.diagnosis import (
    CATALOGUE,
    REFERENCE,
    Diagnosis,
    diagnose,
    unknown,
)
from inspector.verification.diagnosis.catalogue.precision import STORED
from inspector.verification.diagnosis.catalogue.randomness import DROPOUT
from inspector.verification.diagnosis.search import Search
from inspector.verification.implementation.circumstances import circumstances
from inspector.verification.implementation.implementation_report import (
    IMPLEMENTATION_COLUMNS,
    ImplementationReport,
)
from inspector.verification.implementation.layer_inputs import tried_layers
from inspector.verification.implementation.one_layer import OneLayer, Running
from inspector.verification.implementation.sandbox.resource_limits import (
    check_memory,
    check_timeout,
)
from inspector.verification.implementation.sandbox.starting import run_file, run_function
from inspector.verification.implementation.sandbox.trial import Trial
from inspector.verification.padding_places import kinds_of
from inspector.verification.report import typed_frame
from inspector.verification.scope import Scope, check_seed, in_order

Build = Callable[..., Any] | str
"""`LayerWeights` → the implementation of a layer; or FILE.py:NAME."""


def verify_implementation(
    build: Build,
    model: PretrainedModel,
    *,
    layers: Sequence[int] | None = None,
    timeout: float | None = None,
    memory: int | None = None,
    seed: int | None = None,
    pairs: bool = True,
    progress: Progress | None = None,
) -> ImplementationReport:
    """Return whether an implementation computes what a model computes; if not, its mistake.

    See `inspector.verification.implementation.sandbox.contract` for what it gets and returns.

    Args:
        build: Gets a layer's `LayerWeights`, returns what computes the layer.
        model: Whose layers it is compared with.
        layers: Which; all where not given.
        timeout: Seconds that a call may take. It then runs in a process of its own, as FILE.py:NAME
            always does.
        memory: Bytes that it may take there; half of what is free, if none are given. With it, too,
            it runs in a process of its own.
        seed: Of the inputs of ordinary use; drawn where not given.
        pairs: Whether two mistakes made together are looked for.
        progress: Told how far it is.

    Raises:
        InputError: If it raises, returns what is no result, changes what it is given, does not
            end in time, or takes too much memory.
        UnsupportedModelError: If a layer of the model is not described by its weights.
    """
    check_timeout(timeout)
    check_memory(memory)
    say = progress or (lambda what, share: None)
    seed = check_seed(seed)
    say("Inputs", 0.0)
    tried = tried_layers(model, layers)
    name = build if isinstance(build, str) else getattr(build, "__name__", type(build).__name__)
    with closing(_running(build, name, timeout, memory)) as running:
        found: list[OneLayer] = []
        for index, layer in enumerate(tried):
            say(f"Layer {layer.number}", 0.1 + 0.6 * index / len(tried))
            each = OneLayer(layer, running, model.torch_dtype)
            if each.difference and not any(before.difference for before in found):
                each.look_for_randomness(running, model.torch_dtype)
            if each.difference is None:
                each.try_ordinary_use(running, model.torch_dtype, seed)
            found.append(each)
        say("Diagnosis", 0.7)
        others = found
        diagnosis = _diagnose(found, model.torch_dtype, pairs)
        if diagnosis is not None and diagnosis.verdict == "stored":
            wrong = _wrong_beside_storage(found, diagnosis, running, model.torch_dtype, seed, pairs)
            if wrong is not None:
                others, diagnosis = [wrong[0]], wrong[1]
    differences = [each.difference for each in others if each.difference is not None]
    for each in found:
        each.check_finite(explained=diagnosis is not None and diagnosis.explanation is not None)
    report = ImplementationReport(
        implementation=name,
        model=model.name,
        dtype=model.dtype,
        frame=typed_frame([row for each in found for row in each.rows()], IMPLEMENTATION_COLUMNS),
        first_difference=differences[0] if differences else None,
        diagnosis=diagnosis,
        unseen=tuple(mistake.name for mistake in found[0].search.unseen()),
        notes=tuple(_notes(found, diagnosis)),
        scope=_scope(model, found, seed),
    )
    say("Report", 1.0)
    return report


def _running(build: Build, name: str, timeout: float | None, memory: int | None) -> Running:
    if isinstance(build, str):
        return run_file(build, timeout, memory)
    if timeout is None and memory is None:
        return Trial(build, name)
    return run_function(build, name, timeout, memory)


def _diagnose(found: Sequence[OneLayer], dtype: torch.dtype, pairs: bool) -> Diagnosis | None:
    """Return the diagnosis of the first layer that differs."""
    for each in found:
        if each.use is not None and each.use.difference is not None:
            return unknown(circumstances(each.use.tried), each.use.distance)
        if each.difference is not None and any(c.n_finite for c in each.comparisons):
            return each.randomness or diagnose(
                each.tried.layer, each.random_first, dtype, pairs=pairs
            )
    return None


def _wrong_beside_storage(
    found: Sequence[OneLayer],
    diagnosis: Diagnosis,
    running: Running,
    dtype: torch.dtype,
    seed: int,
    pairs: bool,
) -> tuple[OneLayer, Diagnosis] | None:
    """Return the first layer that the dtype of storage does not excuse, and why; None if none is.

    One differs by more than that, or is wrong in ordinary use by the measure of that dtype, too.
    """
    explanation = diagnosis.explanation
    names = explanation.mistakes if explanation is not None else ()
    coarsest = max((STORED[name] for name in names), key=lambda each: torch.finfo(each).eps)
    others = _otherwise(found, diagnosis)
    for each in found:
        if each.tried.number in others:
            why = diagnose(each.tried.layer, each.random_first, dtype, pairs=pairs)
            return each, why or unknown("", 0.0)
        wrong = each.difference and each.try_coarsely(running, coarsest, seed)
        if wrong:
            return each, wrong
    return None


def _otherwise(found: Sequence[OneLayer], diagnosis: Diagnosis | None) -> list[int]:
    """Return the layers that differ, but not by the mistakes of the diagnosis."""
    explanation = diagnosis.explanation if diagnosis else None
    differing = [each for each in found if each.difference is not None][1:]
    if explanation is None or DROPOUT.name in explanation.mistakes:
        return []
    mistakes = [mistake for mistake in CATALOGUE if mistake.name in explanation.mistakes]
    layers = []
    for each in differing:
        comparisons = sorted(
            each.comparisons, key=lambda c: not c.observation.probe.name.startswith("random")
        )
        search = Search(each.tried.layer, comparisons, mistakes)
        if not any(search.explaining(tried) for tried in search.tries(pairs=len(mistakes) > 1)):
            layers.append(each.tried.number)
    return layers


def _scope(model: PretrainedModel, found: Sequence[OneLayer], seed: int) -> Scope:
    """Return up to where the outcome holds: what every layer was run on."""
    uses = [each.use for each in found if each.use is not None]
    probes = [probe for each in found for probe, _ in each.tried.inputs]
    tried = [each.trying for use in uses for each in use.tried]
    longest = [
        max(
            [p.hidden.shape[1] for p, _ in each.tried.inputs]
            + [t.trying.length for t in (each.use.tried if each.use else ())]
        )
        for each in found
    ]
    modes = ["evaluation"] + ["inference"] * any(
        each.manner.gradients == "inference" for each in tried
    )
    return Scope(
        heads=model.n_heads,
        d_head=model.d_head,
        files=model.file_hashes,
        seed=seed,
        longest=min(longest),
        largest_batch=max([p.hidden.shape[0] for p in probes] + [each.batch for each in tried]),
        padding=in_order(
            set().union(*(kinds_of(p.padding) for p in [*probes, *(t.probe for t in tried)]))
        ),
        gradients=min((use.gradients for use in uses), key=bool, default=False)
        if all(isinstance(use.gradients, bool) for use in uses)
        else "not asked",
        modes=(*modes, *["training"] * any(use.has_modules for use in uses)),
        longest_gradient=max(
            (each.length for each in tried if each.manner.gradients == "asked"), default=0
        )
        if any(use.gradients is True for use in uses)
        else 0,
        largest_score=max((each.largest_score for each in tried), default=0.0),
    )


def _notes(found: Sequence[OneLayer], diagnosis: Diagnosis | None) -> list[str]:
    notes = []
    others = _otherwise(found, diagnosis)
    if others:
        plural = len(others) > 1
        notes.append(
            f"Layer{'s' * plural} {', '.join(map(str, others))} "
            f"differ{'' if plural else 's'} in another way: give --layers (layers=) to see how."
        )
    if any(
        not comparison.agrees_on_padding(REFERENCE)
        for each in found
        if each.difference is None
        for comparison in each.comparisons
    ):
        notes.append("What it gives to padding differs from the model's, which nobody reads.")
    apart = [each.use.alone_in_u for each in found if each.use and each.use.difference is None]
    if apart:
        notes.append(
            f"A row alone and the same row in its batch are at most {max(apart):.1f} u apart."
        )
    return notes
