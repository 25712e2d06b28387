"""Compare, losses: one run's spread with a threshold, and one image's own course."""

from __future__ import annotations

import streamlit as st

from lnl_core.figures import activations, losses, one_image
from lnl_core.figures import loss_course as drawn_course
from lnl_core.services import methods
from lnl_core.services.compare import comparing, loss_course, map_groups
from lnl_core.services.compare import losses as loss_views
from lnl_core.services.in_force import loaded, scored
from lnl_core.services.review import activation_maps
from lnl_core.types import DatasetInfo, Leaves
from lnl_core.views import STATISTICS, TOGETHER, Comparison, Losses
from pages import _figures, _threshold, _ui, _words
from pages._compare import held
from pages._components.stepper import stepper
from pages._ui import plain


@st.fragment
@_ui.guarded
def draw(info: DatasetInfo, comparison: Comparison) -> None:
    """Draw the histogram at the left and one image at the right."""
    runs = {each.key: each.title for each in comparison.candidates}
    single = [key for key in runs if key not in TOGETHER] or list(runs)
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        key = st.selectbox(
            "Run",
            list(runs),
            index=list(runs).index(single[0]),
            format_func=lambda each: runs.get(each, each),
            key=f"losses_run_{info.id}",
            label_visibility="collapsed",
            width=230,
        )
        quantity = st.segmented_control(
            "Quantity",
            ["loss", "suspicion"],
            default="loss",
            required=True,
            key="losses_quantity",
            label_visibility="collapsed",
        )
        splits = {
            name: words
            for name, words in losses.SPLITS.items()
            if name != "truth" or info.has_truth
        }
        split = st.segmented_control(
            "Split by",
            list(splits),
            default="agreement",
            required=True,
            format_func=lambda each: splits.get(each, each),
            key="losses_split",
            label_visibility="collapsed",
            wrap=True,
        )
    chosen = key if key in runs else single[0]
    with _ui.computing(("losses", info.id, chosen, quantity), 520):
        values = loss_views.losses(info, chosen, quantity or "loss")
    left, right = st.columns([58, 42], gap="small")
    with left, st.container(border=True, key="losses_card"):
        _threshold.spread(info, values, split if split in splits else "agreement")
        left_out = info.n - int(values.counted.sum())
        if left_out:
            st.caption(f"{_words.plural(left_out, 'image')} left out here: {_WITHOUT}.")
    with left:
        _course(info, chosen)
    with right, st.container(border=True, key="image_card"):
        _image(info, values)
    _activations(info)


def _course(info: DatasetInfo, key: str) -> None:
    """Draw how the losses came to be spread so, step by step, where the run kept its course."""
    spread = loss_course.course(info, key)
    if spread is None:
        return
    with st.container(border=True, key="course_card"):
        _figures.draw(
            drawn_course.course(spread, _figures.tone()),
            f"losses by {spread.step} {spread.candidate.name}",
            info,
            alt=f"Spread of the losses after each {spread.step}",
            key="loss_course",
        )
        drawn = f"{info.id} {key} {_ui.wide()} {_ui.narrow()} {_ui.presents()}"
        stepper("loss_course", drawn_course.controls(spread), _figures.tone(), drawn)


_FIRST = ("energy_share", "peak_given", "overlap_gap", "mask_iou")
"""Statistics that are drawn before anybody chooses: the two of the paper, then where maps lie."""


def _activations(info: DatasetInfo) -> None:
    """Draw how activations of right and wrong labels differ on this set, where a run kept any."""
    ranked = scored(info)
    runs = {} if ranked is None else ranked.run_ids
    seen = ((key, map_groups.observation(info, run)) for key, run in runs.items())
    name, observed = next(
        ((methods.short_title(key), one) for key, one in seen if one is not None), ("", None)
    )
    if observed is None:
        with_maps = [run for run in runs.values() if activation_maps.activation_numbers(info, run)]
        if with_maps:
            st.caption(
                "Activations of right and wrong labels are compared once enough is known. "
                + map_groups.too_few(info, with_maps[0])
            )
            return
        names = " or ".join(methods.that_leave(Leaves.MAPS))
        st.caption(
            f"With a run of {plain(names)}, activations of right and wrong labels are compared "
            "here."
        )
        return
    st.header(f"Where {plain(name)} looks, and whether the label holds", anchor=False)
    st.caption(
        f"Activation maps of right and wrong labels may differ. {observed.words} The other class "
        "is the best besides the given."
    )
    drawn = st.multiselect(
        "Statistics",
        list(observed.groups),
        [each for each in _FIRST if each in observed.groups],
        format_func=lambda each: f"{STATISTICS[each]} (AUROC {observed.auroc[each]:.2f})",
        placeholder="Choose statistics",
        label_visibility="collapsed",
        key="activation_statistics",
    )
    columns = st.columns(2, gap="small")
    for place, statistic in enumerate(drawn):
        with columns[place % 2], st.container(border=True, key=f"activations_{statistic}"):
            _figures.draw(
                activations.activations(observed, statistic, _figures.tone(), name),
                f"activations {statistic}",
                info,
                alt=f"{STATISTICS[statistic]} in two groups",
                key=f"activations_{statistic}_figure",
            )


# One image ------------------------------------------------------------------------------------


def _image(info: DatasetInfo, values: Losses) -> None:
    """Draw one image's course and what this method alone can say of it."""
    key = values.candidate.key
    order = loss_views.most(values, info.n).tolist()
    if not order:
        st.caption(f"No image has a score: {_WITHOUT}.")
        return
    state = f"losses_row_{info.id}"
    start = st.session_state.get(state)
    at = order.index(start) if start in order else 0
    with st.container(horizontal=True, vertical_alignment="bottom", gap="small"):
        place = st.number_input(
            "Place, most suspicious first",
            1,
            len(order),
            at + 1,
            key=f"{state}_{key}_{at}",
            width=190,
        )
        row = st.session_state[state] = order[int(place) - 1]
        after = order[int(place) % len(order)]
        st.button("Next", on_click=_show, args=(state, after), key="losses_next")
    if held.back(info, row, "losses"):
        return
    given, words = _names(info, values, row, f"{place:,} of {len(order):,}")
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        with st.container(width=80):
            _ui.thumbs(info, [row], side=72)
        st.markdown(words, width="stretch")
    if key.isdigit() and not loss_views.is_learned(info, key, row):
        st.caption("This run was not trained on the image: there is no course of it.")
        return
    curves = loss_views.trajectory(info, key, row)
    rounds = loss_views.rounds(info, key, row)
    tone = _figures.tone()
    course = one_image.course(values, curves, tone, {"given": given}, rounds=rounds is not None)
    if course is not None:
        _figures.draw(
            course, f"course {row}", info, key="course", alt="Course by epoch", part="column"
        )
    else:
        st.caption("This method keeps no course by epoch: it scores each image once.")
    special = loss_views.sub_losses(info, key, row)
    if special is not None:
        figure = one_image.sub_losses(special, tone, values.candidate.short)
        _figures.draw(
            figure,
            f"sub-losses {row}",
            info,
            key="special",
            alt="Sub-losses of the image's code",
            part="column",
        )
    sharp = loss_views.sharpened(info, key, row)
    if sharp is not None:
        label = int(loss_views.given_label(info, row))
        figure = one_image.sharpened(sharp, info.class_names, label, tone, values.candidate.short)
        _figures.draw(
            figure,
            f"sharpened {row}",
            info,
            key="special",
            alt="Sharpened probabilities",
            part="column",
        )
    if rounds is not None:
        figure = one_image.rounds(rounds, tone, values.candidate.short)
        _figures.draw(
            figure,
            f"rounds {row}",
            info,
            key="special",
            alt="Images removed by round",
            part="column",
        )


def _show(state: str, row: int) -> None:
    st.session_state[state] = row


_WITHOUT = "the run was told the answer, has not judged the image, or the label is no class"


def _names(info: DatasetInfo, values: Losses, row: int, place: str) -> tuple[str, str]:
    """Return the given class's name, and a sentence on the image."""
    given, data = info.class_names[loss_views.given_label(info, row)], loaded(info)
    name = str((data.ids if data.paths is None else data.paths)[row])
    words = f"Labelled **{plain(_ui.short_name(given))}**"
    best = comparing.suggestions(info, values.candidate)
    other = "" if best is None or best[row] < 0 else info.class_names[int(best[row])]
    if other:
        words += f", best other class {plain(_ui.short_name(other))}"
    words += (
        f"  \n:small[:gray[{values.quantity} {values.value(float(values.x[row])):.2g}, "
        f"place {place}]]  \n:small[:gray[{plain(name)}]]"
    )
    return given, words
