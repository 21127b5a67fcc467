# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""ChromaDB: the whole of the stopped data directory, and known vectors that must find themselves in it.

SQLite alone is not enough: old vectors are in the index segments only, so a copy without them passes integrity_check
and count() and has lost its data. A set is believed when stored vectors are their own nearest neighbours. The index is
approximate: of 90,000 random vectors some do not find themselves in a sound store, so a dump chooses those that do.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import struct
import tarfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...backups.base import Content, Load, StoppedDump
from ...backups.container_files import get_archive, put_archive
from ...backups.manifest import BackupError
from ...backups.scratch_containers import ScratchService
from .probe import ChromaDBProbe

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection

FILE = "data.tar"
#: Vectors of each collection that are asked for by name.
SAMPLES = 10
PAGE = 1000
#: Neighbours among which a stored vector must find itself: equal vectors may come before it.
NEIGHBOURS = 10
#: Distances below this are none; the index computes in 32 bits.
NO_DISTANCE = 1e-4


def databases(archive: Path, work: Path) -> list[list[str]]:
    """Return [tenant, database] pairs from the catalogue in a tar of the data directory. Raises BackupError."""
    catalogue = work / "catalogue.sqlite3"
    try:
        with tarfile.open(archive) as tar:
            member = next((item for item in tar if Path(item.name).name == "chroma.sqlite3"), None)
            handle = tar.extractfile(member) if member else None
            if handle is None:
                raise BackupError("chromadb: found no chroma.sqlite3 in its data, expected the catalogue there")
            with catalogue.open("wb") as target:
                shutil.copyfileobj(handle, target)
        connection = sqlite3.connect(f"file:{catalogue}?mode=ro", uri=True)
        try:
            return [list(row) for row in connection.execute("SELECT tenant_id, name FROM databases ORDER BY 1, 2")]
        finally:
            connection.close()
    except (tarfile.TarError, sqlite3.Error) as error:
        raise BackupError(f"chromadb: its copied data are damaged: {error}") from error
    finally:
        catalogue.unlink(missing_ok=True)


def _vector(values: Sequence[float]) -> str:
    return hashlib.sha256(struct.pack(f"<{len(values)}f", *values)).hexdigest()[:16]


def _checksum(collection: Collection, count: int) -> str:
    total = 0
    for offset in range(0, count, PAGE):
        page = collection.get(limit=PAGE, offset=offset, include=["documents", "metadatas"])
        for row in zip(page["ids"], page["documents"] or [], page["metadatas"] or [], strict=True):
            text = json.dumps(row, sort_keys=True, default=str)
            total += int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
    return f"{total:x}"


class UnfoundError(BackupError):
    """A vector is in the index, and a search for it does not return it."""


def _sample(collection: Collection, key: str, identity: str) -> dict[str, Any]:
    """Return what a vector is, and its nearest neighbour.

    Raises UnfoundError when it does not find itself, and BackupError when it is not in the index.
    """
    from chromadb.errors import ChromaError  # ChromaDB's client takes two seconds: only who asks an index pays

    try:
        found = collection.get(ids=[identity], include=["embeddings"])["embeddings"]
        if found is None or not len(found):
            raise BackupError(f"chromadb: the vector {key} is gone from the index, though its entry is there")
        values = [float(value) for value in found[0]]
        answer = collection.query(query_embeddings=values, n_results=NEIGHBOURS, include=["distances"])
    except ChromaError as error:  # what it says when its index directory is not there: "Error finding id"
        raise BackupError(f"chromadb: the vector {key} is not in the index, though its entry is: {error}") from error
    ids, distances = answer["ids"][0], (answer["distances"] or [[]])[0]
    metric = (collection.configuration_json.get("hnsw") or {}).get("space", "l2")
    if metric != "ip" and identity not in ids and (not distances or distances[0] > NO_DISTANCE):
        raise UnfoundError(f"chromadb: the stored vector {key} is not among its own {NEIGHBOURS} nearest neighbours")
    return {"key": key, "vector": _vector(values), "nearest": ids[0]}


def choose_samples(collection: Collection, place: str, count: int) -> list[dict[str, Any]]:
    """Return samples spread over a collection that find themselves. Raises BackupError when none does.

    One that is not in the index at all is a fault, whatever the others are.
    """
    found, missed = [], []
    for offset in sorted({number * count // SAMPLES for number in range(min(SAMPLES, count))}):
        name = collection.get(limit=1, offset=offset, include=[])["ids"][0]
        try:
            found.append(_sample(collection, f"{place}/{name}", name))
        except UnfoundError as error:
            missed.append(error)
    if missed and not found:
        raise missed[0]
    return found


def fingerprint(
    probe: ChromaDBProbe, places: Sequence[Sequence[str]], wanted: Sequence[Mapping[str, Any]] | None
) -> Content:
    """Return collections with counts and checksums, and known vectors with their neighbours.

    Args:
        probe: the driver's side.
        places: [tenant, database] pairs.
        wanted: the samples to ask for again; None chooses some, spread over each collection.
    """
    content: Content = {"counts": {}, "checksums": {}, "names": {"databases": [list(item) for item in places]}}
    samples = []
    client = probe.connect()
    for tenant, database in places:
        client.set_tenant(tenant, database)
        for collection in client.list_collections():
            place = f"{tenant}/{database}/{collection.name}"
            count = collection.count()
            content["counts"][place], content["checksums"][place] = count, _checksum(collection, count)
            if wanted is None:
                samples += choose_samples(collection, place, count)
                continue
            start = f"{place}/"
            names = [item["key"].removeprefix(start) for item in wanted if item["key"].startswith(start)]
            samples += [_sample(collection, f"{place}/{name}", name) for name in names]
    return {**content, "samples": samples}


def scratch_probe(scratch: ScratchService) -> ChromaDBProbe:
    """Return the driver's side of a scratch ChromaDB."""
    probe = scratch.probe()
    if not isinstance(probe, ChromaDBProbe):
        raise TypeError(type(probe))
    return probe


class ChromaDBDump(StoppedDump):
    """The copy is packed first, while it is at rest, and then started and asked for its vectors."""

    probe: ChromaDBProbe

    def count(self) -> int:
        """Return the number of vectors in the default database."""
        return sum(collection.count() for collection in self.probe.connect().list_collections())

    def write(self, directory: Path) -> None:
        """Pack the copy; then let it say what is in it."""
        copied = self.copied
        container = copied.create()
        path = self.service["volumes"][0]["path"]
        get_archive(container, f"{path}/.", directory / FILE)
        self.outcome.files.append(FILE)
        copied.start(reconcile=False)
        self.outcome.content = fingerprint(scratch_probe(copied), databases(directory / FILE, directory.parent), None)
        copied.remove()

    @classmethod
    def things(cls, content: Content) -> int:
        """Return the number of vectors."""
        return sum(content["counts"].values())


class ChromaDBLoad(Load):
    """The data directory as it was."""

    def load(self) -> None:
        """Unpack it and start."""
        databases(self.directory / FILE, self.directory)
        self.scratch.configure()
        container = self.scratch.create()
        put_archive(container, self.scratch.service["volumes"][0]["path"], self.directory / FILE)
        self.scratch.start(reconcile=False)

    def fingerprint(self) -> Content:
        """Count, and ask for the known vectors."""
        content = self.part["content"]
        return fingerprint(scratch_probe(self.scratch), content["names"]["databases"], content["samples"])

    def logins(self) -> int:
        """ChromaDB has no accounts."""
        return 0
