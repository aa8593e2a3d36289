"""The command that judges claims: of papers, or one's own.

Must not know: formulas, how a claim is judged.
"""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from inspector.commands.options import (
    Annotations,
    BatchTokens,
    Framed,
    Loading,
    Roles,
    Seed,
    chosen_columns,
)
from inspector.console import print_frame, progress, say
from inspector.records import json_text, records

EXAMPLE = "inspector check 'minilm 3-1 obj from the verb'"
NOT_HOLDING = 1
_A_PAGE = 3
"""Claims that are shown at length; of more a table."""
_TABLE = ["claim", "model", "layer", "head", "what", "direction", "verdict", "explained_by",
          "n", "accuracy", "lift"]  # fmt: skip


def check(
    claims: Annotated[
        list[str],
        typer.Argument(
            help="'MODEL HEAD RELATION', a sentence about a head, a .yaml file of claims, or "
            "published ones (clark-2019, …)."
        ),
    ],
    corpus: Annotated[
        list[Path] | None,
        typer.Option(help="A .conllu file or a known name; inspector's own if none."),
    ] = None,
    roles: Roles = None,
    annotate: Annotations = None,
    labels: Annotated[
        Literal["universal", "full"] | None,
        typer.Option(help="As in profile; full for nsubj:pass if not given.", show_default=False),
    ] = None,
    replicate: Annotated[
        list[Path] | None,
        typer.Option(help="Other text: heads and rules are scored there as they stand."),
    ] = None,
    model: Annotated[
        str | None,
        typer.Option(
            help="Ask this model instead of the one that claims name.", show_default=False
        ),
    ] = None,
    seed: Seed = 0,
    batch_tokens: BatchTokens = None,
    *,
    loading: Loading,
    options: Framed,
) -> None:
    """Judge claims about heads; exit code 1 if one of them does not hold."""
    options.target()
    with progress() as show:
        show("Reading", 0.0)
        from inspector.runs.check.checking import PUBLISHED, checked_claims

        # Without its quotes one claim comes as several words.
        whole = (*PUBLISHED, ".yaml", ".yml")
        if not any(" " in one or one.endswith(whole) for one in claims):
            claims = [" ".join(claims)]
        found = checked_claims(
            claims,
            corpus or None,
            model=model,
            replicate=replicate or (),
            annotations=[*(roles or ()), *(annotate or ())],
            labels=labels,
            seed=seed,
            batch_tokens=batch_tokens,
            progress=show,
            **loading.keywords,
        )
    options.write(found.frame)
    if options.as_json:
        rows = records(found.frame)
        if replicate:
            again = records(found.replication)
            for row in rows:
                row["replication"] = [one for one in again if _is_of(one, row)]
        print(json_text({"claims": rows}))
    else:
        _print(found, options)
        if options.output is not None:
            say(f"{len(found.frame)} rows written to {options.output}")
    if len(found.holding) < found.n_claims:
        raise typer.Exit(NOT_HOLDING)


def _print(found: Any, options: Framed) -> None:
    frame, holding = found.frame, set(found.holding)
    asked = options.columns or options.everything
    if asked or found.n_claims > _A_PAGE:
        what = frame["relation"].where(frame["relation"] != "", frame["target"])
        shown = chosen_columns(frame, options.columns) if asked else frame.assign(what=what)[_TABLE]
        print_frame(shown, "Claims", whole=options.everything)
    else:
        for number, rows in frame.groupby("claim"):
            first = rows.iloc[0]
            held = "holds" if number in holding else "does not hold"
            say(f"{_claimed(first)}: {held}.")
            for row in rows.to_dict("records"):
                for line in _page(row, found.replication):
                    say(f"  {line}")
    for reason in dict.fromkeys(frame.loc[frame["reason"] != "", "reason"]):
        say(f"not asked: {reason}")
    say(f"{len(holding)} of {found.n_claims} claims hold.")


def _claimed(row: Any) -> str:
    who = "some head" if row["head"] < 0 else f"head {row['layer']}-{row['head']}"
    does = f"follows {row['relation']}" if row["relation"] else f"looks at: {row['target']}"
    by = f" ({row['source']})" if row["source"] else ""
    return f"{row['claim']}. {who} of {row['model']} {does}{by}"


def _page(row: dict[str, Any], replication: Any) -> list[str]:
    """Return the lines of one row: its verdict, then each rung of the ladder."""
    said = f"{row['direction']}: " if row["direction"] else ""
    if row["verdict"] == "not asked":
        return [f"{said}not asked"]
    why = f" by {row['explained_by']}" if row["explained_by"] else ""
    lines = [f"{said}{row['verdict']}{why}"]
    right = f"  right in {_percent(row['accuracy'])} of {row['n']}"
    if row["target"]:
        at_random = _percent(row["random_init_accuracy"])
        is_word = row["baseline_accuracy"] == row["baseline_accuracy"]
        offset = f"; fixed offset {row['baseline_offset']:+d}: {_percent(row['baseline_accuracy'])}"
        of = f"words that have one {_interval(row, '')}{offset}" if is_word else "tokens "
        of += "" if is_word else _interval(row, "")
        lines.append(f"{right} {of}; random weights {at_random}")
        return lines + _elsewhere(row, replication)
    lines.append(f"{right} pairs; random weights {_percent(row['random_init_accuracy'])}")
    lines.append(
        f"  fixed offset {row['baseline_offset']:+d}: {_percent(row['baseline_accuracy'])}; lift "
        f"{_points(row['lift'])} points {_interval(row, '')}, p = {row['q_value']:.2g}"
    )
    if row["position_rule"]:
        lines.append(f"  word {row['position_rule']}: {_percent(row['position_accuracy'])}")
    if row["class_rule"]:
        lines.append(f"  {row['class_rule']}: {_percent(row['class_accuracy'])}; {_differ(row)}")
    for which in ("source", "target"):
        if row[f"matched_{which}_n"]:
            apart = _points(row[f"matched_{which}_difference"])
            lines.append(
                f"  another {which} of its class: {apart} points of {row[f'matched_{which}_n']}"
            )
    lines.append(f"  20 other splits: holds in {_percent(row['stability'])}")
    return lines + _elsewhere(row, replication)


def _is_of(one: dict[str, Any], row: dict[str, Any]) -> bool:
    """Return whether a row of the replication is that of a claim's row."""
    what = row["relation"] or row["target"]
    key = ("direction", "layer", "head")
    return one["relation"] == what and all(one[name] == row[name] for name in key)


def _elsewhere(row: dict[str, Any], replication: Any) -> list[str]:
    """Return the lines of a supported row about other text."""
    lines = []
    for one in replication.to_dict("records") if row["verdict"] == "supported" else ():
        if _is_of(one, row):
            reason = f" ({one['reason']})" if one["reason"] else ""
            lift = f"lift {_points(one['lift'])} points {_interval(one, '')}"
            shown = f"{_percent(one['accuracy'])} {_interval(one, '')}" if row["target"] else lift
            lines.append(f"  on {one['other_corpus']}: kept: {one['kept']}{reason}; {shown}")
    return lines


def _differ(row: dict[str, Any]) -> str:
    """Return what is left of a head where a rule of word class and the annotation differ."""
    if not row["selectivity_n"]:
        return "a rule is right in every pair: where rule and annotation differ, n = 0"
    return (
        f"where rule and annotation differ {_points(row['selectivity'])} points "
        f"{_interval(row, 'selectivity_')} of {row['selectivity_n']} pairs, "
        f"p = {row['selectivity_q']:.2g}"
    )


def _percent(share: float) -> str:
    return "-" if share != share else f"{100 * share:.1f} %"


def _points(share: float) -> str:
    return "-" if share != share else f"{100 * share:+.1f}"


def _interval(row: dict[str, Any], prefix: str) -> str:
    low, high = (row[f"{prefix}ci_{end}"] for end in ("low", "high"))
    return "[no interval]" if low != low else f"[{100 * low:.1f}, {100 * high:.1f}]"
