"""Links out of `docs/` into the repository, which read well on GitHub too.

Of a file that the site has as a page, the link leads to the page. Any other file can be
downloaded. A directory is only named: the site has nothing to show for it.
"""

import os
from pathlib import Path

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.typing import ExtensionMetadata

PAGES = {
    "README.md": "index",
    "comparison/README.md": "comparison/method",
    "comparison/results.md": "comparison/results",
}


class RepositoryLinks(SphinxTransform):
    """Resolve what MyST took for a missing page."""

    default_priority = 500

    def apply(self, **_: object) -> None:
        root = self.env.srcdir.resolve().parent
        links = [
            *self.document.findall(addnodes.pending_xref),
            *self.document.findall(addnodes.download_reference),
        ]
        for link in links:
            if link.get("reftype") != "myst":
                continue
            path = self._path(link)
            outside = not path.is_relative_to(self.env.srcdir.resolve())
            if not (outside and path.is_relative_to(root) and path.exists()):
                continue
            name = str(path.relative_to(root))
            if name in PAGES:
                link.replace_self(self._page(link, PAGES[name]))
            elif path.is_dir():
                link.replace_self(link.children)
            elif isinstance(link, addnodes.pending_xref):
                link.replace_self(self._download(link, path))

    def _path(self, link: nodes.Element) -> Path:
        target = link["reftarget"].partition("#")[0]
        if link.get("refdomain") == "doc":  # A name of a page, without its suffix.
            return (self.env.srcdir / f"{target}.md").resolve()
        # Of an included file, the links are relative to that file.
        here = link.source or self.env.doc2path(self.env.docname)
        return (self.env.srcdir / here).parent.joinpath(target).resolve()

    def _page(self, link: nodes.Element, page: str) -> addnodes.pending_xref:
        reference = addnodes.pending_xref(
            "",
            *link.children,
            refdomain="doc",
            reftarget=page,
            reftargetid=None,
            refdoc=self.env.docname,
            reftype="myst",
            refexplicit=True,
        )
        reference.source, reference.line = link.source, link.line
        return reference

    def _download(self, link: nodes.Element, path: Path) -> addnodes.download_reference:
        here = Path(self.env.doc2path(self.env.docname)).parent
        download = addnodes.download_reference(
            reftarget=os.path.relpath(path, here), refdoc=self.env.docname
        )
        download.extend(link.children)
        return download


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx."""
    app.add_transform(RepositoryLinks)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
