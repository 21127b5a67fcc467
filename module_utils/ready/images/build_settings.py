# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Turn a host's package settings (apt, pip, Maven, proxies, CA bundle) into files for a build stage.

Pure functions over the settings' texts; `Host` is where they are read. Nothing here names a mirror or an index: what
the host says is used, else each tool's own default.
"""

from __future__ import annotations

import configparser
import re
import shlex
import xml.etree.ElementTree as ET  # the host's own file
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit, urlunsplit

#: The Debian release that images stand on, unless a recipe names another (`recipe.suite_of`).
SUITE = "bookworm"
#: Where the files are in a build stage; images/base/shared/stage names the same place.
IN_STAGE = "/build/host"
_SUITES = ("stable", "oldstable", "oldoldstable", "testing", "unstable", "sid", "buster", "bullseye", "bookworm",
           "trixie", "forky", "duke")  # fmt: skip
_SUITE = re.compile(rf"(?:{'|'.join(_SUITES)})(?P<security>-security|/updates)?(?:-updates|-proposed-updates)?")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "all_proxy")
_BUNDLES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "PIP_CERT", "CURL_CA_BUNDLE")
_SYSTEM_BUNDLES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")
_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
#: apt's own settings of how to fetch; everything else of apt's is the image's business.
_APT_LINE = re.compile(
    r"Acquire::(?:(?:https?|ftp)::(?:[\w.\-]+::)?(?:Proxy|Timeout|Verify-Peer|Verify-Host|Pipeline-Depth|No-Cache)"
    r'|Check-Valid-Until|Check-Date|Retries|ForceIPv[46])(?:::[\w.\-]+)? "[^"]+";'
)
#: pip's settings that say where packages come from. A local find-links directory is not there in the build.
_PIP_KEYS = ("index-url", "extra-index-url", "find-links", "trusted-host", "proxy", "timeout", "retries", "no-index")
_MAVEN = "http://maven.apache.org/SETTINGS/1.0.0"


@dataclass(frozen=True)
class Host:
    """How to read a host: `read` gives a file's text or None, `glob` sorted paths, `apt_config` apt's settings."""

    read: Callable[[str], str | None]
    glob: Callable[[str], list[str]]
    environ: Mapping[str, str]
    home: str
    apt_config: Callable[[], str]


@dataclass(frozen=True)
class Mirrors:
    """Debian archives (`main`) and security archives, best first, without credentials."""

    main: tuple[str, ...] = ()
    security: tuple[str, ...] = ()


def split_credentials(url: str) -> tuple[str, tuple[str, str, str] | None]:
    """Return the address without its user and password, and (host, login, password) where it had them."""
    parts = urlsplit(url)
    if not parts.username:
        return url, None
    clean = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
    return clean, (parts.hostname or "", unquote(parts.username), unquote(parts.password or ""))


def _deb822(text: str) -> Iterable[tuple[list[str], list[str]]]:
    for block in re.split(r"\n\s*\n", re.sub(r"(?m)^#.*\n?", "", text)):
        fields: dict[str, str] = {}
        key = ""
        for line in block.splitlines():
            if line[:1].isspace():
                fields[key] = f"{fields.get(key, '')} {line.strip()}"
            elif ":" in line:
                key, _, value = line.partition(":")
                key = key.lower()
                fields[key] = value.strip()
        theirs = fields.get("signed-by", "debian-archive")
        if (
            "deb" in fields.get("types", "").split()
            and "main" in fields.get("components", "").split()
            and fields.get("enabled", "yes").lower() not in ("no", "false")
            and "debian-archive" in theirs
        ):
            yield fields.get("uris", "").split(), fields.get("suites", "").split()


def _one_line(text: str) -> Iterable[tuple[list[str], list[str]]]:
    for line in text.splitlines():
        match = re.match(r"\s*deb\s+(?:\[(?P<options>[^\]]*)\]\s+)?(?P<uri>\S+)\s+(?P<suite>\S+)\s+(?P<rest>.*)", line)
        if match and "main" in match["rest"].split("#")[0].split():
            signed = re.search(r"signed-by=(\S+)", match["options"] or "")
            if not signed or "debian-archive" in signed[1]:
                yield [match["uri"]], [match["suite"]]


def debian_mirrors(sources: Mapping[str, str], lists: Mapping[str, str]) -> tuple[Mirrors, list[tuple[str, str, str]]]:
    """Return the Debian archives among apt's sources (path -> text), and the credentials their addresses held.

    Third parties (other signing keys, other components, other suites) are no Debian mirrors. `lists` are the files
    that `mirror+file:` addresses name, as Debian's cloud images use them.
    """
    found: dict[bool, list[str]] = {False: [], True: []}
    credentials = []
    for path, text in sources.items():
        for uris, suites in _deb822(text) if path.endswith(".sources") else _one_line(text):
            matches = [match for suite in suites if (match := _SUITE.fullmatch(suite.rstrip("/")))]
            if not matches:
                continue
            for uri in uris:
                named = re.match(r"mirror\+file:/*(/.*)", uri)
                addresses = re.findall(r"(?m)^(https?://\S+)", lists.get(named[1], "")) if named else [uri]
                for address in addresses:
                    clean, secret = split_credentials(address.rstrip("/"))
                    credentials += [secret] if secret else []
                    for match in matches:
                        kind = found[bool(match["security"])]
                        if clean.startswith(("http://", "https://")) and clean not in kind:
                            kind.append(clean)
    return Mirrors(tuple(found[False]), tuple(found[True])), credentials


def default_mirror(debootstrap_script: str) -> Mirrors:
    """Return debootstrap's own default mirror, for a host whose sources name no Debian archive."""
    match = re.search(r'^DEF_MIRROR="?([^"\s]+)', debootstrap_script, re.MULTILINE)
    if not match:
        return Mirrors()
    return Mirrors((match[1],), (f"{match[1].rstrip('/')}-security",))


def sources_list(mirrors: Mirrors, suite: str = SUITE) -> str:
    """Return apt's sources for the image's suite, whatever the host's own release is."""
    lines = [f"deb {uri} {suite} main\ndeb {uri} {suite}-updates main" for uri in mirrors.main[:1]]
    lines += [f"deb {uri} {suite}-security main" for uri in mirrors.security[:1]]
    return "".join(f"{line}\n" for line in lines)


def apt_conf(dump: str) -> str:
    """Return apt's settings for a build stage from `apt-config dump`: how to fetch, and where our files are."""
    theirs = [line for line in dump.splitlines() if _APT_LINE.fullmatch(line.strip())]
    ours = [
        f'Dir::Etc::sourcelist "{IN_STAGE}/sources.list";',
        'Dir::Etc::sourceparts "-";',
        f'Dir::Etc::netrc "{IN_STAGE}/auth.conf";',
        'Dir::Etc::netrcparts "-";',
        f'Acquire::https::CaInfo "{IN_STAGE}/ca.crt";',
        'APT::Sandbox::User "root";',
        'Dpkg::Use-Pty "0";',
    ]
    return "\n".join([*theirs, *ours, ""])


def netrc(texts: Iterable[str], credentials: Iterable[tuple[str, str, str]]) -> str:
    """Return apt's auth.conf: the host's own entries, then those taken out of addresses."""
    lines = [text.rstrip("\n") for text in texts if text.strip()]
    for host, login, password in credentials:
        lines += [f"machine {scheme}{host} login {login} password {password}" for scheme in ("", "http://")]
    return "".join(f"{line}\n" for line in lines)


def wget_netrc(auth: str) -> str:
    """Return the same for wget, which debootstrap fetches with: it knows machines, not addresses."""
    return re.sub(r"(?m)^(\s*machine\s+)(?:https?://)?([^/\s:]+)\S*", r"\1\2", auth)


def proxy_environment(environ: Mapping[str, str], apt_dump: str = "") -> dict[str, str]:
    """Return the proxy variables in lower case; apt's proxies stand in where the environment has none."""
    proxies = {name: value for name in _PROXIES if (value := environ.get(name) or environ.get(name.upper()))}
    for scheme in ("http", "https"):
        match = re.search(rf'^Acquire::{scheme}::Proxy "([^"]+)";', apt_dump, re.MULTILINE)
        if match and match[1] != "DIRECT":
            proxies.setdefault(f"{scheme}_proxy", match[1])
    return proxies


def env_file(proxies: Mapping[str, str]) -> str:
    """Return the proxies as a file for a shell, in both cases: curl reads one, others the other."""
    return "".join(
        f"{key}={shlex.quote(value)}\n" for name, value in sorted(proxies.items()) for key in (name, name.upper())
    )


def pip_conf(texts: Iterable[str], environ: Mapping[str, str]) -> str:
    """Return a pip.conf of what pip's own files (lowest rank first) and PIP_* variables say about where to fetch."""
    values: dict[str, str] = {}
    for text in texts:
        parser = configparser.RawConfigParser(strict=False)
        try:
            parser.read_string(text)
        except configparser.Error:
            continue  # pip on the host says so itself
        for section in ("global", "download", "install"):
            if parser.has_section(section):
                values |= {key.replace("_", "-"): value for key, value in parser.items(section)}
    values |= {name[4:].lower().replace("_", "-"): value for name, value in environ.items() if name.startswith("PIP_")}
    kept = {}
    for key in _PIP_KEYS:
        words = [word for word in values.get(key, "").split() if key != "find-links" or "://" in word]
        if words:
            kept[key] = "\n    ".join(words)
    kept |= {"cert": f"{IN_STAGE}/ca.crt", "disable-pip-version-check": "true", "root-user-action": "ignore"}
    return "[global]\n" + "".join(f"{key} = {value}\n" for key, value in kept.items())


def maven_settings(text: str | None, proxies: Mapping[str, str]) -> str:
    """Return Maven's settings: the host's own; where they name no proxy, the environment's is put in."""
    ET.register_namespace("", _MAVEN)
    try:
        root = ET.fromstring(text) if text else ET.Element(f"{{{_MAVEN}}}settings")  # noqa: S314  # the host's own file
    except ET.ParseError:
        root = ET.Element(f"{{{_MAVEN}}}settings")
    space = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
    local = root.find(f"{space}localRepository")
    if local is not None:  # a directory of the host
        root.remove(local)
    if root.find(f".//{space}proxy") is None:
        holder = root.find(f"{space}proxies")
        holder = ET.SubElement(root, f"{space}proxies") if holder is None else holder
        for scheme in ("http", "https"):
            if value := proxies.get(f"{scheme}_proxy"):
                parts = urlsplit(value if "://" in value else f"http://{value}")
                fields = {
                    "id": f"environment-{scheme}",
                    "active": "true",
                    "protocol": scheme,
                    "host": parts.hostname or "",
                    "port": str(parts.port or 80),
                    "username": unquote(parts.username or ""),
                    "password": unquote(parts.password or ""),
                    "nonProxyHosts": "|".join(
                        f"*{name}" if name.startswith(".") else name
                        for name in re.split(r"[,\s]+", proxies.get("no_proxy", ""))
                        if name
                    ),
                }
                proxy = ET.SubElement(holder, f"{space}proxy")
                for name, content in fields.items():
                    if content:
                        ET.SubElement(proxy, f"{space}{name}").text = content
    return ET.tostring(root, encoding="unicode") + "\n"


def ca_bundle(texts: Iterable[str | None]) -> str:
    """Return every certificate of the bundles once, in order."""
    found: dict[str, None] = {}
    for text in texts:
        found |= dict.fromkeys(match[0] for match in _CERTIFICATE.finditer(text or ""))
    return "".join(f"{certificate}\n" for certificate in found)


def _pip_files(host: Host) -> list[str]:
    paths = [
        "/etc/xdg/pip/pip.conf",
        "/etc/pip.conf",
        f"{host.home}/.pip/pip.conf",
        f"{host.home}/.config/pip/pip.conf",
    ]
    if own := host.environ.get("PIP_CONFIG_FILE"):
        paths.append(own)
    return [text for path in paths if (text := host.read(path))]


def _bundle_paths(host: Host, pip_texts: Iterable[str]) -> list[str]:
    paths = [host.environ[name] for name in _BUNDLES if host.environ.get(name)]
    paths += [match[1].strip() for text in pip_texts for match in re.finditer(r"(?m)^\s*cert\s*=\s*(.+)$", text)]
    system = next((path for path in _SYSTEM_BUNDLES if host.read(path)), None)
    return list(dict.fromkeys([*paths, *([system] if system else [])]))


def with_etc_environment(environ: Mapping[str, str], text: str | None) -> dict[str, str]:
    """Return the environment over /etc/environment, whose variables sudo and ssh may not have handed on."""
    pairs = re.findall(r"""(?m)^\s*(?:export\s+)?(\w+)=["']?([^"'\n]*)""", text or "")
    return {**dict(pairs), **environ}


def host_files(host: Host, suite: str = SUITE) -> tuple[dict[str, str], Mirrors]:
    """Return the files of /build/host by name, and the mirrors. The files may hold secrets: build stages alone."""
    sources = {
        path: text
        for path in ["/etc/apt/sources.list", *host.glob("/etc/apt/sources.list.d/*")]
        if path.endswith((".list", ".sources")) and (text := host.read(path))
    }
    lists = {path: host.read(path) or "" for path in host.glob("/etc/apt/mirrors/*")}
    mirrors, credentials = debian_mirrors(sources, lists)
    if not mirrors.main:
        mirrors, credentials = default_mirror(host.read("/usr/sbin/debootstrap") or ""), []
    auths = [host.read(path) or "" for path in ["/etc/apt/auth.conf", *host.glob("/etc/apt/auth.conf.d/*.conf")]]
    dump = host.apt_config()
    proxies = proxy_environment(host.environ, dump)
    pip_texts = _pip_files(host)
    settings = host.read(f"{host.home}/.m2/settings.xml") or host.read("/etc/maven/settings.xml")
    return {
        "sources.list": sources_list(mirrors, suite),
        "apt.conf": apt_conf(dump),
        "auth.conf": netrc(auths, credentials),
        "env": env_file(proxies),
        "pip.conf": pip_conf(pip_texts, host.environ),
        "maven-settings.xml": maven_settings(settings, proxies),
        "maven-security.xml": host.read(f"{host.home}/.m2/settings-security.xml") or "<settingsSecurity/>\n",
        "ca.crt": ca_bundle(host.read(path) for path in _bundle_paths(host, pip_texts)),
    }, mirrors
