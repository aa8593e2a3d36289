"""The command that starts the dashboard, with safe settings wherever it is called from.

The command's own process becomes the server: what ends the one ends the other.
"""

import errno
import os
import runpy
import socket
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from inspector.commands.options import Debug, Json
from inspector.errors import InputError, extra
from inspector.records import json_text

EXAMPLE = "inspector dashboard --port 8502"
_LAST_PORT = 65535
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
    "server.maxUploadSize": "1",
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
    port: Annotated[int, typer.Option(help="Of this machine; nobody else can reach it.")] = 8501,
    config: Annotated[
        Path | None, typer.Option(help="A settings file; that of minilm if none.")
    ] = None,
    as_json: Json = False,
    debug: Debug = False,
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
    if as_json:
        print(json_text({"url": f"http://{_ADDRESS}:{port}", "settings": SETTINGS}), flush=True)
        # What Streamlit says is no result: with --json stdout holds one document.
        os.dup2(sys.stderr.fileno(), sys.stdout.fileno())
    words = streamlit_words(script, port, config)
    # Streamlit obeys a .streamlit/config.toml or secrets.toml of the folder that it starts in,
    # and a stranger may have left one in the reader's: it starts in ours.
    os.chdir(script.parent)
    _serve(words)


def streamlit_words(script: Path, port: int, config: Path | None) -> list[str]:
    """Return what Streamlit is told to serve a script on this machine alone.

    Its options take no lists: one that holds several values is given once for each.
    """
    settings = {**SETTINGS, "server.port": str(port)}
    settings["secrets.files"] = str(script.parent / "no-secrets.toml")  # there is no such file
    flags = [
        f"--{name}={value}"
        for name, values in settings.items()
        for value in ([values] if isinstance(values, str) else values)
    ]
    own = [] if config is None else ["--config", str(config.resolve())]
    return ["streamlit", "run", str(script), *flags, "--", "--folder", str(Path.cwd()), *own]


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


def _serve(words: list[str]) -> None:
    """Be the server until a signal ends it, and end with it."""
    sys.argv = words
    code: object = 0
    try:
        runpy.run_module("streamlit", run_name="__main__")
    except SystemExit as ended:
        code = ended.code
    sys.stdout.flush()
    sys.stderr.flush()
    # Not by returning: that would wait for, or run into, what the pages still compute.
    os._exit(code if isinstance(code, int) else 0 if code is None else 1)
