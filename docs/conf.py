"""How the documentation is built: `tox -e docs`, or sphinx-build with the package installed."""

from importlib.metadata import version as installed_version

project = "relationship_core"
author = "The relationship_core authors"
copyright = f"2026, {author}"  # the name that Sphinx reads
release = version = installed_version("relationship-core")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
source_suffix = {".md": "markdown"}

# Headings of other pages can be linked to: [text](page.md#heading).
myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence", "deflist", "fieldlist"]

# An attrs class shows its fields once, by their annotations, rather than in one long signature.
autodoc_class_signature = "separated"
autodoc_member_order = "bysource"
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
napoleon_numpy_docstring = False
# The section "Attributes" of a docstring does not describe a field a second time.
napoleon_use_ivar = True

html_theme = "furo"
html_title = f"{project} {release}"
