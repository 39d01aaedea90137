"""Sphinx's configuration of the site."""

from importlib.resources import files

project = "peewee_app"
html_title = "peewee_app"
html_theme = "furo"
html_show_copyright = False
html_copy_source = False
pygments_dark_style = "github-dark"
html_favicon = "_static/icon.svg"
html_static_path = [
    "_static",
    # The package has Mermaid's own file, so pages need not ask another host for it.
    str(files("mermaidx") / "assets" / "mermaid.js"),
]
html_css_files = ["site.css"]
html_js_files = ["tables.js"]
html_show_sourcelink = False

extensions = [
    "myst_parser",
    "sphinx_copybutton",
    "sphinx_design",
    "sphinx.ext.autodoc",
    "sphinx.ext.viewcode",
    "docs.extensions.captions",
    "docs.extensions.mermaid",
    "docs.extensions.repository",
]
exclude_patterns = ["_static"]

# Of a console's lines, only the commands are copied, without the prompt.
copybutton_prompt_text = "$ "
copybutton_exclude = ".linenos, .gp"
copybutton_line_continuation_character = "\\"

# Pages are Markdown as GitHub has it, and directives where they must be.
myst_enable_extensions = ["colon_fence"]
myst_fence_as_directive = ["mermaid"]
myst_heading_anchors = 3

# Signatures have names that other packages document, or none does. A reference of
# ours that leads nowhere is still a warning.
nitpick_ignore_regex = [("py:class", r"(?!peewee_app\.fastapi_peewee\.\w+$).*")]
default_role = "code"  # As in Markdown.
add_module_names = False
python_use_unqualified_type_names = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
