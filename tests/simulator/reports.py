"""What wsl.exe said on real PCs, by public reports: the last line of its output, which the simulated one repeats."""

from __future__ import annotations

_WSL = "https://github.com/microsoft/WSL/issues/"
_START = "Wsl/Service/CreateInstance"

#: What it is -> the code as it was printed, and where that is reported.
REPORTS: dict[str, tuple[str, str]] = {
    "logon-right": (f"{_START}/CreateVm/HCS/0x80070569", f"{_WSL}5401"),
    "hns-network": (f"{_START}/CreateVm/ConfigureNetworking/HNS/0x803b0001", f"{_WSL}11811"),
    "hns-wmi": (f"{_START}/CreateVm/ConfigureNetworking/HNS/0x80041002", f"{_WSL}12022"),
    "hns-older": (f"{_START}/CreateVm/ConfigureNetworking/0x803b0017", f"{_WSL}10483"),
    "hns-service-gone": (f"{_START}/CreateVm/ConfigureNetworking/HNS/0x80070424", f"{_WSL}10778"),
    "hns-service-stopped": (f"{_START}/CreateVm/ConfigureNetworking/HNS/ERROR_SERVICE_NOT_ACTIVE", f"{_WSL}10993"),
    "disk-denied": (f"{_START}/MountDisk/HCS/E_ACCESSDENIED", f"{_WSL}41273"),
    "disk-denied-older": (f"{_START}/MountVhd/HCS/E_ACCESSDENIED", f"{_WSL}11323"),
    "disk-gone": (f"{_START}/MountVhd/HCS/ERROR_FILE_NOT_FOUND", f"{_WSL}10858"),
    "disk-shared": (f"{_START}/MountDisk/HCS/ERROR_SHARING_VIOLATION", f"{_WSL}14434"),
    "folder-encrypted": ("Wsl/Service/RegisterDistro/0xc03a001a", f"{_WSL}4103"),
    "class": ("Wsl/CallMsi/Install/REGDB_E_CLASSNOTREG", f"{_WSL}12411"),
    "service-disabled": ("Wsl/0x80070422", f"{_WSL}11336"),
    "plugin": (
        f"{_START}/CreateVm/Plugin/ERROR_FILE_NOT_FOUND",
        "https://github.com/MicrosoftDocs/defender-docs/pull/24",
    ),
    "policy": ("Wsl/ERROR_ACCESS_DISABLED_BY_POLICY", f"{_WSL}10728"),
}
