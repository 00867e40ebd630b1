"""XML from strangers: elements handed out one by one, no document type, no entities, no depth.

Entity expansion (a few hundred bytes that become gigabytes) and external entities need a document
type declaration, so none is allowed. Names lose their namespace.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from xml.parsers import expat

from vscan.exemplars.formats.guards import refuse
from vscan.exemplars.formats.record import Json

MAX_XML_BYTES = 64 << 20
"""A page of a list has a thousand entries. Expat's time can grow with the square of a token."""
MAX_DEPTH = 32
_CHUNK_BYTES = 1 << 20
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9._-]{0,99}")


@dataclass(slots=True)
class Element:
    """An element: its text is what stands in it outside of children, without outer white space."""

    tag: str
    attributes: dict[str, str]
    line: int
    text: str = ""
    children: list[Element] = field(default_factory=list)

    def child(self, tag: str) -> Element | None:
        """The first child of that name."""
        return next((each for each in self.children if each.tag == tag), None)

    def as_json(self) -> Json:
        """The element as JSON; from_json gives it back."""
        said: dict[str, Json] = {"tag": self.tag}
        if self.attributes:
            said["attributes"] = self.attributes
        if self.text:
            said["text"] = self.text
        if self.children:
            said["children"] = [each.as_json() for each in self.children]
        return said


def from_json(said: Json) -> Element:
    """The element that as_json wrote. Raises ValueError where it is none."""
    if not isinstance(said, dict) or not isinstance(said.get("tag"), str):
        raise ValueError("not an XML element in JSON")
    return Element(
        said["tag"],
        {str(key): str(value) for key, value in dict(said.get("attributes", {})).items()},
        0,
        str(said.get("text", "")),
        [from_json(each) for each in said.get("children", [])],
    )


def elements(
    data: bytes, where: str, *, depth: int
) -> Iterator[tuple[tuple[Element, ...], Element]]:
    """Every element at `depth` (1 is the root), whole, with those around it, as it ends.

    Those around it have their attributes, and no children. Raises ExemplarIndexError naming the
    line where it is no XML, has a document type, or nests too deeply.
    """
    if len(data) > MAX_XML_BYTES:
        refuse(where, "", f"larger than the {MAX_XML_BYTES} bytes that are read of XML")
    handler = _Handler(where, depth)
    try:
        for start in range(0, len(data), _CHUNK_BYTES):
            handler.parser.Parse(data[start : start + _CHUNK_BYTES], False)
            yield from handler.taken()
        handler.parser.Parse(b"", True)
    except expat.ExpatError as error:
        refuse(where, error.lineno, f"not XML: {expat.errors.messages[error.code]}")
    except (LookupError, ValueError) as error:
        refuse(where, handler.parser.CurrentLineNumber, f"not XML: {error}")
    yield from handler.taken()


class _Handler:
    """Builds elements as expat reports them."""

    def __init__(self, where: str, depth: int) -> None:
        self.parser = expat.ParserCreate(namespace_separator=" ")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = self._end
        self.parser.CharacterDataHandler = self._text
        self.parser.StartDoctypeDeclHandler = self._doctype
        self._where = where
        self._depth = depth
        self._open: list[Element] = []
        self._texts: list[list[str]] = []
        self._done: list[tuple[tuple[Element, ...], Element]] = []

    def taken(self) -> list[tuple[tuple[Element, ...], Element]]:
        done, self._done = self._done, []
        return done

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if len(self._open) >= MAX_DEPTH:
            refuse(self._where, self.parser.CurrentLineNumber, "nested too deeply")
        plain = {key.rpartition(" ")[2]: value for key, value in attributes.items()}
        tag = name.rpartition(" ")[2]
        self._open.append(Element(tag, plain, self.parser.CurrentLineNumber))
        self._texts.append([])

    def _end(self, _: str) -> None:
        element = self._open.pop()
        element.text = "".join(self._texts.pop()).strip()
        height = len(self._open) + 1
        if height > self._depth:
            self._open[-1].children.append(element)
        elif height == self._depth:
            self._done.append((tuple(self._open), element))

    def _text(self, text: str) -> None:
        if len(self._open) >= self._depth:
            self._texts[-1].append(text)

    def _doctype(self, *_: object) -> None:
        refuse(
            self._where,
            self.parser.CurrentLineNumber,
            "a document type declaration, which no list needs and attacks use",
        )


def written(element: Element, indent: str = "") -> str:
    """The element as XML, a line each. Raises ValueError for what XML cannot hold."""
    if not NAME.fullmatch(element.tag):
        raise ValueError(f"{element.tag[:80]!r} is not a name for an XML element")
    opened = f"{indent}<{element.tag}{_attributes(element.attributes)}"
    text = escaped(element.text)
    if element.children:
        inner = "".join(written(each, indent + "  ") for each in element.children)
        return f"{opened}>{text}\n{inner}{indent}</{element.tag}>\n"
    return f"{opened}>{text}</{element.tag}>\n" if text else f"{opened}/>\n"


def escaped(text: str) -> str:
    """Text for XML, in elements and attributes alike. Raises ValueError for what it cannot hold."""
    found = _FORBIDDEN.search(text)
    if found:
        raise ValueError(f"XML cannot hold the character {found.group()!r}")
    for one, name in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(one, name)
    for one in "\r\n\t":
        text = text.replace(one, f"&#{ord(one)};")
    return text


def _attributes(attributes: dict[str, str]) -> str:
    for name in attributes:
        if not NAME.fullmatch(name):
            raise ValueError(f"{name[:80]!r} is not a name for an XML attribute")
    return "".join(f' {name}="{escaped(value)}"' for name, value in attributes.items())
