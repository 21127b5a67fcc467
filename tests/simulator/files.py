"""The host's files as far as the wire goes: put, fetch, win_copy's protocol, win_stat, slurp."""

from __future__ import annotations

import base64
import hashlib
import io
import ntpath
import zipfile
from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import Any, NamedTuple

from tests.simulator.host import ModuleCall


class Shared(NamedTuple):
    """A file on another server's share, and who may read it there."""

    user: str
    password: str
    content: bytes


class FileStore(MutableMapping[str, bytes]):
    """Path -> content; paths as Windows compares them: either slash, any case.

    `folders` are those that are there without a file in them; None is a host where any folder is there.
    """

    def __init__(self, folders: Iterable[str] | None = None) -> None:
        self._content: dict[str, tuple[str, bytes]] = {}
        self.shares: dict[str, Shared] = {}
        self._folders = None if folders is None else {self._key(folder) for folder in folders}

    def reached(self, path: str, call: ModuleCall) -> bytes | None:
        """Return a file's content as a task reads it, None without one.

        The session's logon is one over the network: it passes no password to another server, the second hop.
        A logon of the kind NewCredentials has one for the network: jborean93 in
        https://github.com/ansible-collections/ansible.windows/issues/383. What cannot be read is not there, as
        Test-Path says (https://github.com/ansible/ansible/issues/51067).
        """
        shared = self.shares.get(path)
        if shared is None:
            return self.get(path)
        given = (call.become.get("BecomeUser"), call.become.get("BecomePassword"))
        hop = (call.become.get("LogonType"), call.become.get("LogonFlags")) == ("NewCredentials", "NetCredentialsOnly")
        return shared.content if hop and given == (shared.user, shared.password) else None

    def make_folder(self, path: str) -> bool:
        """Make a folder with all above it, and say whether it was missing."""
        missing = not self.has_folder(path)
        while self._folders is not None and not self.has_folder(path):
            self._folders.add(self._key(path))
            path = ntpath.dirname(path)
        return missing

    def has_folder(self, path: str) -> bool:
        """Say whether a folder is there."""
        return self._folders is None or self._key(path) in self._folders or is_folder(self, path)

    @staticmethod
    def _key(path: str) -> str:
        return ntpath.normpath(path).casefold()

    def __getitem__(self, path: str) -> bytes:
        return self._content[self._key(path)][1]

    def __setitem__(self, path: str, content: bytes) -> None:
        self._content[self._key(path)] = (ntpath.normpath(path), content)

    def __delitem__(self, path: str) -> None:
        del self._content[self._key(path)]

    def __iter__(self) -> Iterator[str]:
        return iter([path for path, _ in self._content.values()])

    def __len__(self) -> int:
        return len(self._content)

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and self._key(path) in self._content


def is_folder(files: Mapping[str, bytes], path: str) -> bool:
    """Say whether a file lies below a path, whatever kind of store it is."""
    start = ntpath.normpath(path).casefold().rstrip("\\") + "\\"
    return any(ntpath.normpath(name).casefold().startswith(start) for name in files)


def _sha1(content: bytes) -> str:
    return hashlib.sha1(content).hexdigest()  # noqa: S324  # Ansible's checksum


def win_copy(files: FileStore, call: ModuleCall) -> dict[str, Any]:
    """The four modes of ansible.windows.win_copy, as its action plugin uses them."""
    args = call.args
    mode, dest = args.get("_copy_mode", "remote"), str(args["dest"])
    if mode == "query":  # dest is the folder; each file names its own part below it

        def differs(item: Mapping[str, Any]) -> bool:
            path = ntpath.join(dest, str(item["dest"]))
            return path not in files or (bool(args.get("force", True)) and _sha1(files[path]) != item["checksum"])

        wanted = [dict(item) for item in args.get("files", []) if differs(item)]
        folders = [
            dict(item) for item in args.get("directories", []) if not is_folder(files, ntpath.join(dest, item["dest"]))
        ]
        return {"changed": bool(wanted or folders), "files": wanted, "directories": folders, "symlinks": []}
    if mode == "explode":  # a zip whose members' names are base64, so that any name survives
        with zipfile.ZipFile(io.BytesIO(files[str(args["src"])])) as archive:
            for member in archive.infolist():
                name = base64.b64decode(member.filename).decode()
                if not member.is_dir():
                    files[ntpath.join(dest, name)] = archive.read(member)
        return {"changed": True, "dest": dest, "operation": "folder_copy"}
    source = str(args["src"])
    content = files.reached(source, call)
    if content is None:
        return {"failed": True, "changed": False, "msg": f"Cannot copy src file: '{source}' as it does not exist"}
    if dest.endswith(("\\", "/")) or is_folder(files, dest):
        dest = ntpath.join(dest, str(args.get("_original_basename") or ntpath.basename(source)))
        files.make_folder(ntpath.dirname(dest))
    elif not files.has_folder(ntpath.dirname(dest)):
        message = f"Destination directory '{ntpath.dirname(dest)}' does not exist"
        return {"failed": True, "changed": False, "msg": message}
    changed = files.get(dest) != content
    if not call.check:
        files[dest] = content
    return {
        "changed": changed,
        "dest": dest,
        "src": source,
        "operation": "file_copy",
        "checksum": _sha1(content),
        "size": len(content),
    }


_ALGORITHMS: dict[str, Callable[[bytes], Any]] = {
    "sha1": hashlib.sha1,
    "sha256": hashlib.sha256,
    "sha512": hashlib.sha512,
}


def win_stat(files: FileStore, call: ModuleCall) -> dict[str, Any]:
    """What fetch and roles ask of a path."""
    path = str(call.args["path"])
    content = files.reached(path, call)
    if content is None:
        folder = is_folder(files, path)
        return {
            "changed": False,
            "stat": {"exists": True, "isdir": True, "isreg": False} if folder else {"exists": False},
        }
    stat: dict[str, Any] = {
        "exists": True,
        "isdir": False,
        "isreg": True,
        "islnk": False,
        "size": len(content),
        "path": path,
        "filename": ntpath.basename(path),
    }
    if call.args.get("get_checksum", True):
        stat["checksum"] = _ALGORITHMS[str(call.args.get("checksum_algorithm", "sha1"))](content).hexdigest()
    return {"changed": False, "stat": stat}


def slurp(files: FileStore, call: ModuleCall) -> dict[str, Any]:
    """A file's content, base64."""
    path = str(call.args["src"])
    if path not in files:
        return {"failed": True, "changed": False, "msg": f"Path {path} was not found"}
    return {
        "changed": False,
        "content": base64.b64encode(files[path]).decode(),
        "encoding": "base64",
        "source": path,
    }


#: Modules that need nothing but files.
MODULES: dict[str, Callable[[FileStore, ModuleCall], dict[str, Any]]] = {
    "win_copy": win_copy,
    "win_stat": win_stat,
    "slurp": slurp,
}
