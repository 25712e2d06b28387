"""The report's style sheet: light, dark where the reader's screen is, and light on paper."""

from __future__ import annotations

from lnl_core.figures import panel
from lnl_core.figures.loss_course import STEPPER_STYLE
from lnl_core.figures.palette import TONES

_LAYOUT = """
body{font:15px/1.5 "Source Sans 3","Source Sans Pro","Segoe UI",Roboto,sans-serif;color:var(--text);
background:var(--page);margin:0 auto;padding:30px;max-width:1320px}
h1{font-size:24px;font-weight:600;margin:0}
h2{font-size:18px;font-weight:600;margin:38px 0 12px}
.muted,figcaption small{color:var(--muted)}
.facts{display:flex;flex-wrap:wrap;border:1px solid var(--line);border-radius:6px;margin:15px 0}
.facts div{padding:8px 18px}
dt{font-size:13px;color:var(--muted)}
dd{margin:0;font-weight:600;font-variant-numeric:tabular-nums}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px}
th,td{padding:5px 12px;text-align:left;border-bottom:1px solid var(--line);overflow-wrap:anywhere}
th{color:var(--muted);font-weight:400;background:var(--ground)}
.copies th{overflow-wrap:normal}
.consensus{background:var(--accent-ground);font-weight:600}
#figures,section{min-width:0}
.figure{display:inline-block;vertical-align:top;width:calc(50% - 30px);margin:0 8px 15px 0;
border:1px solid var(--line);border-radius:6px;box-sizing:content-box;padding:8px}
.figure[data-wide]{width:calc(100% - 30px)}
.queue{display:grid;grid-template-columns:repeat(auto-fill,minmax(140px,1fr));gap:15px}
figure{margin:0}
figure img{width:100%;aspect-ratio:1;object-fit:contain;background:var(--mat);border-radius:4px}
figcaption{overflow-wrap:anywhere}
:is(.queue,.looks) figcaption{font-size:13px}
figcaption span{float:right;color:var(--muted);font-variant-numeric:tabular-nums}
.queue figcaption span{float:none;display:block}
figcaption small{display:block;font-size:12px}
.save{margin:0 0 12px}
.save button{font:inherit;padding:5px 12px;margin-right:8px;border:1px solid var(--edge);
border-radius:6px;background:var(--page);cursor:pointer}
@media(max-width:900px){.figure{width:calc(100% - 30px)}}
.numbers :is(th,td):not(:nth-child(2)){white-space:nowrap}
@media screen and (max-width:900px){.numbers{display:block;overflow-x:auto}
.numbers :is(th,td):nth-child(2){min-width:9em;overflow-wrap:normal}}
.strip{grid-template-columns:repeat(auto-fill,minmax(112px,1fr))}
.looks{display:grid;grid-template-columns:repeat(auto-fill,minmax(min(100%,360px),1fr));gap:22px}
.three{display:grid;grid-template-columns:repeat(3,1fr);gap:6px}
.three div{position:relative}
.three img{display:block;aspect-ratio:auto}
.over img:first-child{filter:grayscale(1)}
.over img+img{position:absolute;inset:0;height:100%;object-fit:fill;background:none}
.together+.together{margin-top:26px}
dl.terms{max-width:96ch}
dl.terms div{display:grid;grid-template-columns:170px 1fr;gap:22px;padding:5px 0}
dl.terms dt{font-size:15px;color:var(--text);font-weight:600}
dl.terms dd{font-weight:400}
.stroke{color:var(--day)}
h3{font-size:15px;font-weight:600;margin:22px 0 8px}
summary{cursor:pointer;margin:8px 0}
@page{margin:14mm}
@media print{
body{padding:0;max-width:none;font-size:12px;print-color-adjust:exact;-webkit-print-color-adjust:exact}
.save,.figure[data-screen]{display:none}
h1,h2,h3,summary{break-after:avoid}
.figure,.figure[data-wide]{display:block;width:660px;border:0;padding:0}
.figure,figure,tr,.together{break-inside:avoid}
dl.terms>div,.look,.fv .head{break-inside:avoid}
thead{display:table-header-group}
table{font-size:11px}
th,td{padding:3px 7px}
.queue{grid-template-columns:repeat(6,1fr);gap:8px}
.strip{grid-template-columns:repeat(8,1fr)}
.looks{grid-template-columns:1fr 1fr;gap:12px}
h2{margin:24px 0 8px}
h3{margin:10px 0 6px}
.together+.together{margin-top:12px}
section{orphans:1;widows:1}
h2+p:not(:last-child){break-after:avoid}
.figure[data-half]{display:inline-block;width:326px;margin-right:4px}
p{margin:6px 0}
.fv{font-size:9.4px}
.fv .head{margin-bottom:.5em}
.fv .head>img{width:5.6em;height:5.6em}
.fv :is(p,.key,ol){line-height:1.3}
.fv .columns{grid-template-columns:repeat(auto-fit,minmax(11.5em,1fr));gap:.7em}
.fv .column{gap:.3em;padding:.5em}
.fv .plot svg{height:5em}
.fv .curve svg{height:4em}
dl.terms{columns:2;column-gap:24px}
dl.terms div{display:block;padding:3px 0}
dl.terms dt{font-size:12px}
a{color:inherit;text-decoration:none}
}
"""


def _variables(mode: str) -> str:
    tone = TONES[mode].items()
    return ";".join(f"--{k.replace('_', '-')}:{v}" for k, v in tone if isinstance(v, str))


STYLE = (
    f":root{{color-scheme:light;{_variables('light')}}}{panel.STYLE}{_LAYOUT}{STEPPER_STYLE}"
    f"@media screen and (prefers-color-scheme:dark){{:root{{color-scheme:dark;"
    f"{_variables('dark')}}}.stroke{{color:var(--night)}}}}"
)
"""Colours are variables: who prints gets the light ones, whatever the screen."""
