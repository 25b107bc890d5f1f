"""
Markup: what the HTML of a notebook's cells needs before it is safe and readable for everybody.

Each function changes the parsed cells in place. Pages, styles and files belong in ``html``.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import chain, count
from typing import NamedTuple

from bs4 import BeautifulSoup, Tag

HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
OWN_ANCHORS = frozenset({"main", "parameters", "failure", "toggle-code"})
ACTIVE_TAGS = ("script", "style", "iframe", "object", "embed", "link", "meta", "base", "form", "template", "noscript")
LINKS = frozenset({"href", "xlink:href", "action", "cite"})
SOURCES = frozenset({"src", "srcset", "srcdoc", "poster", "background", "data", "formaction", "ping"})
SPANS = "[colspan], [rowspan]"
MISSING_TEXTS = frozenset({"", "-", "–", "—", "nan", "nat", "none", "null", "<na>"})
NUMBER_SIGNS = str.maketrans({"−": "-", **dict.fromkeys(",%$€£¥ \u00a0\u202f", "")})
TIME = re.compile(r"\d{4}-\d\d-\d\d\b")
_LONG_NUMBER = re.compile(r"(?P<sign>[-−]?)(?P<whole>[1-9]\d{4,})(?P<rest>(\.\d+)?)", re.ASCII)
_NAMES_SOMETHING = re.compile(r"\b(id|ids|number|code|year|seed)\b", re.IGNORECASE)  # digits that are no quantity
LONG_TEXT = 60  # characters; a longer text needs a wide column
NUMBER = re.compile(r"[-+]?(\d+\.?\d*|\.\d+)(e[-+]?\d+)?", re.ASCII | re.IGNORECASE)


class Heading(NamedTuple):
    """A line in the table of contents."""

    level: int
    anchor: str
    text: str


def disarm(cells: BeautifulSoup) -> None:
    """
    Take out whatever could run, load or send something.

    Parameters
    ----------
    cells : bs4.BeautifulSoup
        Changed in place.

    Examples
    --------
    >>> cells = BeautifulSoup(
    ...     "<p onclick='x()'>a<script>x()</script> <a href='java\\nscript:x()'>b</a></p>", "html.parser"
    ... )
    >>> disarm(cells)
    >>> print(cells)
    <p>a <a>b</a></p>
    """
    for tag in cells.find_all(ACTIVE_TAGS):
        tag.decompose()
    for tag in cells.find_all(name=True):
        for name, value in list(tag.attrs.items()):
            if name.startswith("on") or not _is_harmless(name, str(value)):
                del tag[name]


def take_title(cells: BeautifulSoup) -> str:
    """
    Move the title out of the cells: a page has one, in its header.

    Parameters
    ----------
    cells : bs4.BeautifulSoup
        Changed in place.

    Returns
    -------
    str
        Text of the first H1, empty where there is none.
    """
    title = cells.find("h1")
    return _text(title.extract()) if title is not None else ""


def outline(cells: BeautifulSoup) -> list[Heading]:
    """
    Give each heading an anchor of its own, and a level below the title that skips none.

    Parameters
    ----------
    cells : bs4.BeautifulSoup
        Changed in place.

    Returns
    -------
    list of Heading
        In the order of the page.

    Examples
    --------
    >>> outline(BeautifulSoup("<h2>What we see</h2><h4>Why?</h4><h2>What we see</h2>", "html.parser"))
    [Heading(level=2, anchor='what-we-see', text='What we see'), Heading(level=3, anchor='why', text='Why?'), Heading(level=2, anchor='what-we-see-2', text='What we see')]
    """
    headings: list[Heading] = []
    taken = {*OWN_ANCHORS, *(str(tag["id"]) for tag in cells.find_all(id=True))}
    level = 1
    for tag in cells.find_all(HEADINGS):
        level = max(2, min(int(tag.name[1]), level + 1))
        anchor = _free_anchor(_text(tag), taken)
        taken.add(anchor)
        tag.name, tag["id"] = f"h{level}", anchor
        headings.append(Heading(level, anchor, _text(tag)))
    return headings


def gather_code(cells: BeautifulSoup) -> None:
    """
    Put the code of cells that show nothing into the next cell's, when that follows at once.

    Parameters
    ----------
    cells : bs4.BeautifulSoup
        Changed in place.
    """
    for cell in cells.select(".cell"):
        following = cell.find_next_sibling()
        if cell.select_one(".outputs") or following is None or "cell" not in following.get_attribute_list("class"):
            continue
        code, destination = cell.select_one("details.code"), following.select_one("details.code > summary")
        if code is not None and destination is not None:
            destination.insert_after(*code.select(".highlight"))
            cell.decompose()


def finish_tables(cells: BeautifulSoup) -> None:
    """
    Make tables readable: headers that say something, numbers aligned, a box of their own that scrolls.

    Parameters
    ----------
    cells : bs4.BeautifulSoup
        Changed in place.
    """
    for number, table in enumerate(cells.find_all("table"), start=1):
        del table["border"]
        _join_header_rows(table)
        for header in table.find_all("th"):
            if _text(header):
                header["scope"] = "col" if header.find_parent("thead") else "row"
            else:
                header.name = "td"
        _mark_columns(table)
        name = _text(table.caption) if table.caption else f"Table {number}"
        table.wrap(
            cells.new_tag("div", attrs={"class": "scroll", "role": "group", "tabindex": "0", "aria-label": name})
        )


def _text(tag: Tag) -> str:
    """Return a tag's text on one line."""
    return " ".join(tag.get_text().split())


def _is_harmless(attribute: str, value: str) -> bool:
    """Whether an attribute neither loads anything nor leads to code."""
    address = re.sub(r"[\x00-\x20]", "", value).lower()
    if attribute in SOURCES:
        return address.startswith("data:image/")
    if attribute in LINKS:
        return re.match(r"(https?|mailto):|(?![a-z][a-z0-9+.-]*:)", address) is not None
    return True


def _free_anchor(text: str, taken: set[str]) -> str:
    """Return the first of ``text``, ``text-2``, ``text-3`` … that is not taken."""
    slug = re.sub(r"\W+", "-", text.lower()).strip("-") or "section"
    return next(name for name in chain([slug], (f"{slug}-{number}" for number in count(2))) if name not in taken)


def _join_header_rows(table: Tag) -> None:
    """Join the two header rows that pandas writes for a table whose index has a name."""
    rows = _grid(table, "thead tr")
    if len(rows) != 2 or len(rows[0]) != len(rows[1]) or table.select(SPANS):
        return
    pairs = list(zip(*rows, strict=True))
    if any(_text(upper) and _text(lower) for upper, lower in pairs):
        return
    for upper, lower in pairs:
        upper.extend(list(lower.children))
    table.select("thead tr")[1].decompose()


def _mark_columns(table: Tag) -> None:
    """Align columns of numbers; keep ``sortable`` for tables with one header row and no spans."""
    headers, rows = _grid(table, "thead tr"), _grid(table, "tbody tr")
    classes = set(table.get_attribute_list("class"))
    is_regular = len(headers) == 1 and {len(row) for row in rows} == {len(headers[0])} and not table.select(SPANS)
    if is_regular:
        for column in zip(*headers, *rows, strict=True):
            kind = _kind([_text(cell) for cell in column[1:]])
            if kind is not None:
                for cell in column:
                    _set_classes(cell, {*cell.get_attribute_list("class"), kind})
            if kind == "number" and not _NAMES_SOMETHING.search(_text(column[0])):
                for cell in column[1:]:
                    _group_thousands(cell)
    sortable = {"sortable"} if is_regular and classes & {"sortable", "dataframe"} else set()
    _set_classes(table, (classes - {"sortable"}) | sortable)


def _group_thousands(cell: Tag) -> None:
    """Write a plain number of five digits or more with separators."""
    digits = _LONG_NUMBER.fullmatch(_text(cell))
    if digits and len(cell.contents) == 1:
        cell.string = f"{digits['sign']}{int(digits['whole']):,}{digits['rest']}"


def _grid(table: Tag, rows: str) -> list[list[Tag]]:
    """Return the cells of a table's rows."""
    return [list(row.find_all(["th", "td"])) for row in table.select(rows)]


def _set_classes(tag: Tag, names: Iterable[str | None]) -> None:
    """Give a tag these classes and no others."""
    tag["class"] = " ".join(sorted(name for name in names if name))


def _kind(texts: list[str]) -> str | None:
    """Return ``number`` or ``time`` where all texts that are not missing are one, ``long`` where one is a sentence."""
    present = [text for text in texts if text.lower() not in MISSING_TEXTS]
    if present and all(NUMBER.fullmatch(text.translate(NUMBER_SIGNS)) for text in present):
        return "number"
    if present and all(TIME.match(text) for text in present):
        return "time"
    return "long" if any(len(text) > LONG_TEXT for text in present) else None
