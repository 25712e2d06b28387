"""How the site is built: `sphinx-build -W docs docs/_build`, from `docs` alone, without a network.

Formulas become MathML, which browsers draw themselves: no script and no font is fetched by a
reader, and none by the build. The converter is docutils' own.
"""

import re

from docutils import nodes
from docutils.utils.math import MathError, latex2mathml
from sphinx.application import Sphinx
from sphinx.util import logging

project = "LNL Review"
author = "the LNL Review authors"
copyright = "the LNL Review authors, Apache-2.0"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 4
html_math_renderer = "mathml"
suppress_warnings = ["toc.empty_glob"]

autodoc_typehints = "signature"
autodoc_member_order = "bysource"
autodoc_preserve_defaults = True

html_theme = "furo"
html_title = "LNL Review"
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sphinx = False


def _mathml(translator: object, node: nodes.math | nodes.math_block) -> None:
    """Write a formula; one that cannot be converted is a warning, so a failed strict build."""
    block = isinstance(node, nodes.math_block)
    try:
        written = latex2mathml.tex2mathml(node.astext(), as_block=block)
        if re.search(r"<munderover[^>]*>\s*<m(?!o)", written):  # a subscript below its letter
            raise MathError("an accent and a subscript on one letter")
    except MathError as error:
        logging.getLogger(__name__).warning("%s in %r", error, node.astext(), location=node)
        written = node.astext()
    # log x, not logx
    written = re.sub(
        r"(&ApplyFunction;</mo>)(?=\s*<m(?!o))", r'\1<mspace width="0.17em"/>', written
    )
    translator.body.append(f'<div class="formula">{written}</div>' if block else written)
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Teach the HTML builder to write formulas as MathML."""
    app.add_html_math_renderer("mathml", (_mathml, None), (_mathml, None))
