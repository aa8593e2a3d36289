"""Train a head: the page's process learns, is drawn as it goes, stops, and hinders nobody."""

import base64
import json
import struct
import time
from dataclasses import asdict

import pytest
from support.browser.dashboard_driver import texts

from inspector.dashboard.app_pages.concepts import train as page
from inspector.dashboard.implementation.side_process import SideProcess
from inspector.errors import InputError
from inspector.learning import train


@pytest.fixture
def started(monkeypatch):
    """Return the processes that were started; they are ended."""
    found = []
    begin = SideProcess.__init__

    def noted(self, *given):
        begin(self, *given)
        found.append(self)

    monkeypatch.setattr(SideProcess, "__init__", noted)
    yield found
    for each in found:
        each.stop()
        wait_for(lambda each=each: each.ended)


def wait_for(so, seconds=60):
    end = time.monotonic() + seconds
    while not so():
        assert time.monotonic() < end
        time.sleep(0.05)


def maps_of(app):
    return json.loads(app.get("bidi_component")[0].proto.json)["panes"]


def test_a_head_is_trained_drawn_and_stopped(open_page, started, monkeypatch):
    """The process is played by one that tells two real snapshots, then works on."""
    snapshots = [asdict(one) for one in train("repeat", 0, seconds=0.6)][:2]
    code = (
        f"import time; print({json.dumps(snapshots[0])!r}); print({json.dumps(snapshots[-1])!r}, "
    )
    monkeypatch.setattr(page, "_CODE", f"{code}flush=True); time.sleep(60)")
    app = open_page("concepts", mode="train")
    assert "induction head" in texts(app)
    app.button(key="train").click().run()
    assert not app.exception
    (process,) = started
    wait_for(lambda: len(process.lines) == 2)
    app.run()
    assert not app.exception
    told = snapshots[-1]
    right = f"right in {100 * told['accuracy']:.0f} %"
    assert f"Step {told['step']}, " in app.info[0].value
    assert f"{right} of what is asked, loss {told['loss']:.3f}" in app.info[0].value
    panes = maps_of(app)
    assert [pane["n"] for pane in panes] == [[24, 24]] * 4
    assert panes[0]["rows"] == list(told["letters"])
    for pane, shares, on_answer in zip(panes, told["maps"], told["on_answer"], strict=True):
        data = base64.b64decode(pane["values"])
        drawn = struct.unpack(f"<{len(data) // 4}f", data)
        assert drawn == pytest.approx([share for row in shares for share in row], abs=1e-6)
        assert pane["name"].endswith(f"{100 * on_answer:.0f} %")
    app.button(key="stop-training").click().run()
    wait_for(lambda: process.ended)
    app.run()
    assert "Stopped after" in texts(app)
    app.segmented_control(key="lang").set_value("zh").run()
    assert not app.exception
    assert "停止" in texts(app)


@pytest.mark.full
def test_a_process_trains_until_it_has_learnt(open_page, started):
    app = open_page("concepts", mode="train", pattern="previous")
    app.button(key="train").click().run()
    (process,) = started
    wait_for(lambda: process.ended, 130)
    app.run()
    assert "Learnt after" in app.success[0].value


def test_more_than_there_is_room_for_wait_and_what_ends_makes_room(started, monkeypatch):
    monkeypatch.setattr("inspector.dashboard.implementation.side_process._MOST", 1)
    first = SideProcess("import time; print('here', flush=True); time.sleep(60)", [], 60.0)
    with pytest.raises(InputError, match=r"processes \(1\) are running for other readers, as many"):
        SideProcess("pass", [], 60.0)
    wait_for(lambda: first.lines == ["here\n"])
    first.stop()
    wait_for(lambda: first.ended)
    second = SideProcess("import sys; print(sys.argv[1]); sys.exit('a complaint')", ["x"], 60.0)
    wait_for(lambda: second.ended)
    assert (second.lines, second.complaint, second.stopped) == (["x\n"], "a complaint", False)


def test_a_process_that_prints_or_runs_without_end_is_ended(started, monkeypatch):
    monkeypatch.setattr("inspector.dashboard.implementation.side_process._MOST_PRINTED", 1000)
    loud = SideProcess("while True: print('x' * 99)", [], 60.0)
    wait_for(lambda: loud.ended, 20)
    assert loud.stopped
    assert sum(map(len, loud.lines)) <= 1000
    slow = SideProcess("import time; time.sleep(60)", [], 0.3)
    wait_for(lambda: slow.ended, 20)
    assert slow.stopped
