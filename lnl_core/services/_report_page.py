"""The report's page around its parts: style, policy, and the few lines that draw figures."""

from __future__ import annotations

STYLE = """
:root{color-scheme:light}
body{font:15px/1.5 "Source Sans 3","Source Sans Pro","Segoe UI",Roboto,sans-serif;color:#15181c;
background:#fff;margin:0 auto;padding:30px;max-width:1320px}
h1{font-size:24px;font-weight:600;margin:0}
h2{font-size:18px;font-weight:600;margin:38px 0 12px}
.muted,figcaption small{color:#59626e}
.facts{display:flex;flex-wrap:wrap;border:1px solid #dde1e6;border-radius:6px;margin:15px 0}
.facts div{padding:8px 18px}
dt{font-size:13px;color:#59626e}
dd{margin:0;font-weight:600;font-variant-numeric:tabular-nums}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:14px}
th,td{padding:5px 12px;text-align:left;border-bottom:1px solid #dde1e6;overflow-wrap:anywhere}
th{color:#59626e;font-weight:400;background:#f4f5f7}
.consensus{background:#eeedfa;font-weight:600}
#figures,section{min-width:0}
.figure{display:inline-block;vertical-align:top;width:calc(50% - 10px);margin:0 8px 15px 0;
border:1px solid #dde1e6;border-radius:6px;box-sizing:border-box;padding:8px}
.figure[data-wide]{width:calc(100% - 10px)}
.queue{display:grid;grid-template-columns:repeat(auto-fill,minmax(140px,1fr));gap:15px}
figure{margin:0}
figure img{width:100%;aspect-ratio:1;object-fit:contain;background:#eceef0;border-radius:4px}
figcaption{font-size:13px;overflow-wrap:anywhere}
figcaption span{float:right;color:#59626e;font-variant-numeric:tabular-nums}
figcaption small{display:block;font-size:12px}
@media(max-width:900px){.figure{width:100%}}
@media print{.figure,figure{break-inside:avoid}}
"""

DRAW = """
const figures = JSON.parse(document.getElementById("figures-data").textContent);
const names = JSON.parse(document.getElementById("figures-names").textContent);
const save = (format) => ({
  name: "save-" + format,
  title: "Save as " + format.toUpperCase(),
  icon: format === "svg" ? Plotly.Icons.disk : Plotly.Icons.camera,
  click: (div) => Plotly.downloadImage(div, {
    format, filename: names[Number(div.id.slice(7))], scale: 2,
    width: div.clientWidth, height: div.clientHeight }),
});
figures.forEach((figure, i) => {
  const div = document.getElementById("figure-" + i);
  const height = figure.layout.height;
  div.style.height = height + 18 + "px";
  Plotly.newPlot(div, figure.data, figure.layout, {
    displaylogo: false, responsive: true, modeBarButtons: [[save("svg"), save("png")]] });
});
document.body.dataset.drawn = String(figures.length);
"""

_POLICY = (
    "default-src 'none'; script-src 'unsafe-inline'{more}; style-src 'unsafe-inline'; "
    "img-src data: blob:; font-src data:"
)


def policy(*, drawn_by_graphics: bool) -> str:
    """Return what the file allows itself: nothing from outside.

    Plotly writes the small programs of the graphics card itself, which browsers call eval.
    """
    return _POLICY.format(more=" 'unsafe-eval'" if drawn_by_graphics else "")


PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
{body}
<script id="figures-data" type="application/json">{data}</script>
<script id="figures-names" type="application/json">{names}</script>
<script>{plotly}</script>
<script>{draw}</script>
</body>
</html>
"""
