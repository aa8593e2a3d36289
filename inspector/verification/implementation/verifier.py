"""A user's implementation against a model: every layer, every input, and what is wrong with it."""

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any

import torch

from inspector.models import PretrainedModel
from inspector.progress import Progress
from inspector.verification.diagnosis import (
    CATALOGUE,
    REFERENCE,
    Diagnosis,
    unknown,
)
from inspector.verification.diagnosis.catalogue import DROPOUT, STORED
from inspector.verification.diagnosis.search import Search
from inspector.verification.implementation.implementation_report import (
    IMPLEMENTATION_COLUMNS,
    ImplementationReport,
)
from inspector.verification.implementation.layer_inputs import tried_layers
from inspector.verification.implementation.one_layer import OneLayer, Running
from inspector.verification.implementation.ordinary import Trying, circumstances
from inspector.verification.implementation.sandbox.process_tree import (
    check_memory,
    check_timeout,
)
from inspector.verification.implementation.sandbox.starting import run_file, run_function
from inspector.verification.implementation.sandbox.trial import Trial
from inspector.verification.report import typed_frame
from inspector.verification.scope import Scope, check_seed

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
    seed, dtype = check_seed(seed), model.torch_dtype
    say("Inputs", 0.0)
    tried = tried_layers(model, layers)
    name = build if isinstance(build, str) else getattr(build, "__name__", type(build).__name__)
    with closing(_running(build, name, timeout, memory)) as running:
        found: list[OneLayer] = []
        for index, layer in enumerate(tried):
            say(f"Layer {layer.number}", 0.1 + 0.6 * index / len(tried))
            first = not any(each.difference for each in found)
            found.append(OneLayer(layer, running, dtype, seed, first=first))
        say("Diagnosis", 0.7)
        others, diagnosis = _diagnosed(found, dtype, pairs)
    differences = [each.difference for each in others if each.difference is not None]
    for each in found:
        each.check_finite(explained=diagnosis is not None and diagnosis.explanation is not None)
    unseen = Search(found[0].tried.layer, found[0].comparisons).unseen()
    shown = next((each for each in found if each.difference is not None), found[0])
    report = ImplementationReport(
        implementation=name,
        model=model.name,
        dtype=model.dtype,
        frame=typed_frame([row for each in found for row in each.rows()], IMPLEMENTATION_COLUMNS),
        first_difference=differences[0] if differences else None,
        diagnosis=diagnosis,
        unseen=tuple(mistake.name for mistake in unseen),
        notes=tuple(_notes(found, diagnosis)),
        distances=Search(shown.tried.layer, shown.random_first).distances(),
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


def _diagnosed(
    found: Sequence[OneLayer], dtype: torch.dtype, pairs: bool
) -> tuple[Sequence[OneLayer], Diagnosis | None]:
    """Return the diagnosis, None where nothing differs, and the layers that it is of."""
    diagnosis = _diagnose(found, dtype, pairs)
    if diagnosis is not None and diagnosis.verdict == "stored":
        wrong = _wrong_beside_storage(found, diagnosis, dtype, pairs)
        if wrong is not None:
            return [wrong[0]], wrong[1]
    return found, diagnosis


def _diagnose(found: Sequence[OneLayer], dtype: torch.dtype, pairs: bool) -> Diagnosis | None:
    """Return the diagnosis of the first layer that differs."""
    for each in found:
        if each.use is not None and each.use.difference is not None:
            return unknown(circumstances(each.use.tried), each.use.distance)
        if each.difference is not None and any(c.n_finite for c in each.comparisons):
            return each.randomness or each.diagnose(dtype, pairs)
    return None


def _wrong_beside_storage(
    found: Sequence[OneLayer], diagnosis: Diagnosis, dtype: torch.dtype, pairs: bool
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
            return each, each.diagnose(dtype, pairs) or unknown("", 0.0)
        wrong = each.difference and each.try_coarsely(coarsest)
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
        search = Search(each.tried.layer, each.random_first, mistakes)
        if not any(search.explaining(tried) for tried in search.tries(pairs=len(mistakes) > 1)):
            layers.append(each.tried.number)
    return layers


def _scope(model: PretrainedModel, found: Sequence[OneLayer], seed: int) -> Scope:
    """Return up to where the outcome holds: what every layer was run on."""
    uses = [each.use for each in found if each.use is not None]
    tried = [each for use in uses for each in use.tried]
    asked = [each for each in tried if each.manner.gradients == "asked"]
    compared = [use.gradients for use in uses]
    modes = {
        "evaluation": True,
        "inference": any(each.manner.gradients == "inference" for each in tried),
        "training": any(use.has_modules for use in uses),
    }
    longest = []
    scope = Scope(model.n_heads, model.d_head, model.file_hashes, seed)
    for each in found:
        inputs = [Trying(probe) for probe, _ in each.tried.inputs]
        inputs += each.use.tried if each.use else []
        longest.append(max(trying.length for trying in inputs))
        for trying in inputs:
            scope = scope.having(
                batch=trying.batch, padding=trying.padding, largest_score=trying.largest_score
            )
    return replace(
        scope,
        longest=min(longest),
        modes=tuple(mode for mode, was in modes.items() if was),
        gradients="not asked" if "not asked" in compared else bool(compared) and all(compared),
        longest_gradient=max((t.length for t in asked), default=0) if True in compared else 0,
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
