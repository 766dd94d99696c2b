"""A run as one HTML page: graph, timeline, parameters, metrics, pictures, ends of logs.

It knows the page. The page holds no script and may load nothing (its Content-Security-Policy says so), every text of a
user is escaped, and states are told by words and signs besides colours.
"""

from __future__ import annotations

import base64
import math
from collections.abc import Sequence
from typing import Literal

import msgspec

from argosy.experiments.drawing import MOST_BARS, MOST_NODES, Shape, chart, css_class, escaped, graph, timeline
from argosy.model.status import SYMBOLS
from argosy.record.experiments import Metric, Series

PictureType = Literal["image/png", "image/jpeg", "image/gif", "image/webp", "image/svg+xml"]
MOST_CHARTS = 60
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"


class Log(msgspec.Struct, frozen=True, kw_only=True):
    """The end of what a step wrote."""

    step: str
    phase: str
    message: str
    text: str


class Picture(msgspec.Struct, frozen=True, kw_only=True):
    """A picture among the artifacts."""

    title: str
    type: PictureType
    data: bytes


class Curve(msgspec.Struct, frozen=True, kw_only=True):
    """A metric with its history."""

    metric: Metric
    series: Series


class Report(msgspec.Struct, frozen=True, kw_only=True):
    """What the page shows. facts: lines of a word and a text. left_out: sentences on what did not fit."""

    name: str
    phase: str
    message: str
    now: float
    facts: Sequence[tuple[str, str]]
    comment: str
    shapes: Sequence[Shape]
    parameters: Sequence[tuple[str, str]]
    outputs: Sequence[tuple[str, str]]
    curves: Sequence[Curve]
    pictures: Sequence[Picture]
    logs: Sequence[Log]
    left_out: Sequence[str] = ()


_STYLE = """
:root{color-scheme:light dark;--fg:#1b1f24;--bg:#fff;--soft:#57606a;--line:#c9d1d9;--box:#f6f8fa;--ok:#1a7f37;
--bad:#b3261e;--run:#8a5a00;--curve:#0b57d0}
@media(prefers-color-scheme:dark){:root{--fg:#e6edf3;--bg:#0d1117;--soft:#9da7b3;--line:#3d444d;--box:#161b22;
--ok:#56d364;--bad:#ff8b80;--run:#e3b341;--curve:#79b8ff}}
*{box-sizing:border-box}body{margin:0 auto;max-width:72rem;padding:1.5rem;background:var(--bg);color:var(--fg);
font:15px/1.5 system-ui,sans-serif}h1{font-size:1.5rem;margin:0 0 .5rem;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:2rem 0 .5rem;border-bottom:1px solid var(--line)}
table{border-collapse:collapse}th,td{text-align:left;padding:.15rem 1rem .15rem 0;vertical-align:top;
overflow-wrap:anywhere}th{font-weight:600;color:var(--soft)}td.n{font-variant-numeric:tabular-nums}
.wide{overflow-x:auto}pre{background:var(--box);border:1px solid var(--line);border-radius:6px;padding:.75rem;
overflow:auto;max-height:30rem;font:12px/1.45 ui-monospace,monospace;white-space:pre-wrap;overflow-wrap:anywhere}
svg text{font:12px system-ui,sans-serif;fill:var(--fg)}svg text.small{font-size:10px;fill:var(--soft)}
svg text.end{text-anchor:end}.edge{fill:none;stroke:var(--soft);stroke-width:1.2}circle.edge{fill:var(--soft)}
.grid{fill:none;stroke:var(--line)}.curve{fill:none;stroke:var(--curve);stroke-width:1.6}
.node rect{fill:var(--box);stroke:var(--soft);stroke-width:1.5}.timeline .node rect{fill:var(--soft)}
.node.succeeded rect{stroke:var(--ok)}.node.failed rect,.node.error rect{stroke:var(--bad);stroke-width:2.5}
.node.running rect{stroke:var(--run)}.node.group rect{stroke-dasharray:4 3}
.node.skipped rect,.node.omitted rect{stroke-dasharray:2 3}.timeline .node.succeeded rect{fill:var(--ok)}
.timeline .node.failed rect,.timeline .node.error rect{fill:var(--bad)}.timeline .node.running rect{fill:var(--run)}
.state.succeeded{color:var(--ok)}.state.failed,.state.error{color:var(--bad)}.state.running{color:var(--run)}
.cards{display:flex;flex-wrap:wrap;gap:1rem}figure{margin:0;border:1px solid var(--line);border-radius:6px;
padding:.5rem;max-width:100%}figcaption{font-size:.85rem;color:var(--soft);overflow-wrap:anywhere}
img{max-width:100%;max-height:30rem}details{margin:.4rem 0}summary{cursor:pointer;overflow-wrap:anywhere}
@media print{pre{max-height:none}}
"""


def page(report: Report) -> str:
    """The whole page."""
    parts = [
        _head(report),
        _rows("", report.facts),
        _text("Comment", report.comment),
        _section("Steps", _drawn(report)),
        _section(
            "Timeline", f'<div class="wide">{timeline(report.shapes, report.now)}</div>' if _timed(report) else ""
        ),
        _rows("Parameters", report.parameters),
        _rows("Outputs", report.outputs),
        _metrics(report.curves),
        _pictures(report.pictures),
        _logs(report.logs),
        _section("Left out", "".join(f"<p>{escaped(one)}</p>" for one in report.left_out)),
    ]
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="referrer" content="no-referrer">'
        f"<title>{escaped(report.name)}: {escaped(report.phase)}</title><style>{_STYLE}</style></head>\n"
        f"<body><main>{''.join(parts)}</main></body></html>\n"
    )


def _head(report: Report) -> str:
    message = f": {escaped(report.message)}" if report.message else ""
    return f"<h1>{escaped(report.name)}</h1><p>{_state(report.phase)}{message}</p>"


def _state(phase: str) -> str:
    sign = SYMBOLS.get(phase, "·")
    return f'<span class="state {css_class(phase)}"><span aria-hidden="true">{sign}</span> {escaped(phase)}</span>'


def _section(title: str, body: str) -> str:
    return f"<section><h2>{escaped(title)}</h2>{body}</section>" if body else ""


def _rows(title: str, rows: Sequence[tuple[str, str]]) -> str:
    if not rows:
        return ""
    cells = "".join(f'<tr><th scope="row">{escaped(name)}</th><td>{escaped(text)}</td></tr>' for name, text in rows)
    table = f'<div class="wide"><table>{cells}</table></div>'
    return _section(title, table) if title else table


def _text(title: str, text: str) -> str:
    return _section(title, f"<pre>{escaped(text)}</pre>") if text else ""


def _timed(report: Report) -> bool:
    return any(one.leaf and one.started_at for one in report.shapes)


def _drawn(report: Report) -> str:
    if not report.shapes:
        return ""
    more = ""
    if len(report.shapes) > MOST_NODES:
        more = f"<p>The first {MOST_NODES} of {len(report.shapes)} are drawn.</p>"
    leaves = sum(one.leaf and bool(one.started_at) for one in report.shapes)
    if leaves > MOST_BARS:
        more += f"<p>The timeline has the first {MOST_BARS} of {leaves}.</p>"
    counts: dict[str, int] = {}
    for one in report.shapes:
        if one.leaf:
            counts[one.phase] = counts.get(one.phase, 0) + 1
    said = ", ".join(f"{count} {_state(phase)}" for phase, count in counts.items())
    return f'<p>{said}</p>{more}<div class="wide">{graph(report.shapes)}</div>'


def _number(value: float | None) -> str:
    return "not a number" if value is None or math.isnan(value) else f"{value:.6g}"


def _metrics(curves: Sequence[Curve]) -> str:
    if not curves:
        return ""
    rows: list[str] = []
    charts: list[str] = []
    for one in curves:
        metric = one.metric
        numbers = "".join(
            f'<td class="n">{_number(n)}</td>' for n in (metric.last, metric.min, metric.max, metric.mean)
        )
        rows.append(
            f'<tr><th scope="row">{escaped(metric.name)}</th><td>{escaped(metric.step)}</td>{numbers}'
            f'<td class="n">{metric.count}</td></tr>'
        )
        if len(charts) < MOST_CHARTS:
            label = f"{metric.name} of {metric.step}"
            drawn = chart(one.series.steps, one.series.values, label)
            if drawn:
                charts.append(f"<figure>{drawn}<figcaption>{escaped(label)}</figcaption></figure>")
    head = "".join(
        f'<th scope="col">{word}</th>' for word in ("name", "step", "last", "least", "greatest", "mean", "count")
    )
    table = f'<div class="wide"><table><tr>{head}</tr>{"".join(rows)}</table></div>'
    return _section("Metrics", f'{table}<div class="cards">{"".join(charts)}</div>')


def _pictures(pictures: Sequence[Picture]) -> str:
    figures = "".join(
        f'<figure><img alt="{escaped(one.title)}" src="data:{one.type};base64,{base64.b64encode(one.data).decode()}">'
        f"<figcaption>{escaped(one.title)}</figcaption></figure>"
        for one in pictures
    )
    return _section("Pictures", f'<div class="cards">{figures}</div>' if figures else "")


def _logs(logs: Sequence[Log]) -> str:
    parts: list[str] = []
    for one in logs:
        opened = " open" if one.phase in ("Failed", "Error") else ""
        message = f": {escaped(one.message)}" if one.message else ""
        parts.append(
            f"<details{opened}><summary>{_state(one.phase)} {escaped(one.step)}{message}</summary>"
            f"<pre>{escaped(one.text)}</pre></details>"
        )
    return _section("Ends of logs", "".join(parts))
