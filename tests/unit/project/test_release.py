"""The version has one place, and the changelog says the same; the security policy names what exists."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import ready
from ready.cli import launcher

ROOT = Path(__file__).resolve().parents[3]
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_changelog_begins_with_this_version() -> None:
    """Between releases `.dev0` and an unreleased section; at a release neither."""
    first = re.search(r"^## (.+)$", CHANGELOG, re.MULTILINE)
    assert first is not None
    release, dot, dev = ready.__version__.partition(".dev")
    assert re.fullmatch(r"\d+\.\d+\.\d+", release)
    expected = rf"\[Unreleased\]: {re.escape(release)}" if dot else rf"\[{re.escape(release)}\] - \d{{4}}-\d\d-\d\d"
    assert re.fullmatch(expected, first[1]), first[1]
    assert dev == ("0" if dot else "")


def test_launcher_names_it(capsys: pytest.CaptureFixture[str]) -> None:
    """By itself, and above the verbs."""
    assert launcher.main(["--version"]) == 0
    assert capsys.readouterr().out == f"Ready {ready.__version__}\n"
    assert launcher.overview().startswith(f"Ready {ready.__version__}:")


@pytest.mark.parametrize("where", ["playbooks/versions.yml", "readiness/report.html.j2", "readiness/fleet.html.j2"])
def test_what_people_read_names_it(where: str) -> None:
    """`versions` and the reports show which Ready looked."""
    assert "ready_version }}" in (ROOT / where).read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["SECURITY.md", "CONTRIBUTING.md"])
def test_links_lead_somewhere(page: str) -> None:
    """Each relative link has its file, and its heading where it names one."""
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#([^)]*))?\)", (ROOT / page).read_text(encoding="utf-8"))
    assert links
    for path, anchor in links:
        target = ROOT / (path or page)
        assert target.exists(), path
        titles = re.findall(r"^#+ (.+)$", target.read_text(encoding="utf-8"), re.MULTILINE) if anchor else []
        anchors = {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}
        assert not anchor or anchor in anchors, anchor
