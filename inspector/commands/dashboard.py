"""The command that starts the dashboard, with safe settings wherever it is called from.

Must not know: what is on the pages.
"""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

from inspector.commands.options import Debug, Json
from inspector.errors import InputError
from inspector.records import json_text

EXAMPLE = "inspector dashboard --port 8502"
_LAST_PORT = 65535
SETTINGS = {
    "server.address": "127.0.0.1",
    "server.allowedHosts": '["localhost", "127.0.0.1"]',
    "server.headless": "true",
    "server.fileWatcherType": "none",
    "server.maxUploadSize": "1",
    "server.maxMessageSize": "50",
    "browser.gatherUsageStats": "false",
    "client.showErrorDetails": "none",
    "client.showErrorLinks": "false",
    "client.toolbarMode": "minimal",
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
            "dashboard needs Streamlit, which is not installed: "
            "install inspector with its extra, inspector[dashboard]."
        )
    if as_json:
        print(json_text({"url": f"http://127.0.0.1:{port}", "settings": SETTINGS}), flush=True)
    # What Streamlit says is no result: with --json stdout holds one document.
    output = sys.stderr if as_json else None
    started = subprocess.run(command(port, config), check=False, stdout=output)  # noqa: S603  # our own words
    raise typer.Exit(started.returncode)


def command(port: int, config: Path | None) -> list[str]:
    """Return the command line that starts Streamlit on this machine alone."""
    spec = find_spec("inspector.dashboard")
    if spec is None or spec.origin is None:
        raise InputError("dashboard is not part of this installation: install it again.")
    script = Path(spec.origin).parent / "script.py"
    settings = [f"--{name}={value}" for name, value in SETTINGS.items()]
    own = [] if config is None else ["--config", str(config.resolve())]
    start = [sys.executable, "-m", "streamlit", "run", str(script), f"--server.port={port}"]
    return [*start, *settings, "--", *own]
