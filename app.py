"""The launcher: `streamlit run app.py` serves the pages, and the image routes beside them.

The script is `pages/_main.py`, not this file: with a plain script beside a `pages/` folder, a deep
link as the server's first request would skip the frame and its login gate.
"""

import gc
import sys
from pathlib import Path

import streamlit as st

gc.disable()  # imports leave no garbage, and the search for it takes 0.1 s; the lifespan enables it

from pages import _login, _routes  # noqa: E402
from pages._explore import routes  # noqa: E402

if why := _login.check_address(st.get_option("server.address")):
    sys.exit(why)

app = st.App(
    Path(__file__).parent / "pages" / "_main.py",
    routes=[*_routes.ROUTES, *routes.ROUTES],
    middleware=_routes.MIDDLEWARE,
    lifespan=_routes.lifespan,
)

if __name__ == "__main__":
    app.run()
