"""XML from strangers: what is refused, what is handed out, and that writing is its inverse."""

from __future__ import annotations

import tracemalloc

import pytest

from vscan.errors import ExemplarIndexError
from vscan.exemplars.formats import xml_tree
from vscan.exemplars.formats.xml_tree import Element, elements, escaped, from_json, written

BILLION_LAUGHS = b"""<?xml version="1.0"?>
<!DOCTYPE lolz [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]>
<queryResult><images><image>&c;</image></images></queryResult>"""
EXTERNAL = b"""<!DOCTYPE x [<!ENTITY f SYSTEM "file:///etc/passwd">]><a><b><c>&f;</c></b></a>"""


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (BILLION_LAUGHS, "f:2: a document type"),
        (EXTERNAL, "f:1: a document type"),
        (b"<a><b>\n<c></b></a>", "f:2: not XML: mismatched tag"),
        (b"<a>&undefined;</a>", "f:1: not XML: undefined entity"),
        (b"<x>" * 100, "f:1: nested too deeply"),
        (b"", "f:1: not XML: no element found"),
        (b'<?xml version="1.0" encoding="rot13"?><a/>', "f:1: not XML"),
        (b"<a/><a/>", "f:1: not XML: junk"),
    ],
    ids=["laughs", "external", "mismatch", "undefined", "depth", "empty", "encoding", "two roots"],
)
def test_refused(document: bytes, said: str) -> None:
    """Each is an error with file, line and cause; nothing is expanded or fetched."""
    tracemalloc.start()
    with pytest.raises(ExemplarIndexError) as refused:
        list(elements(document, "f", depth=3))
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert refused.value.message.startswith(said)
    assert most < 5 << 20


def test_a_huge_document_is_refused_unread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Beyond the limit nothing is parsed."""
    monkeypatch.setattr(xml_tree, "MAX_XML_BYTES", 10)
    with pytest.raises(ExemplarIndexError, match="larger than the 10 bytes"):
        list(elements(b"<a></a>    ", "f", depth=1))


def test_elements_come_with_those_around_them() -> None:
    """Namespaces are dropped, lines kept; text outside of children is the element's own."""
    data = b'<q xmlns="urn:x" xmlns:y="urn:y">\n<g n="1"><e y:k="v"> a <z/> b </e><e/></g></q>'
    (around, first), (_, second) = elements(data, "f", depth=3)
    assert ["q", "g"] == [each.tag for each in around]
    assert {"n": "1"} == around[1].attributes
    assert ("e", {"k": "v"}, "a  b", 2) == (first.tag, first.attributes, first.text, first.line)
    assert [["z"], []] == [[child.tag for child in each.children] for each in (first, second)]


def test_elements_as_json_and_back() -> None:
    """A tree in JSON is the same tree again, and so is one in XML."""
    tree = Element("a", {"k": 'x"<&\n'}, 1, "one & two", [Element("b", {}, 1), Element("c", {}, 1)])
    assert written(tree) == written(from_json(tree.as_json()))
    ((_, again),) = elements(written(tree).encode(), "f", depth=1)
    assert tree.as_json() == again.as_json()


@pytest.mark.parametrize("said", [None, {}, {"tag": 1}, {"tag": "a", "children": [1]}])
def test_json_that_is_no_element(said: object) -> None:
    """It is refused as such."""
    with pytest.raises(ValueError, match="not an XML element"):
        from_json(said)


def test_what_xml_cannot_hold() -> None:
    """Control characters and names that are none are refused, never written."""
    with pytest.raises(ValueError, match="cannot hold"):
        escaped("a\x00b")
    with pytest.raises(ValueError, match="not a name"):
        written(Element("a b", {}, 0))
    with pytest.raises(ValueError, match="not a name"):
        written(Element("a", {"k=1 ": ""}, 0))
