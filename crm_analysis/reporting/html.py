"""
Pages: an executed notebook becomes one HTML file that asks the network for nothing.

Running notebooks belongs in ``run``; the page about a whole run belongs in ``index``.
"""

from __future__ import annotations

import base64
import datetime as dt
import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import nbformat
from bs4 import BeautifulSoup
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup
from nbconvert import HTMLExporter

from crm_analysis.reporting import markup

TEMPLATES = Path(__file__).parent / "templates"
PAPERMILL_MARK = "papermill-error-cell-tag"
MISSING = "–"


@dataclass(frozen=True, kw_only=True)
class ReportFacts:
    """
    What a report's header says beside the notebook's own title.

    Attributes
    ----------
    identifier : str
        The report's, such as ``segmentation@region=north``.
    dataset : str
        Name of the data.
    as_of : datetime.date or None
        Last day the report knows about.
    first_day : datetime.date or None
        First day in the data.
    currency : str or None
        Of all amounts.
    notes : sequence of str
        Where the data come from, their licence, what in them is synthetic.
    parameters : mapping
        As the notebook was given them; ``out`` is not shown.
    status : str
        ``failed`` puts a notice under the title.
    index : str or None
        Link to the page of the whole run.
    """

    identifier: str
    dataset: str
    as_of: dt.date | None = None
    first_day: dt.date | None = None
    currency: str | None = None
    notes: Sequence[str] = ()
    parameters: Mapping[str, object] = field(default_factory=dict)
    status: str = "ok"
    index: str | None = None


def export_html(notebook: nbformat.NotebookNode, destination: Path, *, facts: ReportFacts) -> None:
    """
    Write an executed notebook as one self-contained HTML file.

    Parameters
    ----------
    notebook : nbformat.NotebookNode
        Executed, wholly or up to a failing cell; it is not changed.
    destination : pathlib.Path
        The file to write.
    facts : ReportFacts
        For the header.

    Notes
    -----
    Code and text of the notebook are the project's own, values in outputs are not. Outputs are escaped unless they are
    ``text/html``; from those whatever could run or load something is taken out, and the page's content security policy
    allows no script but its own, by hash.
    """
    cells = _cells(notebook)
    markup.disarm(cells)
    title = markup.take_title(cells) or facts.identifier
    failure = cells.find(class_="failure")
    if failure is not None:
        failure["id"] = "failure"
    for box in cells.select(".provenance"):
        box.decompose()  # the page's head says it
    headings = markup.outline(cells)
    markup.gather_code(cells)
    markup.finish_tables(cells)
    html = render_page(
        "report.html.j2",
        title=f"{title} · {facts.dataset}",
        heading=title,
        facts=facts,
        parameters={name: _parameter_text(value) for name, value in facts.parameters.items() if name != "out"},
        headings=[heading for heading in headings if heading.level <= 3],
        has_failure=failure is not None,
        body=Markup(str(cells)),  # noqa: S704  # escaped by the template of the cells, disarmed above
    )
    write_page(html, destination)


def render_page(template: str, *, title: str, **context: object) -> str:
    """
    Return a page in the workspace's look; every value in it is escaped.

    Parameters
    ----------
    template : str
        A file in ``templates/pages``.
    title : str
        Of the browser's window.
    **context : object
        What else the template names.

    Returns
    -------
    str
        HTML with its style, its script and a policy that lets nothing else in.
    """
    style, script, policy = _own_parts()
    page = _pages().get_template(template)
    return page.render(title=title, style=style, script=script, policy=policy, **context)


def write_page(html: str, destination: Path) -> None:
    """
    Write a page as UTF-8, whatever characters the data hold.

    Parameters
    ----------
    html : str
        A whole page.
    destination : pathlib.Path
        The file to write.
    """
    destination.write_bytes(html.encode("utf-8", errors="replace"))


def day_text(day: dt.date | str | None) -> str:
    """
    Return a day as a reader writes it.

    Parameters
    ----------
    day : datetime.date, str or None
        An ISO day where it is text.

    Returns
    -------
    str
        Day, month by name, year; what is no day comes back as it is.

    Examples
    --------
    >>> day_text("2017-12-31")
    '31 December 2017'
    """
    if day is None:
        return MISSING
    try:
        known = day if isinstance(day, dt.date) else dt.date.fromisoformat(day)
    except ValueError:
        return str(day)
    return f"{known.day} {known:%B %Y}"


@functools.cache
def _exporter() -> HTMLExporter:
    """Return the exporter of the cells; building it costs far more than using it."""
    exporter = HTMLExporter(template_name="cells", extra_template_basedirs=[str(TEMPLATES)], exclude_anchor_links=True)
    exporter.exclude_input_prompt = exporter.exclude_output_prompt = True
    exporter.environment.autoescape = True
    return exporter


@functools.cache
def _pages() -> Environment:
    """Return the templates of whole pages."""
    loader = FileSystemLoader(TEMPLATES / "pages")
    pages = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    pages.filters["day"] = day_text
    return pages


@functools.cache
def _own_parts() -> tuple[Markup, Markup, str]:
    """Return the style, the script and the policy that allows just these."""
    style, script = ((TEMPLATES / "pages" / name).read_text(encoding="utf-8") for name in ("style.css", "script.js"))
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    )
    return Markup(style), Markup(script), policy  # noqa: S704  # the package's own files


def _cells(notebook: nbformat.NotebookNode) -> BeautifulSoup:
    """Return the cells as HTML, without the marks that papermill sets around a failure."""
    cells = [cell for cell in notebook.cells if PAPERMILL_MARK not in cell.metadata.get("tags", [])]
    html, _ = _exporter().from_notebook_node(nbformat.from_dict({**notebook, "cells": cells}))
    return BeautifulSoup(html, "html.parser")


def _parameter_text(value: object) -> str:
    """Return a parameter as a reader sees it in the header."""
    if value is None or value in ("", {}, []):
        return MISSING
    if isinstance(value, Mapping):
        return ", ".join(f"{name} = {_parameter_text(inner)}" for name, inner in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(_parameter_text(inner) for inner in value)
    return str(value)
