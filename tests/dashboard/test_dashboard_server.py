"""How the dashboard is served: to this machine only, telling nobody anything."""

import sys
import tomllib
import urllib.error
import urllib.request
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from support.browser.dashboard_driver import ROOT
from support.browser.serving import FORGED, handshake

LISTENING = "0A"


def test_the_settings_that_keep_it_private():
    config = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))
    assert config["server"]["address"] == "127.0.0.1"
    assert config["server"]["allowedHosts"] == ["localhost", "127.0.0.1"]
    assert config["server"]["fileWatcherType"] == "none"
    assert config["server"]["maxUploadSize"] == 20
    assert config["browser"]["gatherUsageStats"] is False
    assert config["client"]["showErrorDetails"] == "none"
    assert config["client"]["showErrorLinks"] is False


def test_makefile_serves_without_the_hub():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert "export HF_HUB_OFFLINE ?= 1" in makefile
    assert "streamlit run app.py" in makefile


@pytest.mark.process
def test_the_dashboards_own_page_may_connect(server):
    assert handshake(server) == 101


@pytest.mark.process
def test_another_sites_page_may_not(server):
    for name, forged in FORGED.items():
        assert handshake(server, **forged) == 403, name


@pytest.mark.process
@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc/net")
def test_it_listens_on_the_loopback_address_only(server):
    port = f"{urlsplit(server).port:04X}"
    addresses = []
    for table in ("tcp", "tcp6"):
        for line in Path(f"/proc/net/{table}").read_text().splitlines()[1:]:
            _, local, _, state, *_ = line.split()
            address, its_port = local.split(":")
            if state == LISTENING and its_port == port:
                addresses.append(address)
    assert addresses == ["0100007F"]


@pytest.mark.process
@pytest.mark.parametrize("path", ["app.py", "configs/minilm.yaml", ".git/HEAD"])
def test_files_beside_it_are_not_served(server, path):
    with urllib.request.urlopen(f"{server}/{path}", timeout=60) as answer:  # noqa: S310
        body = answer.read().decode()
    assert "<title>Streamlit</title>" in body


@pytest.mark.process
def test_the_folder_above_is_not_served(server):
    with pytest.raises(urllib.error.HTTPError, match="400"):
        urllib.request.urlopen(f"{server}/../pyproject.toml", timeout=60)  # noqa: S310
