"""Data: which corpora and runs there are, how far those under way are, and how a run is started."""

import time
from pathlib import Path
from typing import Any

import streamlit as st

from inspector import words
from inspector.corpora import Corpus
from inspector.corpora.default import DEFAULT_NAME
from inspector.dashboard import address, profiled, shared_corpora, store, widgets
from inspector.dashboard.guards import guarded, plain, told
from inspector.dashboard.parts import exports
from inspector.dashboard.runs import choice, texts, under_way
from inspector.dashboard.settings import Visit
from inspector.errors import InspectorError
from inspector.runs.background import processes
from inspector.runs.background.job import Job, folder_of, read_job, slug, write_job
from inspector.runs.background.shelf import Listed
from inspector.words import sentences

SOURCES = ("upload", "paste", "known")
PASTED = "pasted text"
_LOOK_S = 2.0
_MOST_SHOWN = 40
_COLORS = {
    "complete": "green", "running": "blue", "stopped": "gray", "failed": "red", "damaged": "red",
}  # fmt: skip
_TROUBLE, _CHANGED, _BUSY, _PASTED = "_data_trouble", "_data_changed", "_data_busy", "_text_pasted"
_OWN_CORPUS = "inspector"
_CORPUS = ("sentences", "words", "documents", "annotation")
Given = tuple[str, tuple[str, ...], bytes, str]
"""What a text is called, its files, or its bytes and their suffix."""


def show(visit: Visit) -> None:
    """Show runs and how to start one, then what was left out, then the corpora."""
    t = words.of("data", visit.language)
    widgets.heading(t["title"], t["purpose"])
    runs = choice.all_runs(visit.settings)
    st.header(t["runs"], anchor=False)
    busy = any(one.state == "running" for one in runs)
    st.session_state[_BUSY] = busy
    st.fragment(_runs, run_every=_LOOK_S if busy else None)(visit)
    _start(visit, t)
    _left_out(visit, t)
    _corpora(visit, t)


def _runs(visit: Visit) -> None:
    """Show every run with its state; drawn anew by itself while one is under way."""
    t = words.of("data", visit.language)
    runs = choice.all_runs(visit.settings)
    busy = any(one.state == "running" for one in runs)
    # What is done can be chosen in the sidebar, which is no part of this fragment.
    if st.session_state.pop(_CHANGED, False) or busy != st.session_state.get(_BUSY, busy):
        st.rerun()
    trouble = st.session_state.pop(_TROUBLE, None)
    if trouble:
        st.error(plain(told(trouble)), icon=":material/error:")
    if not runs:
        st.markdown(t["no_runs"])
    for number, one in enumerate(runs[:_MOST_SHOWN]):
        _run(one, number, visit, t)
    if len(runs) > _MOST_SHOWN:
        st.caption(t["more_runs"].format(shown=_MOST_SHOWN, all=len(runs)))
    st.caption(t["root"].format(folder=plain(choice.root_of(visit.settings))))


def _run(one: Listed, number: int, visit: Visit, t: words.Words) -> None:
    with st.container(border=True, key=f"run-{number}"):
        with st.container(horizontal=True, vertical_alignment="center"):
            called = texts.called(one.corpus or one.name, visit.language)
            st.markdown(f"**{plain(called)}** · {plain(one.model)}")
            st.badge(t[one.state], color=_COLORS[one.state])  # type: ignore[arg-type]
            if one.folder == visit.run:
                st.badge(t["shown"], color="violet")
        made = time.strftime("%Y-%m-%d %H:%M", time.localtime(one.made)) if one.made else "–"
        what = t["is_default"] if choice.is_default(one) else plain(one.name)
        what = t[f"kind_{one.kind}"] if one.kind != "profile" else what
        st.caption(f"{what} · {made}")
        if one.sentence:
            st.markdown(plain(told(one.sentence)))
        elif one.state == "stopped" and one.status.share:
            st.caption(t["was_stopped"].format(percent=f"{100 * one.status.share:.0f}"))
        if one.state == "running":
            st.progress(min(one.status.share, 1.0), text=under_way.progress(one, visit.language))
        with st.container(horizontal=True):
            _buttons(one, number, visit, t)


def _buttons(one: Listed, number: int, visit: Visit, t: words.Words) -> None:
    job = folder_of(choice.root_of(visit.settings), one.name)
    model = choice.chosen_model(one, visit.settings) or visit.model
    if one.state == "complete" and one.kind != "profile":
        page = "ablation" if one.kind == "ablation" else "specialization"
        widgets.link(visit, page, t["open"], model=model, run=_run_of(read_job(job), visit))
    elif one.state == "complete":
        name = choice.DEFAULT if choice.is_default(one) else one.name
        widgets.link(visit, "specialization", t["open"], model=model, run=name)
        if one.folder != visit.run:
            widgets.link(visit, "compare", t["compare"], other=one.name)
    elif one.state == "running" and one.has_job:
        st.button(t["stop"], key=f"stop-{number}", on_click=_stop, args=(job,))
    elif one.has_job:
        st.button(t["resume"], key=f"resume-{number}", on_click=_resume, args=(job, visit))
    elif one.state == "stopped":
        st.caption(t["resume_there"])


def _run_of(job: Job, visit: Visit) -> str:
    """Return the code of the run that an ablation or an atlas is of."""
    for one in choice.all_runs(visit.settings):
        is_made_of = job.corpus == (str(one.folder.resolve()),)
        if job.kind == "ablation":
            is_made_of = bool(job.corpus) and one.corpus_sha256 == job.text_sha256
        if is_made_of and one.kind == "profile" and not choice.is_default(one):
            return one.name
    return choice.DEFAULT


def _stop(job: Path) -> None:
    processes.stop(job)
    st.session_state[_CHANGED] = True


def _resume(job: Path, visit: Visit) -> None:
    try:
        wanted = read_job(job)
        known = {str(one.folder.resolve()) for one in choice.all_runs(visit.settings)}
        files = known if wanted.kind == "atlas" else {*_files(visit)}
        # A text that a reader gave lies with the job that it was given for.
        mine = {one for one in wanted.corpus if Path(one).parent.parent == job.parent}
        if wanted.model in visit.settings.models and set(wanted.corpus) - mine <= files:
            processes.start(job, visit.settings.most_runs)
        else:
            t = words.of("data", visit.language)
            st.session_state[_TROUBLE] = t["not_offered"].format(model=wanted.model)
    except InspectorError as error:
        st.session_state[_TROUBLE] = str(error)
    st.session_state[_CHANGED] = True


def _files(visit: Visit) -> list[str]:
    return [*(visit.settings.corpus or ()), *visit.settings.corpora]


def _start(visit: Visit, t: words.Words) -> None:
    """Show how a text is given, and start the run on it when asked."""
    st.header(t["start"], anchor=False)
    if visit.settings.most_runs == 0:
        st.markdown(t["none_may_start"])
        return
    source = address.switch(
        t["source"], "given", SOURCES, SOURCES[0], named=lambda name: t[f"source_{name}"]
    )
    given = {"upload": _uploaded, "paste": _pasted, "known": _known}[source](visit, t)
    left, right = st.columns(2, vertical_alignment="bottom")
    models = visit.settings.models
    model = left.selectbox(
        t["model"], models, index=models.index(visit.model), key="start-model",
        placeholder=words.of("shell", visit.language)["choose"],
    )  # fmt: skip
    ablation = right.toggle(
        t["ablation"], value=True, key="start-ablation", help=t["ablation_help"]
    )
    windows = right.toggle(t["windows"], key="start-windows", help=t["windows_help"])
    asked = st.button(t["begin"], key="begin", type="primary", disabled=given is None)
    st.caption(t["private"])
    if not asked or given is None:
        return
    called, files, data, suffix = given
    settings: dict[str, Any] = {"ablation": ablation, **store.SETTINGS}
    if windows:
        settings["long"] = "windows"
    job = Job(model, called, files, settings=settings)
    if data:
        digest = texts.digest(data)
        job = Job(model, called, (), f"{slug(called)}{suffix}", digest, settings)
    with guarded():
        folder = write_job(choice.root_of(visit.settings), job, data)
        if data:
            texts.remember(folder / job.text)
        processes.start(folder, visit.settings.most_runs)
    st.rerun()


def _uploaded(visit: Visit, t: words.Words) -> Given | None:
    most = visit.settings.most_upload_mb
    file = st.file_uploader(t["file"].format(most=most), key="start-file", max_upload_size=most)
    if file is None:
        return None
    return _read(file.getvalue(), file.name, visit, t)


def _pasted(visit: Visit, t: words.Words) -> Given | None:
    # A widget that is not drawn forgets what it held: leaving the page would lose it.
    text = st.text_area(
        t["text"], value=st.session_state.get(_PASTED, ""), key="start-text", height=200,
        help=t["text_help"],
    )  # fmt: skip
    st.session_state[_PASTED] = text
    if not text.strip():
        return None
    with guarded():
        data = texts.encoded(text)
    return _read(data, f"{PASTED}{texts.suffix_of(text)}", visit, t)


def _read(data: bytes, name: str, visit: Visit, t: words.Words) -> Given | None:
    """Return a text that was given, once it is known that it can be read; else say why not."""
    try:
        corpus = texts.read_given(data, name, visit.settings)
    except InspectorError as error:
        st.error(plain(told(error)), icon=":material/error:")
        return None
    suffix = Path(name).suffix.lower()
    called = PASTED if name.startswith(f"{PASTED}.") else name
    st.markdown(t["holds"].format(**_counts(corpus)))
    if corpus.skipped:
        first = corpus.skipped[0]
        said = t["holds_skipped"].format(
            count=len(corpus.skipped),
            line=first.line,
            reason=plain(sentences.said(first.reason, "reasons", visit.language)),
        )
        st.warning(said, icon=":material/warning:")
    return called, (), data, suffix


def _known(visit: Visit, t: words.Words) -> Given | None:
    files = list(dict.fromkeys(_files(visit)))
    chosen = address.select(
        t["corpus"], "corpus", [_OWN_CORPUS, *(str(n) for n in range(len(files)))], _OWN_CORPUS,
        named=lambda code: t["own_corpus"] if code == _OWN_CORPUS else Path(files[int(code)]).name,
    )  # fmt: skip
    if chosen == _OWN_CORPUS:
        return DEFAULT_NAME, (), b"", ""
    file = files[int(chosen)]
    return Path(file).name, (file,), b"", ""


def _counts(corpus: Corpus) -> dict[str, Any]:
    return {
        "sentences": len(corpus.sentences),
        "words": sum(len(sentence.words) for sentence in corpus.sentences),
        "documents": len(set(corpus.document_ids())),
        "annotation": corpus.annotation,
    }


def _left_out(visit: Visit, t: words.Words) -> None:
    """Show what the run that is shown could not use, and why."""
    st.header(t["left_out"], anchor=False)
    try:
        run = profiled.at_hand(visit)
    except store.VerifiableOnly:
        run = None
    if run is None:
        st.markdown(t["no_run"])
        return
    corpus = texts.called(run.manifest.corpus, visit.language)
    st.markdown(t["of_run"].format(corpus=plain(corpus)))
    widgets.text_table(
        [t["what"], t["count"]],
        (
            (_counted(str(what), visit.language), count)
            for what, count in zip(run.totals["what"], run.totals["count"], strict=True)
        ),
    )
    skipped = run.frames["skipped"]
    if skipped.empty:
        st.markdown(t["none_skipped"])
    else:
        columns = {
            "file": t["in_file"], **{name: t[name] for name in ("line", "sentence", "reason")},
        }  # fmt: skip
        in_a_line = skipped["line"].astype("Int64").where(skipped["line"] > 0)
        shown = skipped.assign(line=in_a_line)
        widgets.frame_table(shown, "skipped", "skipped", columns, visit.language)
    frames = {"totals": run.totals, "skipped": skipped}
    folder = store.folder_of_run(visit)
    exports.frames(frames, lambda name: exports.of_run(folder, f'frames["{name}"]'), visit.language)


def _counted(what: str, language: str) -> str:
    """Return what a total counts; of further annotation it is named, and what was left out."""
    said = sentences.said(what, "counts", language)
    annotation, is_left_out, reason = what.partition(": ")
    if said != what or not is_left_out:
        return said
    return f"{words.term(annotation, language)}: {sentences.said(reason, 'reasons', language)}"


def _corpora(visit: Visit, t: words.Words) -> None:
    """Show the corpora that are known here."""
    st.header(t["corpora"], anchor=False)
    rows, troubles = [], []
    for name, file in [(t["own_corpus"], None), *((Path(f).name, f) for f in _files(visit))]:
        try:
            counted = _counts(shared_corpora.corpus_in(file))
        except InspectorError as error:
            troubles.append(str(error))
            continue
        rows.append([name, *(words.term(str(counted[key]), visit.language) for key in _CORPUS)])
    widgets.text_table([t["corpus"], *(t[key] for key in _CORPUS)], rows)
    for sentence in troubles:
        st.warning(plain(told(sentence)), icon=":material/warning:")
