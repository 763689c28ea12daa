"""The frame of the HTML report: style sheet for light and dark, sections, tables, numbers."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from string import Template

from selfplay.evaluation.intervals import ALONE, Share

PAGE = Template("""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>$title</title>
<style>
:root {
  --paper: #fdfcf9; --card: #f4f1ea; --ink: #23211d; --soft: #6b665c; --grid: #dcd7cb;
  --s0: #1f66b0; --s1: #c2541b; --s2: #2a7d4f; --s3: #7a4fa3; --s4: #a8842c; --s5: #5b6b7a;
}
@media (prefers-color-scheme: dark) {
  :root {
    --paper: #191a1d; --card: #232529; --ink: #eceae4; --soft: #a5a199; --grid: #3a3c41;
    --s0: #6fb0f2; --s1: #f2955f; --s2: #66c290; --s3: #bb97dd; --s4: #d9b865; --s5: #a3b1bd;
  }
}
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2.2rem 1.2rem 4rem; max-width: 1020px; background: var(--paper);
  color: var(--ink); font: 16px/1.55 system-ui, -apple-system, "Segoe UI", "Noto Sans",
  "Noto Sans CJK KR", "Noto Sans CJK JP", "Noto Sans CJK SC", "Apple SD Gothic Neo",
  "Malgun Gothic", "Hiragino Sans", "Yu Gothic", "PingFang SC", "Microsoft YaHei", sans-serif; }
h1 { font-size: 1.9rem; line-height: 1.2; margin: 0 0 .6rem; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .5rem; }
h2.net { margin: 1.4rem 0 .5rem; font-size: 1.1rem; }
h2 small { color: var(--soft); font-weight: 400; font-size: .85rem; margin-left: .4rem; }
h3 { font-size: 1.02rem; margin: 1.6rem 0 .6rem; }
p { margin: .4rem 0; max-width: 46rem; }
.warning { border-left: 4px solid var(--s1); padding-left: .7rem; }
.net i, .legend i { display: inline-block; width: .8em; height: .8em; border-radius: 50%;
  margin-right: .45em; }
.legend span { margin-right: 1.2rem; }
.tiles { display: grid; gap: .7rem; grid-template-columns: repeat(auto-fit, minmax(165px, 1fr)); }
.tiles div { background: var(--card); border-radius: 10px; padding: .8rem .9rem; }
.tiles strong { display: block; font-size: 1.65rem; line-height: 1.2; }
.tiles span { display: block; }
.tiles small { color: var(--soft); display: block; line-height: 1.35; margin-top: .15rem; }
figure { margin: .8rem 0; }
.pair { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(330px, 1fr)); }
svg { display: block; width: 100%; height: auto; }
svg text { font-family: inherit; }
.chart .tick { font-size: 12px; fill: var(--soft); }
.chart .label { font-size: 13px; fill: var(--ink); }
.chart .grid { stroke: var(--grid); stroke-width: 1; fill: none; }
.chart .ideal { stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 5 5; fill: none; }
.boards { display: grid; gap: 1.1rem;
  grid-template-columns: repeat(auto-fill, minmax(290px, 1fr)); }
.boards figure { margin: 0; background: var(--card); border-radius: 10px; padding: .6rem; }
figcaption { font-size: .88rem; padding: .5rem .2rem 0; }
figcaption em { font-style: normal; font-weight: 700; color: var(--s1); }
figcaption ul { margin: .2rem 0 0; padding-left: 1.1rem; color: var(--soft); }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .9rem; margin: .5rem 0; }
th, td { text-align: left; padding: .25rem .9rem .25rem 0; border-bottom: 1px solid var(--grid);
  white-space: nowrap; font-variant-numeric: tabular-nums; }
th { color: var(--soft); font-weight: 600; }
summary { cursor: pointer; color: var(--soft); }
</style>
</head>
<body>
<h1>$title</h1>
$body
</body>
</html>
""")


def section(title: str, body: str) -> str:
    """Return a section with its heading; `body` is HTML."""
    return f"<section><h2>{escape(title)}</h2>{body}</section>"


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table of plain texts."""
    top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows
    )
    return f'<div class="wide"><table><tr>{top}</tr>{body}</table></div>'


def percent(value: float) -> str:
    """Return a share as 44.6 %, never broken between lines."""
    return f"{100 * value:.1f}\u00a0%"


def bounds(share: Share) -> str:
    """Return the ends of a share's interval in per cent, or why they are missing."""
    ends = share.interval
    inner = ALONE if ends is None else " to ".join(f"{100 * end:.1f}" for end in ends)
    return f"({inner})"


def signed(value: float, digits: int) -> str:
    """Return a difference with its sign, the minus as long as the plus."""
    return f"{value:+.{digits}f}".replace("-", "\u2212")
