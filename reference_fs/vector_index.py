"""Which files are vectors and queries, and what becomes of them.

Owns when a file is looked into (never while it is being written: when a writer flushes or releases it, or when it gets
another name), the collections, and why a file was refused. Knows nothing of FUSE or of `_vexfs`, nor of grammar
(`vectors`) or arithmetic (`vector_collection`). A vector or query that cannot be taken stays an ordinary file; whoever
closes it gets EINVAL where the text was meant as one. `WORD.vec` with prose in it is nobody's error.

The store's lock may be held when this one's is taken, never the other way round; neither is held while searching.
"""

from __future__ import annotations

import errno
import stat
import threading
import time
from collections import Counter, deque
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext

from reference_fs import model_files, model_names
from reference_fs.model import Store
from reference_fs.model_inode import NAME_MAX, ROOT, Inode, fail
from reference_fs.vector_collection import Collection, Hit
from reference_fs.vectors import TEXT_MAX, Bad, NotOurs, Query, Settings, direction, parse_query, parse_vector, unit

VECTOR, QUERY, RESULTS = b".vec", b".search", b".results"
SUFFIXES = (VECTOR, QUERY)
DIMENSION, MODEL, TIMESTAMP = b"user.vexfs.dimension", b"user.vexfs.model", b"user.vexfs.timestamp"
NEAREST = 10  # lines that a search of all collections answers with
ERRORS_KEPT = 8
OWN_MAX = 1000  # numbers of files of results, beyond which those that are gone are forgotten
Place = tuple[int, bytes]
"""The number of a directory, and a name in it."""


class VectorIndex:
    """The vectors of a store. relock: the defect of taking its own lock once more while it searches."""

    def __init__(self, store: Store, *, relock: bool = False) -> None:
        self._store = store
        self._relock = relock
        self._lock = threading.Lock()
        self._collections: dict[int, Collection] = {}  # by the number of their directory
        self._places: dict[int, dict[Place, Inode]] = {}  # of an inode: its names that matter, with their directories
        self._seen: dict[int, int] = {}  # the version of an inode's content that was looked into last
        self._unsettled: dict[int, Inode] = {}  # vectors that got another name
        self._unasked: dict[int, Inode] = {}  # queries that did
        self._own: set[int] = set()  # files of results
        self._counts: Counter[str] = Counter()
        self._errors: deque[bytes] = deque(maxlen=ERRORS_KEPT)
        self.settings = Settings()
        self._find_kept()
        store.watcher = self

    def _find_kept(self) -> None:
        """The vectors of a store that was not empty; they are parsed when first needed. Queries were answered then."""
        for directory in list(self._store.inodes.values()):
            for name, (inode, _) in directory.entries.names.items() if directory.entries is not None else ():
                self.entered(directory, name, inode)
        self._unasked.clear()

    # what the model tells, under the store's lock

    def entered(self, directory: Inode, name: bytes, inode: Inode) -> None:
        """An inode got a name."""
        if name.endswith(SUFFIXES) and inode.is_file:
            with self._lock:
                self._places.setdefault(inode.ino, {})[directory.ino, name] = directory
                if inode.size:
                    (self._unsettled if name.endswith(VECTOR) else self._unasked)[inode.ino] = inode

    def left(self, directory: Inode, name: bytes, inode: Inode) -> None:
        """An inode lost a name."""
        if not name.endswith(SUFFIXES) or not inode.is_file:
            return
        with self._lock:
            places = self._places.get(inode.ino, {})
            places.pop((directory.ino, name), None)
            if not places:
                for known in (self._places, self._seen, self._unsettled, self._unasked):
                    known.pop(inode.ino, None)
            self._discard(directory.ino, name)

    # what a front calls, by way of the interface

    def closing(self, inode: Inode) -> None:
        """A writer flushes or releases a file. Raises OSError(EINVAL) where its text was refused."""
        if inode.ino in self._places:
            known = [of.pop(inode.ino, None) for of in (self._unsettled, self._unasked)]
            self._look(inode, SUFFIXES, afresh=any(known))

    def settle(self) -> None:
        """Look into files that have got another name; nobody is there to be told of an error but `_vexfs/stats`."""
        self._settle(self._unsettled, VECTOR)
        self._settle(self._unasked, QUERY)

    def _settle(self, files: dict[int, Inode], suffix: bytes) -> None:
        while files:
            try:
                _, inode = files.popitem()
                self._look(inode, (suffix,), afresh=True)
            except (OSError, KeyError):  # told in stats; or another thread was quicker
                continue

    def refuse(self, what: bytes, reason: str) -> OSError:
        """Keep in mind that something was refused, and why; the error to raise."""
        self._counts["refused"] += 1
        self._errors.append(what + b": " + reason.encode())
        return fail(errno.EINVAL)

    def everywhere(self, line: bytes) -> bytes:
        """The ten nearest of all collections of that dimension, as lines."""
        vector = direction(line)
        self._settle(self._unsettled, VECTOR)
        once_more: AbstractContextManager[object] = self._lock if self._relock else nullcontext()
        with once_more, self._lock:
            found = [(ino, one.snapshot()) for ino, one in self._collections.items() if one.dimension == len(vector)]
            dimensions = sorted({one.dimension for one in self._collections.values()})
            self._counts["searches"] += 1
        if dimensions and not found:
            known = ", ".join(map(str, dimensions))
            raise Bad(f"{len(vector)} dimensions; there are collections of {known}")
        hits = [(hit, ino) for ino, snapshot in found for hit in snapshot.nearest(vector, NEAREST)]
        named = [Hit(hit.score, self._path(self._store.inodes.get(ino), hit.name)) for hit, ino in hits]
        return b"".join(map(_line, sorted(named, key=lambda hit: hit.rank)[:NEAREST]))

    def counters(self) -> dict[str, int]:
        """As of now."""
        self.settle()
        with self._lock:
            return {
                "collections": len(self._collections), "vectors": sum(map(len, self._collections.values())),
                **{name: self._counts[name] for name in ("indexed", "searches", "refused", "ordinary")},
            }  # fmt: skip

    def errors(self) -> list[bytes]:
        """What was not taken last, and why: a line each."""
        return [plain(one) for one in list(self._errors)]

    # vectors and queries

    def _look(self, inode: Inode, suffixes: tuple[bytes, ...], *, afresh: bool) -> None:
        """Take a file for what its names of these kinds and its text say. Raises OSError(EINVAL) where it is refused.

        afresh: it has got a name, its content may be known already.
        """
        with self._store.lock:
            version = inode.version
            if inode.data is None or (version == self._seen.get(inode.ino) and not afresh):
                return
            text = inode.data.read(0, inode.size) if inode.size <= TEXT_MAX else None
        with self._lock:
            self._seen[inode.ino] = version
            places = [place for place in self._places.get(inode.ino, {}).items() if place[0][1].endswith(suffixes)]
        refused: OSError | None = None
        for (_, name), directory in places:
            try:
                if text is None:
                    raise NotOurs(f"more than {TEXT_MAX} bytes")
                if name.endswith(VECTOR):
                    self._index(inode, directory, name, text, written=not afresh)
                else:
                    self._answer(inode, directory, name, parse_query(text, self.settings))
            except (NotOurs, Bad, OSError) as error:
                meant = not isinstance(error, NotOurs)
                self._drop(inode, directory, name)
                if meant or text != b"":
                    self._counts["refused" if meant else "ordinary"] += 1
                    why = error.strerror if isinstance(error, OSError) else str(error)
                    self._errors.append(self._path(directory, name) + b": " + str(why).encode())
                if meant:
                    refused = error if isinstance(error, OSError) else fail(errno.EINVAL)
        if refused is not None:
            raise refused

    def _index(self, inode: Inode, directory: Inode, name: bytes, text: bytes, *, written: bool) -> None:
        vector = parse_vector(text)
        with self._lock:
            if (directory.ino, name) not in self._places.get(inode.ino, {}):
                return  # renamed or removed meanwhile
            self._collections.setdefault(directory.ino, Collection()).put(name, unit(vector))
            self._counts["indexed"] += 1
        known = {DIMENSION: str(len(vector)).encode()}
        if written or TIMESTAMP not in inode.xattrs:
            known[TIMESTAMP] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(self._store.now() // 10**9)).encode()
        if self.settings.model and MODEL not in inode.xattrs:
            known[MODEL] = self.settings.model.encode()
        self._set(inode, known)

    def _set(self, inode: Inode, xattrs: Mapping[bytes, bytes | None]) -> None:
        """Set or (None) remove attributes, which changes no time: closing a file must not."""
        with self._store.lock:
            before = dict(inode.xattrs)
            for name, value in xattrs.items():
                if value is None:
                    inode.xattrs.pop(name, None)
                else:
                    inode.xattrs[name] = value
            if inode.xattrs != before:
                ctime = inode.ctime
                self._store.touch(inode)
                inode.ctime = ctime

    def _drop(self, inode: Inode, directory: Inode, name: bytes) -> None:
        """It is no vector (any more), or no query: then there are no results of it either."""
        if name.endswith(VECTOR):
            with self._lock:
                self._discard(directory.ino, name)
            self._set(inode, {DIMENSION: None, TIMESTAMP: None})
            return
        with self._store.lock:
            results = directory.entries.get(name + RESULTS) if directory.entries is not None else None
            if results is not None and results.ino in self._own:
                model_files.truncate(self._store, results, 0)

    def _discard(self, directory: int, name: bytes) -> None:
        collection = self._collections.get(directory)
        if collection is not None:
            collection.discard(name)
            if not collection:
                del self._collections[directory]

    def _answer(self, inode: Inode, directory: Inode, name: bytes, query: Query) -> None:
        """Search the directory and put the results beside the query."""
        if len(name + RESULTS) > NAME_MAX:
            raise Bad("its name is too long for .results to be added")
        self._settle(self._unsettled, VECTOR)
        with self._lock:
            collection = self._collections.get(directory.ino, Collection())
            if collection and len(query.vector) != collection.dimension:
                raise Bad(f"vector: {len(query.vector)} dimensions, where the collection has {collection.dimension}")
            snapshot = collection.snapshot()
            self._counts["searches"] += 1
        hits = snapshot.nearest(query.vector, query.k, query.threshold)
        self._store_results(inode, directory, name + RESULTS, b"".join(map(_line, hits)))

    def _store_results(self, query: Inode, directory: Inode, name: bytes, text: bytes) -> None:
        """The results belong to whom the query belongs to; somebody else's file of that name is not touched."""
        store = self._store
        with store.lock:
            mode = stat.S_IMODE(query.mode) & 0o666 | 0o400
            fresh = directory.entries is not None and directory.entries.get(name) is None
            results = model_names.open_or_make(store, directory, name, ROOT, mode, exclusive=False)
            if fresh:
                results.uid, results.gid = query.uid, query.gid
            if not results.is_file or results.uid != query.uid:
                raise fail(errno.EACCES)
            if len(self._own) > OWN_MAX:
                self._own.intersection_update(store.inodes)
            self._own.add(results.ino)
            model_files.truncate(store, results, 0)
            if text and model_files.write(store, results, 0, text) < len(text):
                raise fail(errno.ENOSPC)

    def _path(self, directory: Inode | None, name: bytes) -> bytes:
        """From the root, without a slash at the front."""
        with self._store.lock:
            while directory is not None and directory is not self._store.root and directory.parent is not None:
                entries = directory.parent.entries
                names = entries.names.items() if entries is not None else ()
                own = next((known for known, (inode, _) in names if inode is directory), None)
                if own is None:
                    break
                name, directory = own + b"/" + name, directory.parent
        return name


def _line(hit: Hit) -> bytes:
    return b"%s\t%.9f\n" % (plain(hit.name), hit.score)


def plain(text: bytes) -> bytes:
    """Any bytes, on one line, whatever a name holds."""
    return text.replace(b"\\", b"\\\\").replace(b"\n", b"\\n").replace(b"\t", b"\\t")
