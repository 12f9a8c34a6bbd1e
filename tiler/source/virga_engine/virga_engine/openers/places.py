# SPDX-License-Identifier: Apache-2.0
"""Files and URLs behind an address, and what tells that they have changed."""

from __future__ import annotations

import glob
import hashlib
import os
import tempfile
from pathlib import Path

import fsspec

from ..address import check_url, is_url
from ..failure import Failure, Status

MAX_FILES = 20000
MAX_FETCHED = 4 << 30  # bytes of what is fetched whole


def expand(place: str, schemes: frozenset[str]) -> list[str]:
    """The files or URLs that a path, glob or URL names, in order; Failure where there are none or too many."""
    if is_url(place):
        check_url(place, schemes)
        found = _expand_url(place) if "*" in place else [place]
    else:
        found = sorted(glob.glob(place)) if not os.path.exists(place) and glob.has_magic(place) else [place]
        found = [name for name in found if os.path.exists(name)]
    if not found:
        raise Failure(Status.NOT_FOUND, "no file of this name")
    if len(found) > MAX_FILES:
        raise Failure(Status.TOO_LARGE, f"more than {MAX_FILES} files")
    return found


def _expand_url(url: str) -> list[str]:
    files, path = fsspec.core.url_to_fs(url)
    return sorted(files.unstrip_protocol(name) for name in files.glob(path))


class Fetched:
    """A URL's bytes in a file without a name, for libraries that open paths of this machine only. Gone with the
    object."""

    def __init__(self, url: str) -> None:
        """Raises Failure where it is larger than MAX_FETCHED, or what fsspec raises."""
        self._file = tempfile.TemporaryFile()
        with fsspec.open(url, "rb") as remote:
            while part := remote.read(8 << 20):
                self._file.write(part)
                if self._file.tell() > MAX_FETCHED:
                    raise Failure(Status.TOO_LARGE, f"it is fetched whole, and has more than {MAX_FETCHED >> 30} GB; "
                                                    f"put it on this machine")
        self._file.flush()

    @property
    def path(self) -> str:
        return f"/proc/self/fd/{self._file.fileno()}"


def digest(*parts: object) -> bytes:
    """32 bytes of what these say."""
    total = hashlib.sha256()
    for part in parts:
        raw = part if isinstance(part, bytes) else str(part).encode("utf-8", "surrogateescape")
        total.update(len(raw).to_bytes(8, "little") + raw)
    return total.digest()


def edition_of(places: list[str]) -> bytes:
    """Of files or URLs: names, sizes, times and what else is said of them without reading them."""
    return digest(*(stamp(place) for place in places))


def stamp(place: str) -> str:
    """What is said of one file or URL."""
    if not is_url(place):
        status = os.stat(place)
        return f"{place} {status.st_dev} {status.st_ino} {status.st_size} {status.st_mtime_ns}"
    files, path = fsspec.core.url_to_fs(place)
    files.invalidate_cache()
    known = files.info(path)
    keys = ("size", "mtime", "LastModified", "ETag", "etag", "created", "updated", "md5Hash", "last_commit")
    return f"{place} {[str(known.get(key)) for key in keys]}"


def folder_stamp(folder: Path, documents: frozenset[str]) -> bytes:
    """Of a Zarr store's folders and documents, as source.h has it of stores: chunks are not looked at, but the folders
    they are in."""
    parts: list[object] = []
    waiting = [folder]
    while waiting and len(parts) < 4 * MAX_FILES:
        at = waiting.pop()
        entries = {entry.name: entry for entry in os.scandir(at)}
        found = sorted(entries.keys() & documents)
        if not found:
            continue
        status = at.stat()
        parts += [at, status.st_ino, status.st_mtime_ns]
        for name in found:
            inside = entries[name].stat()
            parts += [name, inside.st_ino, inside.st_size, inside.st_mtime_ns]
        if not is_array(at, found):
            waiting += sorted(Path(e.path) for e in entries.values() if e.is_dir(follow_symlinks=False))
    return digest(*parts)


def is_array(folder: Path, documents: list[str]) -> bool:
    """Whether a folder with these documents is an array, below which there are only chunks."""
    if ".zarray" in documents:
        return True
    if "zarr.json" not in documents:
        return False
    with open(folder / "zarr.json", "rb") as document:
        start = document.read(1 << 20)
    return b'"array"' in start and b'"group"' not in start
