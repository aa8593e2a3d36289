"""The command that runs a model once over a corpus and keeps a run folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

import typer

from inspector.commands.options import Loading, Model, Reading, Writing
from inspector.console import note_unknown, print_run, progress
from inspector.errors import Interrupted
from inspector.records import json_text, records

EXAMPLE = "inspector profile --corpus treebank.conllu -o run"


Corpora = Annotated[
    list[Path] | None,
    typer.Option(
        help="A .conllu, .txt, GAP, WinoBias or Winogender file, or a known name; inspector's "
        "own if none. Of several each is profiled by itself."
    ),
]
Strict = Annotated[bool, typer.Option("--strict", help="Stop at the first malformed sentence.")]
Parse = Annotated[bool, typer.Option("--parse", help="Give plain text spaCy's trees (silver).")]
Distances = Annotated[
    bool, typer.Option("--distances", help="Compare all heads with each other too.")
]
Ablation = Annotated[
    bool, typer.Option(help="Ablate heads, to say whether the model needs the claimed ones.")
]
FormerAblation = Annotated[
    bool, typer.Option("--cause/--no-cause", hidden=True, help="Former name of --ablation.")
]
AblationSentences = Annotated[
    int | None,
    typer.Option(
        help="Sentences that are read without each head, at most (96), and a window for every 16 "
        "of them (a quarter as many of a masked language model, which reads each seven times): "
        "more are slower, and leave fewer answers unclear.",
        show_default=False,
    ),
]
Long = Annotated[
    Literal["skip", "windows"],
    typer.Option(
        help="A text longer than the model takes: skip leaves it out, counted; windows reads it in "
        "windows that overlap by half."
    ),
]
Replicate = Annotated[
    list[Path] | None,
    typer.Option(help="Other text (5 documents or more): claims are scored there as they stand."),
]
Probes = Annotated[
    str | None,
    typer.Option(
        help="decoder: read the decoder battery too (induction, successor, …); by itself where no "
        "corpus is given.",
        show_default=False,
    ),
]
EngineName = Annotated[
    str,
    typer.Option(
        help="Where it is computed: local, or ray: the cluster of RAY_ADDRESS (trusted network "
        "only), else one on this machine."
    ),
]
Workers = Annotated[int, typer.Option(help="Processes, at most; the result is the same.")]
Resume = Annotated[bool, typer.Option("--resume", help="Go on with a run that was stopped.")]


def profile(
    output: Annotated[Path, typer.Option("-o", "--output", help="The folder of the run.")],
    model: Model = "minilm",
    corpus: Corpora = None,
    strict: Strict = False,
    parse: Parse = False,
    distances: Distances = False,
    ablation: Ablation = True,
    cause: FormerAblation = True,
    ablation_sentences: AblationSentences = None,
    replicate: Replicate = None,
    probes: Probes = None,
    engine: EngineName = "local",
    workers: Workers = 1,
    resume: Resume = False,
    long: Long = "skip",
    *,
    reading: Reading,
    loading: Loading,
    options: Writing,
) -> None:
    """Run the model once over a corpus; keep what every head does in a run folder."""
    with progress() as show:
        show("Reading", 0.0)
        from inspector.api import profile as profile_heads

        with _resumable(output):
            run = profile_heads(
                model,
                list(corpus) if corpus else None,
                output,
                annotations=reading.annotations,
                labels=reading.labels,
                strict=strict,
                parse=parse,
                distances=distances,
                ablation=ablation and cause,
                ablation_sentences=ablation_sentences,
                long=long,
                workers=workers,
                engine=engine,
                resume=resume,
                force=options.force,
                replicate=replicate or (),
                probes=probes,
                progress=show,
                **reading.passing,
                **loading.keywords,
            )
    note_unknown(run)
    if options.as_json:
        document = {"output": str(output), "manifest": run.manifest.run_id}
        names = ["claims", "roles", "totals", *(["replication"] if replicate else ())]
        frames = {name: records(run.frames[name]) for name in names}
        print(json_text({**document, **frames}))
    else:
        print_run(run, output)


@contextmanager
def _resumable(output: Path) -> Iterator[None]:
    """Say, where a run that had begun is interrupted, that its shards are kept."""
    try:
        yield
    except KeyboardInterrupt:
        if not (output / "manifest.json").exists():
            raise
        raise Interrupted(
            f"interrupted: what was finished is kept in {output}; go on with --resume."
        ) from None
