"""Named corpora: where they are, what they must hold, and a cache of those that were fetched.

Nothing is fetched unless it is asked for by name. A download that breaks off goes on where it
stopped; what does not have the expected checksum is thrown away.
"""

import hashlib
import os
import re
import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from inspector.corpora.formats.line_reader import shown
from inspector.errors import InputError, OutputError
from inspector.input import open_regular
from inspector.yaml_file import YamlError, read_yaml

REGISTRY = Path(__file__).parents[1] / "corpora.yaml"
_ATTEMPTS = 4
_SECONDS_BETWEEN = 1.0
_TIMEOUT = (10.0, 30.0)
# What a broken connection loses is at most one of these.
_CHUNK = 1 << 12
_RULES = {
    "title": r".+",
    "url": r"https?://\S+",
    "sha256": r"[0-9a-f]{64}",
    "bytes": r"[1-9][0-9]{0,15}",
    "licence": r".+",
}


@dataclass(frozen=True)
class NamedCorpus:
    """A corpus that can be fetched by its name."""

    name: str
    title: str
    url: str
    sha256: str
    bytes: int
    licence: str

    @property
    def file_name(self) -> str:
        """Return the name of its file in the cache."""
        return f"{self.name}{Path(self.url).suffix}"


def named_corpora(registry: str | Path = REGISTRY) -> dict[str, NamedCorpus]:
    """Return name → corpus of a registry.

    Args:
        registry: A YAML file: name → title, url, sha256, bytes, licence.

    Raises:
        InputError: If an entry lacks something or holds what cannot be.
        OutputError: If the file cannot be read.

    Example:
        >>> list(named_corpora())
        ['en_ewt-ud-dev', 'en_gum-ud-dev']
    """
    path = Path(registry)
    try:
        entries = read_yaml(path)
    except OSError as error:
        raise OutputError(
            f"registry ({shown(path)}) cannot be read ({error.strerror}): check the name."
        ) from None
    except YamlError as error:
        raise InputError(f"registry ({shown(path)}) must be YAML in UTF-8: {error}.") from None
    if not isinstance(entries, dict):
        raise InputError(f"registry ({shown(path)}) must map names of corpora to their settings.")
    return {str(name): _entry(str(name), entry) for name, entry in entries.items()}


def _entry(name: str, entry: Any) -> NamedCorpus:
    given = entry if isinstance(entry, dict) else {}
    given = {str(key): str(value) for key, value in given.items()}
    wrong = sorted(given.keys() ^ _RULES.keys())
    wrong += [
        key for key, rule in _RULES.items() if key in given and not re.fullmatch(rule, given[key])
    ]
    if wrong or not re.fullmatch(r"[\w.+-]+", name) or name.startswith("."):
        raise InputError(
            f"corpus ({shown(name)}) in the registry must have a plain name and "
            f"{', '.join(field.name for field in fields(NamedCorpus)[1:])}, each as it should be: "
            f"look at {shown(', '.join(wrong)) or 'its name'}."
        )
    size = int(given.pop("bytes"))
    return NamedCorpus(name=name, bytes=size, **given)


def fetch_corpus(
    name: str,
    *,
    registry: str | Path = REGISTRY,
    cache: str | Path | None = None,
    offline: bool | None = None,
) -> Path:
    """Return the file of a named corpus, from the cache or, the first time, from its address.

    Args:
        name: A name of the registry.
        registry: The YAML file that knows it.
        cache: The folder where it is kept; the environment's INSPECTOR_CACHE, or the user's own
            cache folder, where not given.
        offline: Whether to stay off the network; where not given, whether the environment's
            HF_HUB_OFFLINE says so.

    Raises:
        InputError: If the name is unknown.
        OutputError: If the file is not in the cache and cannot be fetched, or what comes is not
            what the registry expects.
    """
    known = named_corpora(registry)
    if name not in known:
        raise InputError(
            f"corpus ({shown(name)}) must be a file or a known name. Available: {', '.join(known)}."
        )
    corpus, folder = known[name], _cache_folder(cache)
    path = folder / corpus.file_name
    try:
        if path.is_file() and _sha256(path) == corpus.sha256:
            return path
    except OSError as error:
        raise OutputError(f"corpus ({name}) cannot be read at {path} ({error.strerror}).") from None
    if _is_offline(offline):
        raise OutputError(
            f"corpus ({name}) is not in the cache ({folder}) and the network is switched off: "
            f"switch it on (HF_HUB_OFFLINE=0), or {_by_hand(corpus)}."
        )
    _download(corpus, path)
    return path


def _cache_folder(cache: str | Path | None) -> Path:
    import pooch

    chosen = cache or os.environ.get("INSPECTOR_CACHE") or pooch.os_cache("inspector")
    return Path(chosen).expanduser() / "corpora"


def _is_offline(offline: bool | None) -> bool:
    if offline is not None:
        return offline
    return os.environ.get("HF_HUB_OFFLINE", "").upper() in {"1", "ON", "YES", "TRUE"}


def _by_hand(corpus: NamedCorpus) -> str:
    return f"get {corpus.url} by another way and give the file (--corpus {corpus.file_name})"


def _sha256(path: Path) -> str:
    with open_regular(path) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _download(corpus: NamedCorpus, path: Path) -> None:
    import pooch
    import requests

    pooch.get_logger().setLevel("WARNING")
    try:
        pooch.retrieve(
            corpus.url,
            known_hash=f"sha256:{corpus.sha256}",
            fname=path.name,
            path=path.parent,
            downloader=_Resuming(corpus, path.with_name(f"{path.name}.part")),
        )
    except requests.HTTPError as error:
        status = "an error" if error.response is None else error.response.status_code
        raise OutputError(
            f"corpus ({corpus.name}) cannot be fetched: the server of {corpus.url} answered "
            f"{status}. Try again later, or {_by_hand(corpus)}."
        ) from None
    except requests.RequestException as error:
        raise OutputError(
            f"corpus ({corpus.name}) cannot be fetched ({type(error).__name__}): is there a "
            f"network? What came so far is kept; try again, or {_by_hand(corpus)}."
        ) from None
    except ValueError:
        raise OutputError(
            f"corpus ({corpus.name}) is not what it should be: what {corpus.url} gave does not "
            f"have the SHA-256 {corpus.sha256}. It was thrown away; try again, or give a file "
            "that you trust."
        ) from None
    except OSError as error:
        raise OutputError(
            f"corpus ({corpus.name}) cannot be kept at {path} ({error.strerror}): choose another "
            "folder with INSPECTOR_CACHE."
        ) from None


class _Resuming:
    """Downloads for pooch: a part that came before is kept beside the file and gone on from."""

    def __init__(self, corpus: NamedCorpus, part: Path) -> None:
        self._corpus = corpus
        self._part = part

    def __call__(self, url: str, output_file: str, pooch: Any) -> None:
        """Fetch the file, asking again for what is missing when the connection breaks."""
        from requests import ConnectionError, Timeout
        from requests.exceptions import ChunkedEncodingError

        for attempt in range(_ATTEMPTS):
            if attempt:
                time.sleep(_SECONDS_BETWEEN * attempt)
            try:
                self._go_on(url)
            except (ConnectionError, Timeout, ChunkedEncodingError):
                if attempt == _ATTEMPTS - 1:
                    raise
                continue
            if self._size() >= self._corpus.bytes or attempt == _ATTEMPTS - 1:
                break
        self._part.replace(output_file)

    def _size(self) -> int:
        return self._part.stat().st_size if self._part.exists() else 0

    def _go_on(self, url: str) -> None:
        import requests

        start = self._size()
        if start >= self._corpus.bytes:
            self._part.unlink()
            start = 0
        headers = {"Accept-Encoding": "identity"}
        if start:
            headers["Range"] = f"bytes={start}-"
        with requests.get(url, headers=headers, stream=True, timeout=_TIMEOUT) as response:
            response.raise_for_status()
            goes_on = response.status_code == 206
            left = self._corpus.bytes + 1 - (start if goes_on else 0)
            with self._part.open("ab" if goes_on else "wb") as stream:
                for chunk in response.iter_content(_CHUNK):
                    stream.write(chunk[:left])
                    left -= len(chunk)
                    if left <= 0:  # longer than it may be: the checksum will refuse it
                        return
