"""The documentation site, `make docs`: nothing is fetched when it is read, formulas are MathML, fonts the reader's own."""

import re
import sys
from pathlib import Path

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent)]

from docstrings import to_markup  # noqa: E402  # the line above finds it
from reference import write_reference, write_studies  # noqa: E402  # as above

project = "ovrcnn"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_enable_extensions = ["dollarmath", "deflist"]
myst_heading_anchors = 3
exclude_patterns = ["_build", "**/_*.md"]
html_theme = "furo"
html_title = "ovrcnn"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_static_path: list[str] = []
html_math_renderer = "mathml"
autodoc_member_order = "bysource"
# The docstrings give shapes; what NumPy calls an array-like takes five lines.
autodoc_typehints = "none"
# In docstrings a single backtick is code, as in the rest of the project.
default_role = "code"


def inline(writer: HTML5Translator, node: nodes.math) -> None:
    """A formula in a line as MathML."""
    writer.body.append(convert(node.astext()))
    raise nodes.SkipNode


def block(writer: HTML5Translator, node: nodes.math_block) -> None:
    """A formula of its own line as MathML."""
    writer.body.append(f'<div class="math">{convert(node.astext(), display="block")}</div>')
    raise nodes.SkipNode


def include(app: Sphinx, path: Path, parent: str, content: list[str]) -> None:
    """Links of README.md and the studies lead to this site's pages; those to other files of the project become words."""
    text = re.sub(r"\]\((?:experiments/|\.\./)(\w+)/README\.md\)", r"](/studies/\1.md)", content[0])
    text = text.replace("](CONTRIBUTING.md)", "](/design.md)")
    content[0] = re.sub(r"(?<!!)\[([^]\n]+)\]\((?!https?:|/|#)[^)]*\)", r"\1", text)


def setup(app: Sphinx) -> None:
    """Called by Sphinx: what is made from the code is made before anything is read."""
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    app.connect("builder-inited", lambda _: (write_reference(HERE / "reference"), write_studies(HERE / "studies")))
    app.connect("include-read", include)
    app.connect("autodoc-process-docstring", lambda *found: found[-1].__setitem__(slice(None), to_markup(found[-1])))
