"""The command that starts the dashboard, with safe settings wherever it is called from.

The command's own process becomes the server: what ends the one ends the other.
"""

import errno
import os
import runpy
import signal
import socket
import sys
import threading
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated, Any

import typer

from inspector.commands.options import Printing
from inspector.errors import InputError, InspectorError, ModelError, OutputError, extra
from inspector.records import json_text

EXAMPLE = "inspector dashboard run --corpus treebank.conllu --runs runs"
_LAST_PORT = 65535
_PATIENCE_S = 5.0
"""How long a server that was told to stop may wait for what it still answers."""
_ADDRESS = "127.0.0.1"
_TAKEN = {
    errno.EADDRINUSE: "free: another program listens there",
    errno.EACCES: "one that this user may open: the system keeps it",
}
SETTINGS: dict[str, str | list[str]] = {
    "server.address": _ADDRESS,
    "server.allowedHosts": ["localhost", _ADDRESS],
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.maxUploadSize": "20",
    "server.maxMessageSize": "50",
    "browser.gatherUsageStats": "false",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "client.toolbarMode": "minimal",
    "runner.postScriptGC": "false",  # a third of a second at each click; Python does it, too
    "theme.light.primaryColor": "#00639c",  # as dark as text on its own tint must be
    "theme.light.textColor": "#111111",  # captions are 60 % of it
    "theme.dark.primaryColor": "#56b4e9",
}
"""Of Streamlit: what the project's own .streamlit/config.toml says, which only stands there."""


def dashboard(
    run: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Folders of runs that can be chosen; their models are.", show_default=False
        ),
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(help="A model that can be chosen: a folder, or minilm.")
    ] = None,
    corpus: Annotated[
        list[Path] | None, typer.Option(help="A corpus that can be profiled from the page Data.")
    ] = None,
    annotate: Annotated[
        list[Path] | None, typer.Option(help="Further annotation of a corpus, as profile takes it.")
    ] = None,
    runs: Annotated[
        Path | None,
        typer.Option(help="A folder: runs below it can be opened, and new ones are written there."),
    ] = None,
    port: Annotated[int, typer.Option(help="Of this machine; nobody else can reach it.")] = 8501,
    config: Annotated[
        Path | None, typer.Option(help="A settings file; that of minilm if none.")
    ] = None,
    *,
    options: Printing,
) -> None:
    """Show everything in a browser, at an address that only this machine can reach."""
    if not 0 < port <= _LAST_PORT:
        raise InputError(f"port ({port}) must be from 1 to {_LAST_PORT}: choose a free one.")
    if config is not None and not config.is_file():
        raise InputError(f"config ({config}) must be a settings file that exists: check the path.")
    if find_spec("streamlit") is None:
        raise InputError(
            f"dashboard needs Streamlit, which is not installed: {extra('dashboard')}."
        )
    script = _script()
    _check_free(port)
    given = _given(run or (), model or (), corpus or (), annotate or (), runs)
    if options.as_json:
        print(json_text({"url": f"http://{_ADDRESS}:{port}", "settings": SETTINGS}), flush=True)
        # What Streamlit says is no result: with --json stdout holds one document.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    words = streamlit_words(script, port, config, given)
    # Streamlit obeys a .streamlit/config.toml or secrets.toml of the folder that it starts in,
    # and a stranger may have left one in the reader's: it starts in ours.
    os.chdir(script.parent)
    _serve(words)


def streamlit_words(
    script: Path, port: int, config: Path | None, given: Sequence[str] = ()
) -> list[str]:
    """Return what Streamlit is told to serve a script on this machine alone.

    Its options take no lists: one that holds several values is given once for each.

    Args:
        script: What it runs.
        port: Of this machine.
        config: The settings file.
        given: Further words for the script.
    """
    settings = {**SETTINGS, "server.port": str(port)}
    settings["secrets.files"] = str(script.parent / "no-secrets.toml")  # there is no such file
    flags = [
        f"--{name}={value}"
        for name, values in settings.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    own = [] if config is None else ["--config", str(config.resolve())]
    place = ["--folder", str(Path.cwd())]
    return ["streamlit", "run", str(script), *flags, "--", *place, *own, *given]


def _given(
    run: Sequence[Path],
    model: Sequence[str],
    corpus: Sequence[Path],
    annotate: Sequence[Path],
    runs: Path | None,
) -> list[str]:
    """Return what the script is told of runs, models and corpora, once all of them can be used.

    Raises:
        InspectorError: If one cannot be used: of the class, and so with the exit code, that every
            command has for it.
    """
    models = [*map(_model, model), *(name for one in run for name in _models_of(one))]
    _check_read(corpus, annotate)
    root = None if runs is None else _root(runs)
    found = {
        "--run": [str(one.resolve()) for one in run],
        "--model": list(dict.fromkeys(models)),
        "--corpus": [str(one.resolve()) if one.exists() else str(one) for one in corpus],
        "--annotate": [str(one.resolve()) for one in annotate],
        "--runs": [] if root is None else [str(root)],
    }
    return [word for name, values in found.items() for value in values for word in (name, value)]


def _model(name: str) -> str:
    """Return what the script is to call a model, whose files are there."""
    from inspector.models.loading.model_names import ALIASES, model_folder

    folder = model_folder(name)
    if not (folder / "config.json").is_file():
        raise ModelError(
            f"model ({name}) must be a folder of a model, with config.json, tokenizer and weights: "
            "save one there (save_pretrained), or give another."
        )
    is_folder = name not in ALIASES and Path(name).expanduser().is_dir()
    return str(folder.resolve()) if is_folder else name


def _models_of(run: Path) -> list[str]:
    """Return the model of a run that can be opened, where its name leads to one."""
    from inspector.runs.run import Run

    name = Run.open(run).manifest.model
    try:
        return [_model(name)]
    except InspectorError:
        return []  # it was read from another folder: --model names it


def _check_read(corpus: Sequence[Path], annotate: Sequence[Path]) -> None:
    """Pass if each corpus can be read, and each annotation belongs to one."""
    from inspector.corpora.annotation.annotated_corpus import read_annotated

    if corpus or annotate:
        read_annotated(list(corpus) or None, list(annotate))


def _root(folder: Path) -> Path:
    """Return the folder for runs, made where only itself is missing."""
    try:
        folder.mkdir(exist_ok=True)
        if os.access(folder, os.W_OK | os.X_OK):
            return folder.resolve()
        reason = "it cannot be written to"
    except OSError as error:
        reason = error.strerror or str(error)
    raise OutputError(
        f"runs ({folder}) must be a folder that can be written to, and {reason}: choose another."
    )


def _script() -> Path:
    """Return the file that Streamlit runs."""
    spec = find_spec("inspector.dashboard")
    if spec is None or spec.origin is None:
        raise InputError("dashboard is not part of this installation: install it again.")
    return Path(spec.origin).parent / "script.py"


def _check_free(port: int) -> None:
    """Refuse a port that cannot be listened on."""
    with socket.socket() as trial:
        # As the server itself asks: a port whose last connections only linger is free.
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind((_ADDRESS, port))
        except OSError as error:
            reason = _TAKEN.get(error.errno or 0, f"one that can be opened: {error.strerror}")
            raise InputError(f"port ({port}) must be {reason}. Choose another one.") from None


def _ending_soon(set_handler: Callable[..., Any]) -> Callable[..., Any]:
    """Return a `signal.signal` whose handlers end the process, if need be, a little later.

    A server that is told to stop waits for every answer that is under way, however long.
    """

    def set_one(number: int, handler: Any) -> Any:
        def handle(*told: Any) -> None:
            timer = threading.Timer(_PATIENCE_S, os._exit, [0])
            timer.daemon = True
            timer.start()
            handler(*told)

        return set_handler(number, handle if callable(handler) else handler)

    return set_one


def _serve(words: list[str]) -> None:
    """Be the server until a signal ends it, and end with it."""
    sys.argv = words
    setattr(signal, "signal", _ending_soon(signal.signal))  # noqa: B010
    code: object = 0
    try:
        runpy.run_module("streamlit", run_name="__main__")
    except SystemExit as ended:
        code = ended.code
    sys.stdout.flush()
    sys.stderr.flush()
    # Not by returning: that would wait for, or run into, what the pages still compute.
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)
