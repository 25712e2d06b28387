"""One image as every published method sees it: a column a method, as HTML that page and report use.

Small pictures of bars, bits and lines are inline SVG in the colours of the palette; all text of
people is escaped here. Sizes are in em, so that whoever shows it larger sets one font size.
"""

from __future__ import annotations

from collections import Counter
from html import escape

from lnl_core.figures.palette import Tone
from lnl_core.figures.panel_pictures import PICTURES, Url, ends, image, key_of, line, points, svg
from lnl_core.views import SUSPECTED, ImageViews, MethodView, Picture, chance

_COLOURS = (
    "text", "muted", "line", "edge", "bar", "mat", "blue", "blue_text", "blue_ground", "brown",
    "red", "orange_text", "orange_ground", "accent", "accent_ground", "grey_ground", "grid",
)  # fmt: skip


def variables(tone: Tone) -> str:
    """Return the panel's colours as a style sheet's variables."""
    return ";".join(f"--{name.replace('_', '-')}:{tone[name]}" for name in _COLOURS)


STYLE = """
.fv{font:13px/1.45 "Source Sans","Source Sans 3","Segoe UI",Roboto,sans-serif;color:var(--text);
container:fv/inline-size;font-variant-numeric:tabular-nums}
@container main (min-width:1500px){.fv{font-size:16px}}
@container main (min-width:2100px){.fv{font-size:20px}}
.fv.large{font-size:clamp(14px,1.35cqw,18px)} /* of the page: five columns fit from 1100 px on */
@container main (min-width:2100px){.fv.large{font-size:22px}}
.fv *{box-sizing:border-box}
.fv :is(p,h2,h3,h4,ol){margin:0;padding:0}
.fv .head{display:flex;gap:1.6em;align-items:center;margin-bottom:1.2em;flex-wrap:wrap}
.fv .head>img{width:12em;height:12em;object-fit:contain;background:var(--mat);border-radius:6px}
.fv .head>div{flex:1 1 18em;min-width:0;overflow-wrap:anywhere}
.fv .head p{font-size:1.15em}.fv .head .given{font-size:1.7em}
.fv .head .id{font-size:1em;color:var(--muted)}
.fv .columns{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,13.2em),1fr));
gap:1.15em}
.fv .column{display:grid;grid-template:subgrid/minmax(0,1fr);grid-row:span 4;gap:.7em;min-width:0;
border:1px solid var(--line);border-radius:6px;padding:.9em;overflow-wrap:anywhere}
.fv .column:is(.only){border-color:var(--accent);box-shadow:inset 0 3px var(--accent)}
.fv :is(h2,h3,h4){font-size:1.15em;font-weight:600;line-height:1.3}
.fv .muted{color:var(--muted)}
.fv .chip{display:inline-block;padding:.05em .5em;border-radius:4px;font-weight:600;
background:var(--grey-ground);color:var(--text);max-width:100%}
.fv .chip.wrong{background:var(--blue-ground);color:var(--blue-text)}
.fv .chip.found{background:var(--accent-ground);color:var(--accent)}
.fv .none{color:var(--muted);align-self:center}
.fv .key{color:var(--muted);display:flex;flex-wrap:wrap;gap:0 .9em;margin-top:.35em;
font-size:.925em}
.fv .key i{display:inline-block;width:.95em;height:.6em;margin-right:.35em;border-radius:1px}
.fv svg{display:block;width:100%;overflow:visible}
.fv svg *{vector-effect:non-scaling-stroke}
.fv .bars{display:grid;grid-template-columns:fit-content(38%) 1fr max-content;gap:.35em .55em;
align-items:center}
.fv .bars span{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.fv .bars .n{text-align:right}
.fv .track{position:relative;height:1.15em}
.fv .track i{position:absolute;left:0;border-radius:1px}
.fv .track .own{top:0;height:62%;background:var(--blue)}
.fv .track .own.is-given{background:var(--brown)}
.fv .track .plain{bottom:0;height:32%;background:var(--edge)}
.fv .track .most{top:-.15em;bottom:-.15em;border-left:2px dotted var(--edge)}
.fv .bits{display:grid;grid-template-columns:auto 1fr;gap:.3em .6em;align-items:center}
.fv .bits svg{height:1.1em}.fv .bits svg.tall{height:4.2em}
.fv .plot svg{height:6.6em;border-bottom:1px solid var(--edge)}
.fv .curve svg{height:5em;border-bottom:1px solid var(--edge);border-left:1px solid var(--line)}
.fv .ends{display:flex;justify-content:space-between;color:var(--muted);font-size:.925em}
.fv ol{list-style:none;display:grid;gap:.3em}
.fv ol li{display:grid;grid-template-columns:5.6em 1fr;align-items:baseline}
.fv .votes{display:flex;gap:.6em;margin-top:.6em}
.fv .votes figure{margin:0;flex:0 1 4.6em;min-width:0}
.fv .votes img{width:100%;aspect-ratio:1;object-fit:cover;border-radius:4px;background:var(--mat);
display:block}
.fv .votes figcaption{font-size:.925em;overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
.fv .masks{display:flex;gap:.7em}
.fv .masks figure{margin:0;flex:0 1 9.5em;min-width:0}
.fv .masks div{position:relative}
.fv .masks img{width:100%;aspect-ratio:1;object-fit:fill;border-radius:4px;display:block;
filter:grayscale(1);background:var(--mat)}
.fv .masks svg{position:absolute;inset:0;height:100%}
.fv .masks figcaption{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}
@media print{.fv .column{break-inside:avoid}}
"""
"""The panel's style sheet; the colours are `variables`, set where it is shown."""


def panel(
    views: ImageViews, url: Url, tone: Tone | None = None, *, large: bool = False, heading: int = 2
) -> str:
    """Return the panel as HTML.

    Args:
        views: of one image.
        url: addresses of images.
        tone: of `palette.TONES`; None where the page around it sets the variables.
        large: written larger, for a screen on a wall.
        heading: level of the columns' headings.
    """
    columns = "".join(_column(views, each, url, heading) for each in views.methods)
    style = "" if tone is None else f' style="{variables(tone)}"'
    return (
        f'<div class="fv{" large" if large else ""}"{style}>{_head(views, url)}'
        f'<div class="columns">{columns}</div></div>'
    )


# Head -----------------------------------------------------------------------------------------


def _head(views: ImageViews, url: Url) -> str:
    given = escape(views.names[views.given])
    lines = [f'<p class="given">Labelled <b>{given}</b></p>', f"<p>{_together(views)}</p>"]
    if views.p_wrong is not None and views.suggested >= 0:
        other, p = f"<b>{escape(views.names[views.suggested])}</b>", escape(chance(views.p_wrong))
        said = "suggest" if views.p_wrong >= SUSPECTED else "keep the label; next comes"
        lines.append(f"<p>All together {said} {other}, p wrong {p}.</p>")
    if views.true is not None:
        known = "right" if views.true == views.given else "wrong"
        lines.append(f"<p>Known to be {known}: it is <b>{escape(views.names[views.true])}</b>.</p>")
    lines.append(f'<p class="id">{escape(views.identity)}</p>')
    image = f'<img src="{escape(url(views.row, "full"))}" alt="image labelled {given}">'
    return f'<div class="head">{image}<div>{"".join(lines)}</div></div>'


def _together(views: ImageViews) -> str:
    """Say how many expect another class, which, and whether one stands alone."""
    asked, only = views.asked, views.only
    if not asked:
        told = [each for each in views.methods if each.state == "told"]
        if told:
            who = "method was" if len(told) == 1 else "methods were"
            return f"{len(told)} published {who} told what people answered: no opinion is left."
        return "No published method has an opinion of this image."
    if all(each.place is None for each in asked):
        return "Its label is no class: there is nothing to agree with."
    if only is not None:
        also = f" Baselines that agree with it: {views.baselines[0]} of {views.baselines[1]}."
        found = f'<span class="chip found">Only {escape(only.short)} expects another class</span>'
        return found + (escape(also) if views.baselines[1] else "")
    wrong = [each for each in asked if each.wrong]
    who = _share(len(wrong), len(asked), "method")
    if views.baselines[1]:
        who += f" and {_share(*views.baselines, 'baseline')}"
    alone = len(asked) == 1 and not views.baselines[1]
    words = f"{who} {'expects' if alone else 'expect'} another class"
    classes = Counter(views.names[each.label] for each in wrong if each.label is not None)
    if classes:
        words += ": " + ", ".join(_counted(views, *each) for each in classes.most_common())
    return escape(words) + "."


def _share(count: int, there: int, word: str) -> str:
    return f"{count} of {there} {word}{'' if there == 1 else 's'}"


def _counted(views: ImageViews, name: str, count: int) -> str:
    """Say how many methods expect a class; where baselines are counted too, that these are not."""
    unit = (" method" if count == 1 else " methods") if views.baselines[1] else ""
    return f"{name} ({count}{unit})"


# Columns --------------------------------------------------------------------------------------


_STATES = {
    "absent": "Not run yet: start it in Runs.",
    "told": "It learned from people's answer to this image, so it has no opinion of it.",
    "unseen": "Its run did not judge this image.",
}


def _column(views: ImageViews, one: MethodView, url: Url, heading: int) -> str:
    alone = views.only is one
    head = (
        f"<div><h{heading}>{escape(one.short)}</h{heading}>{_verdict(views, one)}"
        f'<p class="muted">{escape(_place(one))}</p></div>'
    )
    if one.state != "ready":
        words = one.missing or _STATES[one.state]
        body = f'<p class="none">{escape(words)}</p><div></div><div></div>'
    else:
        picture = (
            f'<p class="none">{escape(one.missing)}</p>'
            if one.picture is None
            else _picture(views, one.picture, url)
        )
        words = "" if one.picture is None else escape(one.picture.words)
        body = f"{picture}{_curve(views, one)}<p>{words}</p>"
    kind = "column only" if alone else "column"
    return f'<section class="{kind}" aria-label="{escape(one.title)}">{head}{body}</section>'


def _verdict(views: ImageViews, one: MethodView) -> str:
    if one.state != "ready":
        return ""
    if one.place is None and one.label is not None:
        return f'<span class="chip">finds {escape(views.names[one.label])} most probable</span>'
    if not one.wrong:
        return '<span class="chip">agrees with the label</span>'
    if one.label is None:
        return '<span class="chip wrong">doubts the label</span>'
    return f'<span class="chip wrong">expects {escape(views.names[one.label])}</span>'


def _place(one: MethodView) -> str:
    title = "" if one.title == one.short else one.title
    if one.place is None:
        return title
    place = f"place {one.place:,} of {one.of:,}"
    return f"{title}, {place}" if title else place


def _picture(views: ImageViews, picture: Picture, url: Url) -> str:
    return f"<div>{PICTURES[picture.kind](views, picture, url)}</div>"


_BROWN = "border-top:2px dashed var(--brown);height:0;vertical-align:.25em"
_BLUE = "border-top:2px solid var(--blue);height:0;vertical-align:.25em"


def _curve(views: ImageViews, one: MethodView) -> str:
    given, other = one.curve.get("given", []), one.curve.get("other", [])
    if not one.trained:
        return "<div></div>"
    if len(given) < 2:
        return '<p class="none">No course: it scores each image once.</p>'
    width = len(given) - 1
    lines = [
        line(points(other), "stroke:var(--blue);stroke-width:2"),
        line(points(given), "stroke:var(--brown);stroke-width:2;stroke-dasharray:5 4"),
    ]
    first = 0 if one.step == "round" else 1
    words = f"Probability by {one.step}: the given label from {chance(given[0])} to "
    words += chance(given[-1])
    if other:
        words += f", the best other class from {chance(other[0])} to {chance(other[-1])}"
    words += "."
    chart = image(svg(width, 40, lines), words, "curve")
    legend = key_of(
        (_BROWN, f"given {chance(given[-1])}"),
        (_BLUE, f"best other {chance(other[-1])}" if other else "best other"),
    )
    axis = ends(f"{one.step} {first}", str(first + width), "p from 0 to 1")
    return f"<div>{chart}{axis}{legend}</div>"
