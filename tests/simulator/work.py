"""What a pipeline asks of a Windows host, and the host's answer as PSRP output."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import ntpath
import threading
from collections.abc import Callable
from typing import Any

from tests.simulator import files, manifest
from tests.simulator.host import Host, ModuleCall, ScriptCall
from tests.simulator.session import Pipeline, script_id

#: What psrp appends to a bare command (ansible/plugins/connection/psrp.py).
_EXIT = "\nexit $LASTEXITCODE"
Recorder = Callable[[str, str, Any], None]


class Work:
    """Answers pipelines for one host. Raises whatever the host raises: the pipeline shows it."""

    def __init__(self, host: Host, record: Recorder) -> None:
        self._host = host
        self._record = record
        self._jobs: dict[str, dict[str, Any]] = {}
        self._process = itertools.count(4200)

    def __call__(self, pipeline: Pipeline) -> int:
        """Do what the pipeline says and return its exit code."""
        if (name := script_id(pipeline.text)) is not None:
            shown = {key: value if len(str(value)) < 400 else "..." for key, value in pipeline.parameters.items()}
            self._record("script", name, shown)
            for line in self._host.script(ScriptCall(name, pipeline.parameters, pipeline.input())):
                pipeline.emit(line)
            return 0
        if not pipeline.has_input:
            text = pipeline.text.removesuffix(_EXIT)
            self._record("raw", text[:400], None)
            out, code = self._host.raw(text)
            if out:
                pipeline.emit(out)
            return code
        lines = pipeline.input()
        found = manifest.read(lines)
        if found.name != "module_wrapper.ps1":
            return self._helper(pipeline, found, lines)
        call = found.call()
        self._record(
            "module",
            call.name,
            {"args": dict(call.args), "check": call.check, "become_user": call.become_user},
        )
        if (job := found.wrapper("async_wrapper.ps1")) is not None:
            pipeline.emit(json.dumps(self._start(str(job["AsyncJid"]), call)))
        else:
            pipeline.emit(json.dumps(self._module(call)))
        return 0

    def _module(self, call: ModuleCall) -> dict[str, Any]:
        if call.name == "async_status":
            return self._status(call)
        if call.name == "win_ping":
            return {"changed": False, "ping": call.args.get("data", "pong")}
        if call.name in files.MODULES:
            return files.MODULES[call.name](self._host.files, call)
        return self._host.module(call)

    # Async: what async_wrapper.ps1 prints, and async_status.ps1 finds (ansible-core 2.21.5).
    def _start(self, given: str, call: ModuleCall) -> dict[str, Any]:
        job = f"{given}.{next(self._process)}"
        known = {"started": True, "ansible_job_id": job, "results_file": f"C:\\.ansible_async\\{job}"}
        self._jobs[job] = known | {"finished": False}

        def run() -> None:
            try:
                result = self._module(call)
            except Exception as error:
                result = {"failed": True, "msg": f"simulator: {error!r}"}
            self._jobs[job] = result | known | {"finished": True}

        threading.Thread(target=run, daemon=True).start()
        return known | {"finished": False, "_ansible_suppress_tmpdir_delete": True}

    def _status(self, call: ModuleCall) -> dict[str, Any]:
        job = str(call.args["jid"])
        if job not in self._jobs:
            return {"failed": True, "changed": False, "msg": "could not find job", "started": True, "finished": True}
        if call.args.get("mode") == "cleanup":
            del self._jobs[job]
            return {"changed": False, "erased": job}
        return {"changed": False} | self._jobs[job]

    # Ansible's own helper scripts.
    def _helper(self, pipeline: Pipeline, found: manifest.Manifest, lines: Any) -> int:
        params = found.params
        self._record("helper", found.name, params)
        if found.name == "powershell_mkdtemp.ps1":
            pipeline.emit(ntpath.join(str(params["Directory"]), str(params["Name"])))
        elif found.name == "powershell_expand_user.ps1":
            pipeline.emit(str(params["Path"]).replace("~", "C:\\Users\\owner", 1))
        elif found.name == "psrp_put_file.ps1":
            content = b"".join(base64.b64decode(line) for line in manifest.own_input(lines))
            self._host.files[str(params["Path"])] = content
            digest = hashlib.sha1(content).hexdigest()  # noqa: S324  # what Ansible compares
            pipeline.emit(json.dumps({"sha1": digest}))
        elif found.name == "psrp_fetch_file.ps1":
            path, size = str(params["Path"]), int(params["BufferSize"])
            if path in self._host.files:
                pipeline.emit("[FILE]")
                content = self._host.files[path]
                for start in range(0, len(content), size):
                    pipeline.emit(base64.b64encode(content[start : start + size]).decode())
            elif files.is_folder(self._host.files, path):
                pipeline.emit("[DIR]")
            else:
                pipeline.error(f"{path} does not exist")
                return 1
        else:
            pipeline.error(f"the simulator does not know {found.name}")
            return 1
        return 0
