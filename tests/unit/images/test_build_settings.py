# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A host's package settings as the files of a build stage: Debian's, Ubuntu's, a company's."""

from __future__ import annotations

import fnmatch
from collections.abc import Mapping

import pytest
from ready.images.build_settings import (
    Host,
    Mirrors,
    apt_conf,
    ca_bundle,
    debian_mirrors,
    default_mirror,
    env_file,
    host_files,
    maven_settings,
    netrc,
    pip_conf,
    proxy_environment,
    sources_list,
    split_credentials,
    wget_netrc,
    with_etc_environment,
)

DEB822 = """\
Types: deb
# a comment: with a colon
URIs: http://mirror.test/debian
Suites: trixie trixie-updates
Components: main contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb deb-src
URIs: https://bob:p%40ss@mirror.test/debian-security/
Suites: trixie-security
Components: main
"""
CERTIFICATE = "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----"


def host(files: Mapping[str, str], environ: Mapping[str, str] | None = None, apt: str = "") -> Host:
    """Return a host that has exactly these files."""
    return Host(
        read=files.get,
        glob=lambda pattern: sorted(path for path in files if fnmatch.fnmatch(path, pattern)),
        environ=environ or {},
        home="/root",
        apt_config=lambda: apt,
    )


def test_deb822_is_mapped_to_our_suite() -> None:
    """A trixie host's mirrors serve bookworm; credentials leave the addresses."""
    mirrors, credentials = debian_mirrors({"/etc/apt/sources.list.d/debian.sources": DEB822}, {})
    assert mirrors == Mirrors(("http://mirror.test/debian",), ("https://mirror.test/debian-security",))
    assert credentials == [("mirror.test", "bob", "p@ss")]
    assert "deb http://mirror.test/debian trixie main" in sources_list(mirrors, "trixie")
    assert sources_list(mirrors) == (
        "deb http://mirror.test/debian bookworm main\n"
        "deb http://mirror.test/debian bookworm-updates main\n"
        "deb https://mirror.test/debian-security bookworm-security main\n"
    )


@pytest.mark.parametrize(
    "line",
    [
        "deb [arch=amd64 signed-by=/usr/share/keyrings/docker.gpg] https://docker.test/linux/debian bookworm stable",
        "deb [signed-by=/usr/share/keyrings/microsoft.gpg] https://ms.test/debian/12/prod bookworm main",
        "deb http://archive.test/ubuntu jammy main universe",
        "deb https://pg.test/apt bookworm-pgdg main",
        "deb-src http://mirror.test/debian bookworm main",
        "# deb http://mirror.test/debian bookworm main",
        "deb file:/srv/debian bookworm main",
    ],
)
def test_what_is_no_debian_mirror(line: str) -> None:
    """Third parties, other distributions, sources, comments, local directories."""
    assert debian_mirrors({"/etc/apt/sources.list": line + "\n"}, {})[0] == Mirrors()


def test_one_line_sources() -> None:
    """The old format, with options, and the old name of the security suite."""
    text = (
        "deb [arch=amd64] http://a.test/debian bullseye main contrib # ours\n"
        "deb http://a.test/debian-security bullseye/updates main\n"
    )
    mirrors, _ = debian_mirrors({"/etc/apt/sources.list": text}, {})
    assert mirrors == Mirrors(("http://a.test/debian",), ("http://a.test/debian-security",))


def test_mirror_lists_of_cloud_images() -> None:
    """`mirror+file:` names a file with addresses."""
    text = "Types: deb\nURIs: mirror+file:///etc/apt/mirrors/debian.list\nSuites: bookworm\nComponents: main\n"
    lists = {"/etc/apt/mirrors/debian.list": "# ours\nhttps://cloud.test/debian\n"}
    assert debian_mirrors({"/etc/apt/sources.list.d/debian.sources": text}, lists)[0].main == (
        "https://cloud.test/debian",
    )


def test_third_party_in_deb822() -> None:
    """A Debian suite under another key is somebody else's archive."""
    text = DEB822.replace("debian-archive-keyring", "microsoft")
    assert debian_mirrors({"x.sources": text}, {})[0] == Mirrors((), ("https://mirror.test/debian-security",))


def test_disabled_source() -> None:
    """`Enabled: no` is off."""
    assert debian_mirrors({"x.sources": DEB822.replace("Types: deb\n", "Types: deb\nEnabled: no\n")}, {})[0].main == ()


def test_ubuntu_takes_debootstraps_own_default() -> None:
    """No Debian mirror among the host's: the tool's default, and the security archive beside it."""
    files = {
        "/etc/apt/sources.list": "deb http://archive.test/ubuntu jammy main\n",
        "/usr/sbin/debootstrap": '#!/bin/sh\nDEF_MIRROR="http://default.test/debian"\nDEF_HTTPS_MIRROR="x"\n',
    }
    _, mirrors = host_files(host(files))
    assert mirrors == Mirrors(("http://default.test/debian",), ("http://default.test/debian-security",))
    assert default_mirror("nothing") == Mirrors()


def test_credentials() -> None:
    """Out of the address, into auth.conf for apt and .netrc for wget."""
    assert split_credentials("http://u:p@h.test:81/debian") == ("http://h.test:81/debian", ("h.test", "u", "p"))
    assert split_credentials("http://h.test/debian") == ("http://h.test/debian", None)
    auth = netrc(["machine https://corp.test/apt login a password b\n"], [("h.test", "u", "p")])
    assert auth.splitlines() == [
        "machine https://corp.test/apt login a password b",
        "machine h.test login u password p",
        "machine http://h.test login u password p",
    ]
    assert wget_netrc(auth).splitlines()[0] == "machine corp.test login a password b"


def test_apt_settings_are_how_to_fetch_alone() -> None:
    """Proxies and checks travel; hooks, directories and keys of the host do not."""
    dump = (
        'APT "";\nAcquire::http::Proxy "http://proxy.test:3128";\nAcquire::http::Proxy::local.test "DIRECT";\n'
        'Acquire::Check-Valid-Until "false";\nDPkg::Post-Invoke:: "rm -rf /";\nDir::Etc::sourcelist "x";\n'
        'Acquire::https::CaInfo "/etc/corp.pem";\n'
    )
    lines = apt_conf(dump).splitlines()
    assert lines[:3] == [
        'Acquire::http::Proxy "http://proxy.test:3128";',
        'Acquire::http::Proxy::local.test "DIRECT";',
        'Acquire::Check-Valid-Until "false";',
    ]
    assert not [line for line in lines if "Post-Invoke" in line or "corp.pem" in line or '"x"' in line]
    assert 'Acquire::https::CaInfo "/build/host/ca.crt";' in lines


def test_proxies() -> None:
    """Either case, /etc/environment below the process's own, apt's where there is none; quoted for the shell."""
    environ = with_etc_environment(
        {"HTTPS_PROXY": "http://own.test"}, 'https_proxy="http://old.test"\nno_proxy=.corp\n'
    )
    environ.pop("https_proxy")
    proxies = proxy_environment(environ, 'Acquire::http::Proxy "http://apt.test:80";\nAcquire::https::Proxy "DIRECT";')
    assert proxies == {"https_proxy": "http://own.test", "no_proxy": ".corp", "http_proxy": "http://apt.test:80"}
    both = proxy_environment({"http_proxy": "http://own.test"}, 'Acquire::http::Proxy "http://apt.test:80";')
    assert both == {"http_proxy": "http://own.test"}
    assert env_file({"http_proxy": "http://u:it's@p"}).splitlines()[0] == """http_proxy='http://u:it'"'"'s@p'"""


def test_pip_settings() -> None:
    """Files by rank, PIP_* above them; local directories and the host's CA path stay behind."""
    files = [
        "[global]\nindex-url = https://low.test/simple\ncert = /etc/x.pem\n",
        "[install]\ntrusted-host = a.test b.test\n",
    ]
    text = pip_conf(files, {"PIP_INDEX_URL": "https://u:p@high.test/simple", "PIP_FIND_LINKS": "/opt/wheels"})
    assert "index-url = https://u:p@high.test/simple\n" in text
    assert "trusted-host = a.test\n    b.test\n" in text
    assert "cert = /build/host/ca.crt\n" in text
    assert "wheels" not in text
    assert "low.test" not in text


def test_broken_pip_file_is_passed_over() -> None:
    """Pip on the host says so itself; the build has the defaults."""
    assert pip_conf(["index-url = no section\n"], {}).startswith("[global]\ncert")


def test_maven_settings_keep_the_hosts_and_gain_the_proxy() -> None:
    """Mirrors stay; a proxy of the environment is put in where the file names none."""
    own = (
        '<settings xmlns="http://maven.apache.org/SETTINGS/1.0.0"><localRepository>/home/x</localRepository>'
        "<mirrors><mirror><id>corp</id><url>https://corp.test</url><mirrorOf>*</mirrorOf></mirror></mirrors></settings>"
    )
    text = maven_settings(own, {"https_proxy": "http://u:p@proxy.test:3128", "no_proxy": "localhost,.corp"})
    assert "<url>https://corp.test</url>" in text
    assert "<host>proxy.test</host><port>3128</port><username>u</username><password>p</password>" in text
    assert "<nonProxyHosts>localhost|*.corp</nonProxyHosts>" in text
    assert "localRepository" not in text
    with_proxy = maven_settings(
        "<settings><proxies><proxy><host>h</host></proxy></proxies></settings>", {"https_proxy": "x"}
    )
    assert with_proxy.count("<proxy>") == 1
    assert maven_settings(None, {}).strip().startswith("<settings")
    assert maven_settings("<broken", {}).strip().startswith("<settings")


def test_bundles_are_merged() -> None:
    """Every certificate once: whichever tool's bundle has the company's, all tools trust it."""
    one, two = CERTIFICATE.format("AAA"), CERTIFICATE.format("BBB")
    assert ca_bundle([f"# text\n{one}\n", None, f"{two}\n{one}\n"]) == f"{one}\n{two}\n"


def test_host_files_of_a_company() -> None:
    """All of it together: the bundle that SSL_CERT_FILE names comes first, the system's follows."""
    files = {
        "/etc/apt/sources.list.d/debian.sources": DEB822,
        "/etc/apt/auth.conf.d/corp.conf": "machine corp.test login a password b\n",
        "/etc/ssl/certs/ca-certificates.crt": CERTIFICATE.format("SYSTEM"),
        "/etc/corp.pem": CERTIFICATE.format("CORP"),
        "/root/.m2/settings.xml": "<settings><mirrors/></settings>",
    }
    made, _ = host_files(host(files, {"SSL_CERT_FILE": "/etc/corp.pem", "http_proxy": "http://p.test"}))
    assert made["ca.crt"].index("CORP") < made["ca.crt"].index("SYSTEM")
    assert made["env"] == "http_proxy=http://p.test\nHTTP_PROXY=http://p.test\n"
    assert "login a password b" in made["auth.conf"]
    assert "p@ss" in made["auth.conf"]
    assert "p@ss" not in made["sources.list"]
