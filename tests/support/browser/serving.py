"""How the tests start a dashboard in a process of its own, and speak to it."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from urllib.parse import urlsplit

from support.browser.dashboard_driver import ROOT


def free_port():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        return listening.getsockname()[1]


def listens(port):
    """Return whether somebody answers at a port of this machine."""
    with socket.socket() as trial:
        trial.settimeout(5)
        return trial.connect_ex(("127.0.0.1", port)) == 0


def serve(port, log, *arguments):
    """Start the dashboard in a process of its own, as `make run` does, the hub out of reach."""
    command = [sys.executable, "-m", "streamlit", "run", "app.py", "--server.port", str(port)]
    with log.open("w") as output:
        return subprocess.Popen(
            [*command, *(["--", *arguments] if arguments else [])],
            cwd=ROOT,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
            stdout=output,
            stderr=subprocess.STDOUT,
        )


def wait_until_healthy(process, port, log):
    """Return the address of a server as soon as it answers.

    Raises:
        AssertionError: If it ended, or does not answer within three minutes.
    """
    address = f"http://127.0.0.1:{port}"
    end = time.monotonic() + 180
    while time.monotonic() < end:
        assert process.poll() is None, f"the server ended: {log.read_text()}"
        try:
            with urllib.request.urlopen(f"{address}/_stcore/health", timeout=5) as answer:  # noqa: S310
                if answer.read() == b"ok":
                    return address
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)
    raise AssertionError(f"the server did not start within 180 s: {log.read_text()}")


def end(process):
    """End a server that a test may have left, the hard way if it must be."""
    process.terminate()
    try:
        process.wait(60)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(60)


def handshake(server, *, host=None, origin=None):
    """Return the status of the answer to a websocket's first request."""
    place = urlsplit(server)
    lines = [
        "GET /_stcore/stream HTTP/1.1",
        f"Host: {host or place.netloc}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
        f"Origin: {origin or server}",
    ]
    with socket.create_connection((place.hostname, place.port), timeout=60) as connection:
        connection.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        return int(connection.recv(1024).split()[1])


FORGED = {
    "host": {"host": "evil.example"},
    "origin": {"origin": "http://evil.example"},
    "both": {"host": "evil.example", "origin": "http://evil.example"},
    "lookalike": {"host": "127.0.0.1.evil.example"},
}
"""What a page of another site would say."""
