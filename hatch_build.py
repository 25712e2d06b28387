"""Puts the app, which stands at the top of a clone, inside the package of a wheel."""

from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class AppInside(BuildHookInterface):
    """Place it where `lnl open` looks first; an editable install uses the clone's own."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Add the app's files, theme included but never a developer's secrets beside it."""
        if version == "standard":
            for name in ("app.py", "pages", "assets", ".streamlit/config.toml"):
                build_data["force_include"][name] = f"lnl_core/_app/{name}"
