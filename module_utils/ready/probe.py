# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""`python -m ready.probe`: ask the services without Ansible. Runs in the probes' environment."""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from .checks.make_probes import docker_probes, make_probes
from .checks.probe import LEVELS, Probe
from .checks.watch import Watch, service_lines
from .common.verdict import FAIL, PASS, worst
from .connections.environment import NAMED_BY, SettingsError, read_env_file, services_in_settings
from .docker.state import EngineError, connect

DEADLINE = 20.0
TIMEOUT = 5.0
#: Exit code of a wrong call, as the launcher's; 2 says that a service failed.
USAGE = 64


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(USAGE, f"{self.prog}: {message}\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="python -m ready.probe",
        description="Ask PostgreSQL, Neo4j, ChromaDB and Redis whether they are well. Without --env-file and --stack "
        "the settings come from the environment, under the names that `./ready env` prints.",
        epilog="Exit code: 0 when all is well, 2 when a service failed in any round, 64 for a wrong call.",
    )
    parser.add_argument("--level", choices=list(LEVELS), default="probe", help="one cheap question, or proof by data")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--env-file", type=Path, metavar="FILE", help="settings that `./ready env --secrets` wrote")
    source.add_argument("--stack", type=Path, metavar="FILE", help="a stack of this host, as `./ready up` describes it")
    parser.add_argument("--deadline", type=float, default=DEADLINE, help=f"seconds for a round ({DEADLINE:g})")
    parser.add_argument("--timeout", type=float, default=TIMEOUT, help=f"seconds for a single step ({TIMEOUT:g})")
    parser.add_argument("--count", type=int, default=1, help="how many rounds (1); 0 runs until it is interrupted")
    parser.add_argument("--interval", type=float, default=1.0, help="seconds from the start of a round to the next (1)")
    parser.add_argument("--json", action="store_true", help="a JSON object a round, a line each")
    return parser


def _read_stack(path: Path) -> dict[str, Any]:
    try:
        stack: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        stack["name"], stack["services"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise SettingsError(f"{path}: can't be read as a stack ({error}). Next: ./ready up writes it") from None
    return stack


def load(options: argparse.Namespace, environ: Mapping[str, str]) -> dict[str, Probe]:
    """Return what is to be asked. Raises SettingsError."""
    if options.stack:
        stack = _read_stack(options.stack)
        try:
            return docker_probes(connect(), stack, options.timeout)
        except EngineError as error:
            raise SettingsError(str(error)) from None
    env_file: Path | None = options.env_file
    settings = services_in_settings(read_env_file(env_file) if env_file else environ)
    if not settings.services:
        names = ", ".join(variable for variables in NAMED_BY.values() for variable in variables)
        raise SettingsError(
            f"found no settings in {env_file or 'the environment'}, expected some of {names}. "
            "Next: ./ready env --secrets --output .env, then --env-file .env"
        )
    return make_probes({"services": settings.services}, settings.passwords, options.timeout, settings.authorities)


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line; return the exit code."""
    parser = _parser()
    options = parser.parse_args(argv)
    if options.count < 0 or min(options.interval, options.deadline, options.timeout) <= 0:
        parser.error("--count may not be below 0; --interval, --deadline and --timeout must be above it")
    try:
        probes = load(options, os.environ)
    except SettingsError as error:
        parser.error(str(error))
    watch, watching = Watch(), options.count != 1
    try:
        while options.count == 0 or watch.rounds < options.count:
            began = time.time()
            services = LEVELS[options.level](probes, options.deadline)
            changes = watch.observe(began, services)
            if options.json:
                verdict = worst(item["verdict"] for item in services.values())
                record = {"at": round(began, 3), "level": options.level, "verdict": verdict, "services": services}
                lines = [json.dumps(record)]
            else:
                lines = changes if watching else service_lines(services)
            if lines:
                print("\n".join(lines), flush=True)
            if watch.rounds != options.count:
                time.sleep(max(0.0, began + options.interval - time.time()))
    except KeyboardInterrupt:
        pass
    if watching and not options.json:
        print("\n".join(watch.summary_lines()), flush=True)
    for probe in probes.values():
        probe.close()
    return 0 if watch.summary()["verdict"] == PASS else 2 if watch.summary()["verdict"] == FAIL else USAGE


if __name__ == "__main__":
    sys.exit(main())
