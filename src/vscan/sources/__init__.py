"""Which inputs there are: files, folders, globs, URIs and lists become sources, each once, lazily.

finder = SourceFinder()
for source in finder.find(["clips/", "s3://bucket/uploads/"], from_file="more.txt"):
    ...                                # a Source, or a RemoteSource that is to be fetched first
finder.skipped_files, finder.empty_folders
"""

from vscan.sources.finder import SourceFinder, find_sources
from vscan.sources.lists import read_list
from vscan.sources.media_files import looks_like_media
from vscan.sources.source import Found, RemoteSource, Source

__all__ = [
    "Found",
    "RemoteSource",
    "Source",
    "SourceFinder",
    "find_sources",
    "looks_like_media",
    "read_list",
]
