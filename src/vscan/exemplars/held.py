"""What a writer knows of the exemplars that an index holds: their lines, read only when asked for.

Entering a writer must not cost what the index holds: of a hundred thousand exemplars it looks at
the ids, and parses those that somebody asks for.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from vscan.errors import ExemplarIndexError
from vscan.exemplars.exemplar import Exemplar
from vscan.exemplars.manifest import Batch
from vscan.exemplars.parts import DAMAGED, decode_exemplars, read_part

_ID = re.compile(rb'\{"id":"(ex_[0-9a-z]{20})"')
# Quotes within a name are escaped, so these are the exemplar's own fields.
_CONTENT = re.compile(rb'"sha256":"([0-9a-f]{64})","md5":')


class HeldExemplars(Mapping[str, Exemplar]):
    """The exemplars of the batches that it follows, by id, in their order."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self._order: list[str] = []
        self._lines: dict[str, dict[str, bytes]] = {}
        """By the path of a batch's part, its lines by id."""
        self._part: dict[str, str] = {}
        """By id, the path of its batch's part."""
        self._by_content: dict[str, str] | None = None

    def follow(self, batches: Sequence[Batch]) -> None:
        """Knows the exemplars of those batches from now on, and of no others.

        Only parts that it does not know yet are read. Raises PartGoneError, or ExemplarIndexError
        where a part is not what its batch says.
        """
        paths = [batch.exemplars.path for batch in batches]
        new = {
            batch.exemplars.path: self._read(batch)
            for batch in batches
            if batch.exemplars.path not in self._lines
        }
        for path in set(self._lines) - set(paths):
            for each in self._lines.pop(path):
                if self._part[each] == path:
                    del self._part[each]
        for path, lines in new.items():
            self._lines[path] = lines
            self._part |= dict.fromkeys(lines, path)
        self._order = paths
        self._by_content = None if new else self._by_content
        if len(self._part) != sum(batch.count for batch in batches):
            raise ExemplarIndexError(f"{self._root}: two exemplars have the same id")

    def of(self, batch: Batch) -> list[Exemplar]:
        """The exemplars of a batch that it follows."""
        lines = self._lines[batch.exemplars.path]
        return decode_exemplars(b"\n".join(lines.values()), where=batch.exemplars.path)

    def has_any(self, batch: Batch, ids: Mapping[str, object] | set[str]) -> bool:
        """Whether the batch holds an exemplar of those ids."""
        return any(self._part.get(each) == batch.exemplars.path for each in ids)

    def with_content(self, sha256: str) -> Exemplar | None:
        """The exemplar made of the content with this SHA-256; the first, if there are several."""
        if self._by_content is None:
            self._by_content = {}
            for path in reversed(self._order):
                for each, line in reversed(self._lines[path].items()):
                    found = _CONTENT.search(line)
                    if found is not None:
                        self._by_content[found.group(1).decode()] = each
        known = self._by_content.get(sha256)
        return None if known is None else self[known]

    def __getitem__(self, exemplar_id: str) -> Exemplar:
        path = self._part[exemplar_id]
        return decode_exemplars(self._lines[path][exemplar_id], where=path)[0]

    def __iter__(self) -> Iterator[str]:
        for path in self._order:
            yield from self._lines[path]

    def __len__(self) -> int:
        return len(self._part)

    def __contains__(self, exemplar_id: object) -> bool:
        return exemplar_id in self._part

    def _read(self, batch: Batch) -> dict[str, bytes]:
        lines = {}
        for line in read_part(self._root, batch.exemplars).splitlines():
            found = _ID.match(line)
            if found is not None:
                lines[found.group(1).decode()] = line
        if len(lines) != batch.count:
            raise ExemplarIndexError(
                f"{self._root}/{batch.exemplars.path}: {len(lines)} exemplars, not {batch.count}",
                remedy=DAMAGED,
            )
        return lines
