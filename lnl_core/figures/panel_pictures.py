"""What each method draws of one image in the panel: bars, bits, rounds, labels, masks.

HTML and inline SVG in the panel's colours; text of people is escaped here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from html import escape

from lnl_core.views import ImageViews, Picture, chance, percent

Url = Callable[[int, str], str]
"""(row, `full` or `thumb`) -> address of an image, a data URI in a report."""


def key_of(*entries: tuple[str, str]) -> str:
    """Return a legend: (style of the sample, words)."""
    parts = "".join(
        f'<span><i style="{style}"></i>{escape(words)}</span>' for style, words in entries
    )
    return f'<div class="key" aria-hidden="true">{parts}</div>'


def image(content: str, words: str, kind: str) -> str:
    """Return a picture with its words for who cannot see it."""
    return f'<div class="{kind}" role="img" aria-label="{escape(words)}">{content}</div>'


def _sharpened(views: ImageViews, picture: Picture, url: Url) -> str:
    facts = picture.facts
    most = min(facts["p_max"], 1.0)
    rows = []
    for label, own, plain in facts["classes"]:
        name = escape(views.names[label])
        mine = " is-given" if label == views.given else ""
        bars = f'<i class="own{mine}" style="width:{100 * own:.1f}%"></i>'
        if plain is not None:
            bars += f'<i class="plain" style="width:{100 * plain:.1f}%"></i>'
        bars += f'<i class="most" style="left:{100 * most:.1f}%"></i>'
        rows.append(
            f'<span title="{name}">{name}</span><div class="track">{bars}</div>'
            f'<span class="n">{escape(chance(own))}</span>'
        )
    legend = [("background:var(--brown)", "given"), ("background:var(--blue)", "others")]
    if facts["has_plain"]:
        legend.append(("background:var(--edge);height:.35em", facts["plain_title"]))
    legend.append(("border-left:2px dotted var(--edge);width:0;height:.9em", "the most it can be"))
    return image("".join(rows), picture.words, "bars") + key_of(*legend)


def _code(views: ImageViews, picture: Picture, url: Url) -> str:
    facts = picture.facts
    bits, read, values = facts["bits"], facts["read"], facts["values"]
    k = len(bits)
    cells = svg(k, 10, (_bit(i, on, "var(--muted)") for i, on in enumerate(bits)))
    as_read = svg(
        k,
        10,
        (
            _bit(i, on, "var(--muted)" if on == meant else "var(--red)")
            for i, (on, meant) in enumerate(zip(read, bits, strict=True))
        ),
    )
    top = max(*values, *facts["typical"], 0.7)
    bars = [
        rect(i + 0.1, 40 * (1 - value / top), 0.8, 40 * value / top,
              "var(--red)" if on != meant else "var(--blue)")
        for i, (value, on, meant) in enumerate(zip(values, read, bits, strict=True))
    ]  # fmt: skip
    usual = [(x, 40 * (1 - y / top)) for i, y in enumerate(facts["typical"]) for x in (i, i + 1)]
    typical = line(usual, "stroke:var(--edge);stroke-width:2")
    content = (
        f"<span>its code</span>{cells}<span>as read</span>{as_read}"
        f"<span>sub-loss</span>{svg(k, 40, [*bars, typical], 'tall')}"
    )
    legend = key_of(
        ("background:var(--red)", "read otherwise"),
        ("background:var(--blue)", "as the label's"),
        ("background:var(--edge);height:2px;vertical-align:.25em", "usual"),
    )
    return image(content, picture.words, "bits") + legend


def _bit(place: int, on: bool, colour: str) -> str:
    """Return a bit as a bar, strong for 1 and pale for 0."""
    strength = 1 if on else 0.28
    return (
        f'<rect x="{place + 0.12}" y="0" width=".76" height="10" '
        f'style="fill:{colour};opacity:{strength}"/>'
    )


def _rounds(views: ImageViews, picture: Picture, url: Url) -> str:
    facts = picture.facts
    removed, went = facts["removed"], facts["round_removed"]
    if not removed:
        return f'<p class="none">{escape(picture.words)}</p>'
    top = max(*removed, 1) if len(removed) > 1 else max(removed[0], 1)
    bars = [
        rect(i + 0.12, 40 * (1 - count / top), 0.76, 40 * count / top,
              "var(--accent)" if i + 1 == went else "var(--bar)")
        for i, count in enumerate(removed)
    ]  # fmt: skip
    axis = ends("round 1", str(len(removed)) if len(removed) > 1 else "")
    legend = [("background:var(--bar)", f"labels removed, {top:,} at most")]
    legend.append(
        (
            "background:var(--accent)",
            f"with this one, round {went}" if went else "with this one: never",
        )
    )
    chart = image(svg(max(len(removed), 3), 40, bars), picture.words, "plot")
    return chart + axis + key_of(*legend)


def _stages(views: ImageViews, picture: Picture, url: Url) -> str:
    steps = []
    for what, label, sure in picture.facts["stages"]:
        kind = "chip" if label == views.given else "chip wrong"
        certain = "" if sure is None else f' <span class="muted">{escape(chance(sure))}</span>'
        steps.append(
            f'<li><span class="muted">{escape(what)}</span><span><span class="{kind}">'
            f"{escape(views.names[label])}</span>{certain}</span></li>"
        )
    votes = picture.facts["votes"]
    shown = "".join(
        f'<figure><img src="{escape(url(row, "thumb"))}" alt=""><figcaption '
        f'title="{escape(views.names[label])}">{"+" if vote > 0 else "−"} '
        f"{escape(views.names[label])}</figcaption></figure>"
        for row, label, vote in votes
    )
    pulls = (
        f'<div class="votes">{shown}</div><div class="key">pull hardest: + for the label, '
        "− against it</div>"
        if votes
        else ""
    )
    return f"<ol>{''.join(steps)}</ol>{pulls}"


def _masks(views: ImageViews, picture: Picture, url: Url) -> str:
    parts = []
    source = escape(url(views.row, "thumb"))
    for label, mask, values in picture.facts["masks"]:
        colour = "var(--brown)" if label == views.given else "var(--blue)"
        u, v = len(mask), len(mask[0])
        cells = [
            f'<rect x="{j}" y="{i}" width="1" height="1" '
            f'style="fill:{colour};opacity:{0.35 + 0.4 * values[i][j]:.2f}"/>'
            for i in range(u)
            for j in range(v)
            if mask[i][j]
        ]
        name = escape(views.names[label])
        covered = sum(map(sum, mask)) / (u * v)
        parts.append(
            f'<figure><div><img src="{source}" alt="">{svg(v, u, cells)}</div>'
            f'<figcaption title="{name}">{name} '
            f'<span class="muted">{percent(covered)}</span></figcaption></figure>'
        )
    legend = key_of(("background:var(--brown)", "given"), ("background:var(--blue)", "best other"))
    return image("".join(parts), picture.words, "masks") + legend


PICTURES: dict[str, Callable[[ImageViews, Picture, Url], str]] = {
    "sharpened": _sharpened,
    "code": _code,
    "rounds": _rounds,
    "stages": _stages,
    "masks": _masks,
}


# Lines ----------------------------------------------------------------------------------------


def points(values: Sequence[float]) -> list[tuple[float, float]]:
    """Return probabilities by step as places in a picture 40 high."""
    return [(i, 40 * (1 - min(max(value, 0.0), 1.0))) for i, value in enumerate(values)]


def ends(first: str, last: str, middle: str = "") -> str:
    """Return the two ends of a horizontal axis, and what is said between them."""
    parts = "".join(f"<span>{each}</span>" for each in (first, middle, last))
    return f'<div class="ends" aria-hidden="true">{parts}</div>'


def svg(width: float, height: float, content: Iterable[str], kind: str = "") -> str:
    """Return a drawing that fills the box it is in."""
    named = f' class="{kind}"' if kind else ""
    return (
        f'<svg{named} viewBox="0 0 {width:g} {height:g}" preserveAspectRatio="none" '
        f'aria-hidden="true">{"".join(content)}</svg>'
    )


def rect(x: float, y: float, width: float, height: float, colour: str) -> str:
    """Return a filled rectangle."""
    return (
        f'<rect x="{x:g}" y="{y:.2f}" width="{width:g}" height="{max(height, 0.0):.2f}" '
        f'style="fill:{colour}"/>'
    )


def line(points: Sequence[tuple[float, float]], style: str) -> str:
    """Return a line through some places."""
    drawn = " ".join(f"{x:g},{y:.2f}" for x, y in points)
    return f'<polyline points="{drawn}" style="fill:none;{style}"/>'
