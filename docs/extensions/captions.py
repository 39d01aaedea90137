"""Captions: a picture that stands alone has its description below it."""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms import SphinxTransform
from sphinx.util.typing import ExtensionMetadata


class PicturesToFigures(SphinxTransform):
    """Make a figure of each paragraph that is nothing but a picture."""

    default_priority = 500

    def apply(self, **_: object) -> None:
        for paragraph in list(self.document.findall(nodes.paragraph)):
            if len(paragraph) == 1 and isinstance(paragraph[0], nodes.image):
                image = paragraph[0]
                caption = nodes.caption("", image.get("alt", ""))
                figure = nodes.figure("", image, caption)
                self.document.set_id(figure)
                paragraph.replace_self(figure)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Tell Sphinx."""
    app.add_transform(PicturesToFigures)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
