"""Named corpora, fetched from a server on this machine: whole, broken off, spoilt, out of reach."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml
from support.each import each

CONTENT = "".join(f"1\tGo{i}\t_\tVERB\t_\t_\t0\troot\t_\t_\n\n" for i in range(9_000)).encode()


class Handler(BaseHTTPRequestHandler):
    """Serves CONTENT as the server's `mode` says, and notes what was asked for."""

    def do_GET(self):
        server = self.server
        server.asked.append(self.headers.get("Range"))
        broken = server.mode == "broken" or (server.mode == "once" and len(server.asked) == 1)
        if server.mode == "gone":
            self.send_error(404)
            return
        content, status = CONTENT, 200
        if server.mode == "spoilt":
            content = CONTENT.replace(b"Go77", b"Ga77")
        if server.mode == "endless":
            content = CONTENT * 3
        if self.headers.get("Range") and server.ranges:
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            content, status = content[start:], 206
        self.send_response(status)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content[:100_000] if broken else content)

    def log_message(self, *_):
        """Keep the terminal clean."""


@pytest.fixture
def server(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("HF_HUB_OFFLINE", "0")
    monkeypatch.setattr("inspector.corpora.formats.download._SECONDS_BETWEEN", 0.0)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.mode, server.ranges, server.asked = "whole", True, []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def registry(server, tmp_path):
    entry = {
        "title": "A small treebank",
        "url": f"http://127.0.0.1:{server.server_port}/small.conllu",
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "bytes": len(CONTENT),
        "licence": "CC0",
    }
    path = tmp_path / "registry.yaml"
    path.write_text(yaml.safe_dump({"small": entry}))
    return path


@pytest.fixture
def fetch(registry, tmp_path):
    """Return a function that fetches the corpus into a cache of the test's own."""
    from inspector.corpora import fetch_corpus

    return lambda **settings: fetch_corpus(
        "small", registry=registry, cache=tmp_path / "cache", **settings
    )


def start_of(asked):
    return int(asked.removeprefix("bytes=").removesuffix("-"))


def left_over(tmp_path):
    return sorted(p.name for p in (tmp_path / "cache" / "corpora").iterdir())


def test_a_corpus_is_fetched_once(fetch, server, tmp_path):
    path = fetch()
    assert path == tmp_path / "cache" / "corpora" / "small.conllu"
    assert path.read_bytes() == CONTENT
    assert fetch() == path
    assert fetch(offline=True) == path
    assert server.asked == [None]
    assert left_over(tmp_path) == ["small.conllu"]


def test_a_corpus_that_is_fetched_can_be_read(fetch):
    from inspector.corpora import read_corpus

    assert len(read_corpus(fetch(), strict=True).sentences) == 9_000


def test_a_download_that_breaks_off_goes_on_where_it_stopped(fetch, server, tmp_path):
    server.mode = "once"
    assert fetch().read_bytes() == CONTENT
    first, second = server.asked
    assert first is None
    assert 95_000 < start_of(second) <= 100_000
    assert left_over(tmp_path) == ["small.conllu"]


def test_without_ranges_it_starts_again(fetch, server):
    server.mode, server.ranges = "once", False
    assert fetch().read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_a_killed_download_goes_on_in_the_next_process(fetch, server, tmp_path):
    part = tmp_path / "cache" / "corpora" / "small.conllu.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CONTENT[:1234])
    assert fetch().read_bytes() == CONTENT
    assert server.asked == ["bytes=1234-"]


@pytest.mark.parametrize("stale", [CONTENT, CONTENT + b"x"])
def test_a_part_that_is_too_long_is_fetched_anew(fetch, server, tmp_path, stale):
    part = tmp_path / "cache" / "corpora" / "small.conllu.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(stale)
    assert fetch().read_bytes() == CONTENT
    assert server.asked == [None]


def test_a_download_that_keeps_breaking_off_is_said_and_what_came_is_kept(
    fetch, server, registry, tmp_path
):
    from inspector.errors import OutputError

    server.mode = "broken"
    server.ranges = False
    with pytest.raises(OutputError) as error:
        fetch()
    url = f"http://127.0.0.1:{server.server_port}/small.conllu"
    assert str(error.value) == (
        "corpus (small) cannot be fetched (ChunkedEncodingError): is there a network? What came "
        f"so far is kept; try again, or get {url} by another way and give the file "
        "(--corpus small.conllu)."
    )
    assert len(server.asked) == 4
    assert left_over(tmp_path) == ["small.conllu.part"]
    server.mode, server.ranges = "whole", True
    assert fetch().read_bytes() == CONTENT
    assert 95_000 < start_of(server.asked[-1]) <= 100_000


@pytest.mark.parametrize("mode", ["spoilt", "endless"])
def test_what_has_another_checksum_is_thrown_away(fetch, server, tmp_path, mode):
    from inspector.errors import OutputError

    server.mode = mode
    with pytest.raises(OutputError) as error:
        fetch()
    url = f"http://127.0.0.1:{server.server_port}/small.conllu"
    assert str(error.value) == (
        f"corpus (small) is not what it should be: what {url} gave does not have the SHA-256 "
        f"{hashlib.sha256(CONTENT).hexdigest()}. It was thrown away; try again, or give a file "
        "that you trust."
    )
    assert left_over(tmp_path) == []


def test_a_cached_file_that_was_changed_is_fetched_again(fetch, server):
    path = fetch()
    path.write_bytes(CONTENT[:-1])
    assert fetch().read_bytes() == CONTENT
    assert len(server.asked) == 2


def test_a_file_that_is_gone_is_said(fetch, server):
    from inspector.errors import OutputError

    server.mode = "gone"
    with pytest.raises(OutputError) as error:
        fetch()
    url = f"http://127.0.0.1:{server.server_port}/small.conllu"
    assert str(error.value) == (
        f"corpus (small) cannot be fetched: the server of {url} answered 404. Try again later, "
        f"or get {url} by another way and give the file (--corpus small.conllu)."
    )


def test_a_server_that_is_not_there_is_said(fetch, server):
    from inspector.errors import OutputError

    server.shutdown()
    server.server_close()
    with pytest.raises(OutputError, match=r"^corpus \(small\) cannot be fetched \(ConnectionError"):
        fetch()


@pytest.mark.parametrize("by", ["argument", "environment"])
def test_offline_nothing_is_asked_for(fetch, server, tmp_path, monkeypatch, by):
    from inspector.errors import OutputError

    if by == "environment":
        monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(OutputError) as error:
        fetch(offline=True if by == "argument" else None)
    url = f"http://127.0.0.1:{server.server_port}/small.conllu"
    assert str(error.value) == (
        f"corpus (small) is not in the cache ({tmp_path}/cache/corpora) and the network is "
        f"switched off: switch it on (HF_HUB_OFFLINE=0), or get {url} by another way and give "
        "the file (--corpus small.conllu)."
    )
    assert error.value.exit_code == 4
    assert server.asked == []


def test_a_cache_that_cannot_be_written_is_said(fetch, tmp_path):
    from inspector.errors import OutputError

    (tmp_path / "cache").write_text("a file")
    with pytest.raises(OutputError) as error:
        fetch()
    assert str(error.value) == (
        f"corpus (small) cannot be kept at {tmp_path}/cache/corpora/small.conllu "
        "(Not a directory): choose another folder with INSPECTOR_CACHE."
    )


def test_an_unknown_name_is_refused():
    from inspector.corpora import fetch_corpus
    from inspector.errors import InputError

    with pytest.raises(InputError) as error:
        fetch_corpus("en_ewt")
    assert str(error.value) == (
        "corpus (en_ewt) must be a file or a known name. Available: en_ewt-ud-dev, en_gum-ud-dev."
    )


@pytest.mark.parametrize("name", ["ewt", "gum"])
def test_the_registry_knows_the_files_that_we_have(gold_file, name):
    from inspector.corpora import named_corpora

    path = gold_file(name)
    corpus = named_corpora()[path.stem]
    assert corpus.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert corpus.bytes == path.stat().st_size
    assert corpus.url.startswith("https://")
    assert corpus.url.endswith(f"/{path.name}")
    assert corpus.licence.startswith("CC BY-")


GOOD = {"title": "t", "url": "https://x/y.conllu", "sha256": "0" * 64, "bytes": 1, "licence": "l"}


@each(
    ("entries", "what"),
    [
        ({"a": GOOD | {"sha256": "0"}}, "corpus (a)*look at sha256."),
        ({"a": GOOD | {"bytes": 0, "url": "ftp://x"}}, "corpus (a)*look at url, bytes."),
        ({"a": {"title": "t"}}, "corpus (a)*look at bytes, licence, sha256, url."),
        ({"a": GOOD | {"more": 1}}, "corpus (a)*look at more."),
        ({"../a": GOOD}, "corpus (../a)*look at its name."),
        ({"a": 1}, "corpus (a)*look at bytes, licence, sha256, title, url."),
    ],
)
def test_a_registry_entry_that_cannot_be_is_named(write, entries, what):
    from inspector.corpora import named_corpora
    from inspector.errors import InputError

    with pytest.raises(InputError) as error:
        named_corpora(write(yaml.safe_dump(entries), "r.yaml"))
    name, place = what.split("*")
    assert str(error.value) == (
        f"{name} in the registry must have a plain name and title, url, sha256, bytes, licence, "
        f"each as it should be: {place}"
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"- a", "must map names of corpora to their settings."),
        (b"a: [", "must be YAML in UTF-8: while parsing a flow node: "),
        (b"\xff", "must be YAML in UTF-8: it is not UTF-8 text."),
    ],
)
def test_a_registry_that_cannot_be_read_is_said(write, content, words):
    from inspector.corpora import named_corpora
    from inspector.errors import InputError

    path = write(content, "r.yaml")
    with pytest.raises(InputError) as error:
        named_corpora(path)
    assert str(error.value).startswith(f"registry ({path}) {words}")


def test_a_registry_that_is_missing_is_said(tmp_path):
    from inspector.corpora import named_corpora
    from inspector.errors import OutputError

    with pytest.raises(OutputError) as error:
        named_corpora(tmp_path / "no.yaml")
    assert str(error.value) == (
        f"registry ({tmp_path}/no.yaml) cannot be read (No such file or directory): check the name."
    )
