"""Diagrams: a ```mermaid fence, as GitHub has it, drawn by the reader's browser.

The scripts are only on pages that have a diagram.
"""

from html import escape

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective
from sphinx.util.typing import ExtensionMetadata


class mermaid(nodes.raw):  # noqa: N801 (docutils names nodes so)
    """A diagram's source, in the element where Mermaid draws it."""


class MermaidDirective(SphinxDirective):
    """Its content is the diagram."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        source = "\n".join(self.content)
        html = f'<pre class="mermaid">{escape(source)}</pre>'
        return [mermaid("", html, format="html")]


def add_scripts(
    app: Sphinx, _page: str, _template: str, _context: object, doctree: nodes.document
) -> None:
    """Load Mermaid where there is something to draw."""
    if doctree and any(doctree.findall(mermaid)):
        app.add_js_file("mermaid.js")
        app.add_js_file("diagrams.js")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx."""
    app.add_directive("mermaid", MermaidDirective)
    app.connect("html-page-context", add_scripts)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
