"""The cursor stands in the first field of a dialog: Streamlit puts it on the button that closes."""

from __future__ import annotations

import streamlit as st

_FOCUS = st.components.v2.component(
    "lnl_first_field",
    js=r"""
export default function ({ data }) {
  // The dialog takes the focus itself once it has opened; whoever went elsewhere is left alone.
  let left = 100;
  let held = 0;
  const timer = setInterval(() => {
    const field = document.querySelector(`.st-key-${CSS.escape(data.field)} input`);
    const at = document.activeElement;
    const elsewhere = at && at !== field && at.matches("input, textarea, select");
    held = at && at === field ? held + 1 : 0;
    if (field && !elsewhere && !held) field.focus();
    if (elsewhere || held > 8 || !(left -= 1)) clearInterval(timer);
  }, 50);
  return () => clearInterval(timer);
}
""",
)


def first_field(field: str) -> None:
    """Put the cursor into a text field, once, when the dialog around it opens.

    Args:
        field: key of the field; it is a plain name of ours, never a person's text.
    """
    _FOCUS(key=f"focus_{field}", data={"field": field}, height=1)
