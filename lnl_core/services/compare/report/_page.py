"""The report's page around its parts: its policy, and the few lines that draw figures."""

from __future__ import annotations

DRAW = """
const figures = JSON.parse(document.getElementById("figures-data").textContent);
const dark = JSON.parse(document.getElementById("figures-dark").textContent);
const names = JSON.parse(document.getElementById("figures-names").textContent);
const save = (format) => ({
  name: "save-" + format,
  title: "Save as " + format.toUpperCase(),
  icon: format === "svg" ? Plotly.Icons.disk : Plotly.Icons.camera,
  click: (div) => Plotly.downloadImage(div, {
    format, filename: names[Number(div.id.slice(7))], scale: 2,
    width: div.clientWidth, height: div.clientHeight }),
});
const screen_is = matchMedia("(prefers-color-scheme: dark)");
const PAPER = 660; // px: what a page of A4 or Letter has room for
const LOWER = 0.85; // of its height on screen: so more of them share a page
let printing = false;
const widthOf = (i) => {
  const div = document.getElementById("figure-" + i);
  return printing ? PAPER / ("half" in div.dataset ? 2 : 1) - 8 : div.clientWidth;
};
const toned = (i) => {
  const figure = structuredClone(figures[i]);
  if (screen_is.matches && !printing)
    for (const [path, value] of dark[i]) {
      const last = path.at(-1);
      path.slice(0, -1).reduce((part, key) => part[key], figure)[last] = value;
    }
  if (printing) Object.assign(figure.layout, { width: widthOf(i), autosize: false,
    height: Math.round(LOWER * figure.layout.height) });
  return figure;
};
const HEADING = /^<b>(.*)<\\/b><br>(<span [^>]*>)(.*)<\\/span>$/s;
const lines = (words, most) => words.split("<br>").flatMap((line) => line.split(" ")
  .reduce(([...made], word) => {
    if (made.length && made.at(-1).length + word.length < most) made.push(`${made.pop()} ${word}`);
    else made.push(word);
    return made;
  }, []));
const stacked = (layout) => { // panels side by side, one above the other
  const high = layout.height - layout.margin.t - layout.margin.b;
  layout.height += 3 * (high + 20);
  for (const [i, key] of ["", "2", "3", "4"].entries()) {
    const [low, top] = [1 - (i + 1) / 4, 0.97 - i / 4];
    layout["xaxis" + key].domain = [0, 1];
    Object.assign(layout["yaxis" + key], { domain: [low, top], showticklabels: true });
    Object.assign(layout.annotations[i], { x: 0, xanchor: "left", y: top });
  }
};
const beneath = ({ data, layout }, width) => { // the axis's name and the legend on a telephone
  const axis = layout.xaxis?.title;
  const name = axis?.text ? lines(axis.text, width / 7) : [""];
  if (axis?.text) axis.text = name.join("<br>");
  let below = 15 * (name.length - 1);
  if (layout.showlegend && layout.margin.r > 60) { // it stands beside the plot
    const rows = data.filter((each) => each.name && each.showlegend !== false).length;
    Object.assign(layout.legend, { x: 0, y: 0, yref: "container", yanchor: "bottom" });
    layout.margin.r = 8;
    below += 19 * rows + 12;
  }
  if (layout.xaxis4) stacked(layout);
  const { tickvals, ticktext } = layout.xaxis ?? {};
  if (ticktext?.length > 5 && ticktext.every((each) => Number(each)) && Array.isArray(tickvals))
    for (const key of ["tickvals", "ticktext"]) // side by side they meet
      layout.xaxis[key] = layout.xaxis[key].filter((_, i) => i % 2 === 0);
  if (layout.annotations?.length > 49) delete layout.annotations; // a cell's number needs 24 px
  layout.height += below;
  layout.margin.b += below;
};
const folded = (figure, width) => { // the heading on a telephone
  const parts = HEADING.exec(figure.layout.title?.text ?? "");
  if (!parts || width > 520) return figure;
  beneath(figure, width);
  const [title, sentence] = [lines(parts[1], width / 8.2), lines(parts[3], width / 5.8)];
  const more = 20 * (title.length - 1) + 16 * (sentence.length - parts[3].split("<br>").length);
  const small = `${parts[2]}${sentence.join("<br>")}</span>`;
  figure.layout.title.text = `<b>${title.join("<br>")}</b><br>${small}`;
  figure.layout.height += more;
  figure.layout.margin.t += more;
  return figure;
};
const stops = {}; // place of a figure with frames -> what stops its playing
const drawn = () => figures.map((_, i) => {
  const div = document.getElementById("figure-" + i);
  const figure = folded(toned(i), widthOf(i));
  div.style.height = figure.layout.height + (printing ? 0 : 18) + "px";
  figure.config = {
    displaylogo: false, responsive: true, modeBarButtons: [[save("svg"), save("png")]] };
  return Plotly.react(div, figure.data, figure.layout, figure.config)
    .then(() => Plotly.addFrames(div, figure.frames ?? []))
    .then(() => {
      const host = document.querySelector(`[data-steps="${i}"]`);
      if (!host) return;
      stops[i]?.();
      stops[i] = stepper(host, () => div, figure.layout.meta);
    });
});
Promise.all(drawn()).then(() => { document.body.dataset.drawn = String(figures.length); });
for (const each of [screen_is, matchMedia("(max-width: 590px)")])
  each.addEventListener("change", drawn);
addEventListener("unhandledrejection", (event) => { // so Plotly says that a play was stopped
  if (event.reason === undefined) event.preventDefault();
});
for (const [event, paper] of [["beforeprint", true], ["afterprint", false]])
  addEventListener(event, () => { printing = paper; drawn(); });

// All figures in one archive, without compression: the format's tables are 22 to 46 bytes a file.
const table = Uint32Array.from({ length: 256 }, (_, n) => {
  for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
  return n;
});
const checksum = (bytes) => {
  let c = 0xffffffff;
  for (const byte of bytes) c = table[(c ^ byte) & 255] ^ (c >>> 8);
  return (c ^ 0xffffffff) >>> 0;
};
const record = (...pairs) => {
  const out = new DataView(new ArrayBuffer(pairs.reduce((sum, [size]) => sum + size, 0)));
  let at = 0;
  for (const [size, value] of pairs) {
    if (size === 4) out.setUint32(at, value, true); else out.setUint16(at, value, true);
    at += size;
  }
  return new Uint8Array(out.buffer);
};
function archive(files) {
  const parts = [], list = [];
  let place = 0, listed = 0;
  for (const [name, bytes] of files) {
    const title = new TextEncoder().encode(name);
    const told = [[2, 20], [2, 0x800], [2, 0], [2, 0], [2, 0x21], [4, checksum(bytes)],
      [4, bytes.length], [4, bytes.length], [2, title.length], [2, 0]];
    const head = record([4, 0x04034b50], ...told);
    const entry = record([4, 0x02014b50], [2, 20], ...told, [2, 0], [2, 0], [2, 0], [4, 0],
      [4, place]);
    parts.push(head, title, bytes);
    list.push(entry, title);
    place += head.length + title.length + bytes.length;
    listed += entry.length + title.length;
  }
  const end = record([4, 0x06054b50], [2, 0], [2, 0], [2, files.length], [2, files.length],
    [4, listed], [4, place], [2, 0]);
  return new Blob([...parts, ...list, end], { type: "application/zip" });
}
async function saveAll(format, button) {
  const words = button.textContent, files = [];
  button.disabled = true;
  for (const [i, name] of names.entries()) {
    button.textContent = `${i + 1} of ${names.length}`;
    const div = document.getElementById("figure-" + i);
    const made = await Plotly.toImage(div, {
      format, scale: 2, width: div.clientWidth, height: div.clientHeight });
    const content = made.slice(made.indexOf(",") + 1);
    const bytes = format === "png" ? Uint8Array.from(atob(content), (c) => c.charCodeAt(0))
      : new TextEncoder().encode(decodeURIComponent(content));
    const stem = name.replace(/[^A-Za-z0-9@._-]+/g, "-");
    files.push([`${String(i + 1).padStart(2, "0")}-${stem}.${format}`, bytes]);
  }
  const link = document.createElement("a");
  link.href = URL.createObjectURL(archive(files));
  link.download = `figures-${format}.zip`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  button.textContent = words;
  button.disabled = false;
}
for (const button of document.querySelectorAll("[data-save]"))
  button.onclick = () => saveAll(button.dataset.save, button);
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
<meta name="color-scheme" content="light dark">
<meta name="generator" content="LNL Review">
<title>{title}</title>
<link rel="icon" href="data:,">
<style>{style}</style>
</head>
<body>
{body}
<script id="figures-data" type="application/json">{data}</script>
<script id="figures-dark" type="application/json">{dark}</script>
<script id="figures-names" type="application/json">{names}</script>
<script>{plotly}</script>
<script>{draw}</script>
</body>
</html>
"""
