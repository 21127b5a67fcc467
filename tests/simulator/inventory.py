"""What an inventory says to get a simulated host ready, and the packages that the host can download."""

from __future__ import annotations

import hashlib
import json
from typing import Any

DISTRO, LOCATION = "Ubuntu-22.04", "C:\\Ready\\wsl\\Ubuntu-22.04"
MSI = "https://mirror.example/wsl.2.6.1.0.x64.msi"
ROOTFS = "https://mirror.example/ubuntu-22.04.wsl"
INSTALLER = "https://mirror.example/Docker%20Desktop%20Installer.exe"
DOWNLOADS = {
    MSI: json.dumps({"name": "wsl", "version": "2.6.1.0"}).encode(),
    ROOTFS: b"the root file system",
    INSTALLER: json.dumps({"name": "docker", "version": "4.56.0"}).encode(),
}
#: What an inventory says to get from `fresh` to a host that is ready.
INVENTORY: dict[str, Any] = {
    "wsl2_msi_version": "2.6.1",
    "wsl2_msi_source": MSI,
    "wsl2_msi_sha256": hashlib.sha256(DOWNLOADS[MSI]).hexdigest(),
    "wsl2_rootfs_source": ROOTFS,
    "wsl2_rootfs_sha256": hashlib.sha256(DOWNLOADS[ROOTFS]).hexdigest(),
    "wsl2_allow_reboot": True,
    "wsl2_retry_delay": 0,
    "docker_desktop_version": "4.56.0",
    "docker_desktop_source": INSTALLER,
    "docker_desktop_sha256": hashlib.sha256(DOWNLOADS[INSTALLER]).hexdigest(),
    "docker_desktop_accept_license": True,
}
