# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Error codes of wsl.exe: what each means and what to do, in one table. docs/windows-errors.md is made of it.

Numbers and names are those of microsoft/WSL: WSL_E_* of src/windows/service/inc/wslservice.idl, the others of
g_commonErrors in src/windows/common/wslutil.cpp. A release prints a name where it knows one, else the number, so both
are read. The words before it are g_contextStrings of the same file; where a code means several things, they decide.
Sources of the cures are issues, named beside a row.
"""

from __future__ import annotations

from dataclasses import dataclass

#: Attaching a virtual disk: MountVhd until 2.4, MountDisk since.
_DISK = ("MountDisk", "MountVhd", "AttachDisk")
_NETWORK = ("HNS", "ConfigureNetworking")
_IMPORT = ("RegisterDistro",)
_WINDOWS_FEATURES = "Microsoft-Windows-Subsystem-Linux and VirtualMachinePlatform"
_REINSTALL = "install WSL's MSI again: set wsl2_msi_version and wsl2_msi_sha256 to a newer release"
_MEMORY = "end what takes memory, or give WSL less: memory below wsl2 in wsl2_config"


@dataclass(frozen=True)
class WslError:
    """What a code means and the next step; `code` "" holds for every code behind one of the words `where`."""

    code: str
    name: str  # as WSL prints it, "" where it prints the number
    cause: str
    next: str
    where: tuple[str, ...] = ()


#: The first row that fits counts.
ERRORS: tuple[WslError, ...] = (
    # A plug-in, https://github.com/MicrosoftDocs/defender-docs/pull/24; the network, microsoft/WSL#11811, #10483.
    WslError(
        "",
        "",
        "a plug-in of WSL refused; Microsoft Defender for Endpoint installs one",
        "repair or update the plug-in in Apps & Features; the key Lxss\\Plugins below"
        " HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion names it",
        ("Plugin",),
    ),
    # https://learn.microsoft.com/windows/wsl/troubleshooting, "when ICS is disabled"; microsoft/WSL#10755.
    *(
        WslError(
            code,
            name,
            f"a service of Windows that WSL's network needs {what}",
            "see that hns, SharedAccess (Internet Connection Sharing) and nsi are there and not disabled, also not by"
            " a policy, then reboot",
            _NETWORK,
        )
        for code, name, what in (
            ("0x80070422", "ERROR_SERVICE_DISABLED", "is disabled"),
            ("0x80070424", "ERROR_SERVICE_DOES_NOT_EXIST", "does not exist"),
            ("0x80070426", "ERROR_SERVICE_NOT_ACTIVE", "does not run"),
        )
    ),
    WslError(
        "0x80040324",
        "WSL_E_VMSWITCH_NOT_FOUND",
        "the virtual switch that .wslconfig names for bridged mode does not exist",
        "set networkingMode to nat in wsl2_config, or make the switch",
    ),
    WslError(
        "0x80040325",
        "WSL_E_VMSWITCH_NOT_SET",
        ".wslconfig asks for bridged mode and names no virtual switch",
        "set networkingMode to nat in wsl2_config",
    ),
    # A restart of hns alone makes it worse until the next reboot: microsoft/WSL#9634.
    WslError(
        "",
        "",
        "Windows could not make WSL's network (Host Network Service)",
        "reboot Windows; if it stays, see VPN clients and other hypervisors, and the log"
        " Microsoft-Windows-Host-Network-Service-Admin",
        _NETWORK,
    ),
    # Whose it is.
    WslError(
        "0x8004032e",
        "WSL_E_LOCAL_SYSTEM_NOT_SUPPORTED",
        "WSL cannot run as SYSTEM",
        "connect as the account that is to own WSL",
    ),
    WslError(
        "0x80040301",
        "WSL_E_DEFAULT_DISTRO_NOT_FOUND",
        "this account has no WSL distro at all; distros belong to one account",
        "run ./ready windows, or connect as the account that owns the distro",
    ),
    WslError(
        "0x80040302",
        "WSL_E_DISTRO_NOT_FOUND",
        "this account has no WSL distro of that name; distros belong to one account",
        "compare wsl_distribution (ansible_wsl_distribution) with the output of wsl.exe -l -q under the account that"
        " Ansible connects as",
    ),
    WslError(
        "0x80040308",
        "WSL_E_USER_NOT_FOUND",
        "the distro has no such Linux user",
        "make the user, or name another one in ansible_wsl_user (or become_user)",
    ),
    # LxssInstance.cpp compares the caller's integrity level with that of the instance.
    WslError(
        "0x8004030f",
        "WSL_E_LOWER_INTEGRITY",
        "the distro runs already, started with an elevated token, and this one is not elevated",
        "wsl --shutdown in an elevated window of the owner, then run again; connect as an administrator",
    ),
    WslError(
        "0x80040310",
        "WSL_E_HIGHER_INTEGRITY",
        "the distro runs already, started without elevation, and this token is elevated",
        "wsl --shutdown as the owner, then run again",
    ),
    # Policies.
    WslError(
        "0x80070569",
        "ERROR_LOGON_TYPE_NOT_GRANTED",
        "a policy took 'Log on as a service' from NT VIRTUAL MACHINE\\Virtual Machines (S-1-5-83-0)",
        "give SeServiceLogonRight back in the group policy of the domain; gpupdate undoes a local repair",
    ),
    # microsoft/WSL#10728.
    WslError(
        "0x800704ec",
        "ERROR_ACCESS_DISABLED_BY_POLICY",
        "a policy forbids WSL or its programs (Allow WSL, AppLocker, Defender Application Control)",
        "ask who governs this PC's policies to allow WSL; gpresult /h names the policy",
    ),
    WslError(
        "0x8004032b",
        "WSL_E_DISK_MOUNT_DISABLED",
        "a policy forbids wsl --mount",
        "ask who governs this PC's policies; Ready itself mounts no disk",
    ),
    # Virtualization and features.
    WslError(
        "0x80370102",
        "HCS_E_HYPERV_NOT_INSTALLED",
        "virtualization is off, in the firmware or in the host of this VM",
        "switch it on in the firmware; on Hyper-V: Set-VMProcessor -VMName NAME -ExposeVirtualizationExtensions $true",
    ),
    WslError(
        "0x80370114",
        "HCS_E_SERVICE_NOT_AVAILABLE",
        "the Virtual Machine Platform is missing or not running",
        "enable the feature VirtualMachinePlatform and reboot; the service vmcompute must not be disabled",
    ),
    WslError(
        "0x80370109",
        "HCS_E_CONNECTION_TIMEOUT",
        "WSL's virtual machine did not answer in time",
        f"wsl --shutdown, then run again; {_MEMORY}; see what security software does to vmmem",
    ),
    WslError(
        "0x80040332",
        "WSL_E_VM_CRASHED",
        "WSL's virtual machine crashed",
        "see the crash dump that it names below %LOCALAPPDATA%\\Temp\\wsl-crashes, and take kernel and"
        " kernelCommandLine out of wsl2_config",
    ),
    WslError(
        "0x80040321",
        "WSL_E_WSL_OPTIONAL_COMPONENT_REQUIRED",
        "the feature Microsoft-Windows-Subsystem-Linux is missing",
        "enable it and reboot; Windows Server 2022 needs it also for WSL 2",
    ),
    WslError(
        "0x8007019e",
        "",
        "the feature Microsoft-Windows-Subsystem-Linux is missing, says the wsl.exe that Windows brings along",
        f"enable {_WINDOWS_FEATURES}, and reboot; {_REINSTALL}",
    ),
    WslError(
        "0x8004032d",
        "WSL_E_VIRTUAL_MACHINE_PLATFORM_REQUIRED",
        "the feature VirtualMachinePlatform is missing",
        "enable it and reboot",
    ),
    WslError(
        "0x80040329",
        "WSL_E_INSTALL_COMPONENT_FAILED",
        "Windows could not enable a feature that WSL needs",
        f"enable {_WINDOWS_FEATURES}; C:\\Windows\\Logs\\DISM\\dism.log says why it failed",
    ),
    WslError(
        "0x80040327",
        "WSL_E_OS_NOT_SUPPORTED",
        "Windows is too old for the WSL package",
        "install the pending Windows updates",
    ),
    *(
        WslError(code, name, cause, "wsl --set-version NAME 2, or set wsl_distribution to another name")
        for code, name, cause in (
            ("0x8004031c", "WSL_E_WSL2_NEEDED", "this needs WSL 2, and the distro is WSL 1"),
            ("0x80040303", "WSL_E_WSL1_NOT_SUPPORTED", "the distro is WSL 1, and this Windows has no WSL 1"),
            ("0x8004032c", "WSL_E_WSL1_DISABLED", "a policy forbids WSL 1, and the distro is WSL 1"),
        )
    ),
    # The package and its services.
    *(
        WslError(code, "", cause, "install WSL by its MSI: set wsl2_msi_version and wsl2_msi_sha256")
        for code, cause in (
            ("0x80070780", "this wsl.exe cannot be run outside of a desktop session"),
            ("0x800701bc", "the kernel of the WSL that Windows brings along is missing or too old"),
        )
    ),
    # microsoft/WSL#11336, #11501: security software disables it.
    WslError(
        "0x80070422",
        "ERROR_SERVICE_DISABLED",
        "the service of WSL is stopped and disabled",
        "sc.exe config WSLService start= demand, and see which security software disables it",
    ),
    WslError(
        "0x80070424",
        "ERROR_SERVICE_DOES_NOT_EXIST",
        "the service of WSL is not installed",
        _REINSTALL,
    ),
    WslError(
        "0x80070426",
        "ERROR_SERVICE_NOT_ACTIVE",
        "a service that WSL needs does not run",
        "start WSLService and vmcompute (sc.exe start NAME), then run again",
    ),
    # microsoft/WSL#10882, #11892.
    WslError(
        "0x80040154",
        "REGDB_E_CLASSNOTREG",
        "class not registered: the WSL package is half installed",
        f"{_REINSTALL}, and reboot",
    ),
    WslError("0x80004002", "E_NOINTERFACE", "parts of two WSL packages are mixed", f"{_REINSTALL}, and reboot"),
    WslError(
        "0x8004032a",
        "WSL_E_PLUGIN_REQUIRES_UPDATE",
        "a plug-in of WSL needs a newer WSL",
        "set wsl2_msi_version and wsl2_msi_sha256 to a newer release",
    ),
    *(
        WslError(
            code, name, "the service of WSL ended meanwhile", "run again; the event log Application says why it ended"
        )
        for code, name in (
            ("0x800706be", "RPC_S_CALL_FAILED"),
            ("0x800706ba", "RPC_S_SERVER_UNAVAILABLE"),
            ("0x80010108", "RPC_E_DISCONNECTED"),
            ("0x80080005", "CO_E_SERVER_EXEC_FAILURE"),
        )
    ),
    WslError(
        "0x80070652",
        "ERROR_INSTALL_ALREADY_RUNNING",
        "another installation runs",
        "wait until it is through, then run again",
    ),
    WslError(
        "0x80070643",
        "ERROR_INSTALL_FAILURE",
        "the installation of the WSL package failed",
        "see the end of the MSI's log; install the pending Windows updates",
    ),
    # .wslconfig.
    WslError(
        "0x80040307",
        "WSL_E_CUSTOM_KERNEL_NOT_FOUND",
        "the kernel that .wslconfig names does not exist",
        "take kernel out of wsl2_config and .wslconfig, or name one that is there",
    ),
    WslError(
        "0x8004030e",
        "WSL_E_CUSTOM_SYSTEM_DISTRO_ERROR",
        "the system distro that .wslconfig names does not exist or cannot be read",
        "take systemDistro out of .wslconfig",
    ),
    # The folder and the virtual disk.
    WslError(
        "0x80070050",
        "ERROR_FILE_EXISTS",
        "the folder of the distro is in use already",
        "set wsl_location to another folder, or move what is there; nothing was deleted",
    ),
    WslError(
        "0x800700b7",
        "ERROR_ALREADY_EXISTS",
        "a distro of that name or in that folder is registered already",
        "set wsl_distribution or wsl_location to another one; nothing was deleted",
    ),
    # https://github.com/microsoft/WSL/issues/4103, with the text in full.
    WslError(
        "0xc03a001a",
        "ERROR_VIRTUAL_DISK_LIMITATION",
        "the distro's folder is compressed or encrypted (EFS), which no virtual disk can be",
        "compact /u /s:FOLDER and cipher /d /s:FOLDER on it, or set wsl_location to a folder that is neither",
    ),
    # microsoft/WSL#9362 (owner), #12564, #41273 (Defender).
    WslError(
        "0x80070005",
        "E_ACCESSDENIED",
        "the account, or NT VIRTUAL MACHINE\\Virtual Machines, may not open the distro's virtual disk: its access list,"
        " encryption (EFS), or security software",
        "see icacls and cipher /c of ext4.vhdx; make the account its owner, and take the folder out of the scans",
        _DISK,
    ),
    WslError(
        "0x80070005",
        "E_ACCESSDENIED",
        "the account may not write where the distro is to be",
        "see icacls of the folder, or set wsl_location to another one",
        _IMPORT,
    ),
    WslError("0x80070005", "E_ACCESSDENIED", "access was denied", "connect with an elevated account"),
    *(
        WslError(
            code,
            name,
            "the distro's virtual disk is not where its registration says",
            "see BasePath below HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Lxss; bring ext4.vhdx back, or the"
            " drive that it was on; what only a backup has: ./ready restore",
            _DISK,
        )
        for code, name in (("0x80070002", "ERROR_FILE_NOT_FOUND"), ("0x80070003", "ERROR_PATH_NOT_FOUND"))
    ),
    WslError(
        "0x80070020",
        "ERROR_SHARING_VIOLATION",
        "another program holds the distro's virtual disk: a backup, a scanner, or a second virtual machine",
        "wsl --shutdown, end that program, then run again",
    ),
    WslError(
        "0x80040312",
        "WSL_E_USER_VHD_ALREADY_ATTACHED",
        "the distro's virtual disk is attached already, to Windows or by wsl --mount",
        "Dismount-DiskImage or wsl --unmount on it, then run again",
    ),
    WslError(
        "0x80310000",
        "FVE_E_LOCKED_VOLUME",
        "BitLocker has locked the drive of the distro",
        "unlock the drive, or let it unlock by itself at boot (Enable-BitLockerAutoUnlock)",
    ),
    WslError(
        "0x80070070",
        "ERROR_DISK_FULL",
        "the drive of the distro is full",
        "free space, or set wsl_location to a drive that has some",
    ),
    *(
        WslError(code, name, "a file is damaged on the drive of the distro, or the image is", step)
        for code, name, step in (
            ("0x80070570", "ERROR_FILE_CORRUPT", "chkdsk on the drive; what only a backup has: ./ready restore"),
            ("0x8004030b", "WSL_E_IMPORT_FAILED", "see the free space, and wsl2_rootfs_source and wsl2_rootfs_sha256"),
        )
    ),
    WslError(
        "0x8004032f",
        "WSL_E_DISK_CORRUPTED",
        "the file system on the distro's virtual disk is damaged",
        "copy ext4.vhdx, then e2fsck on the copy from another distro (https://aka.ms/wsldiskmountrecovery), or make the"
        " distro again and ./ready restore",
    ),
    WslError(
        "0x80040326",
        "WSL_E_NOT_A_LINUX_DISTRO",
        "the image holds no Linux distro",
        "set wsl2_rootfs_source to a root file system, and wsl2_rootfs_sha256 to its checksum",
    ),
    # Memory.
    *(
        WslError(code, name, "Windows has too little memory for WSL's virtual machine", _MEMORY)
        for code, name in (
            ("0x8007000e", "E_OUTOFMEMORY"),
            ("0x800705aa", "ERROR_NO_SYSTEM_RESOURCES"),
            ("0x800705af", "ERROR_COMMITMENT_LIMIT"),
        )
    ),
    *(
        WslError(
            code,
            name,
            "Windows gives no reason",
            "wsl --shutdown, then run again; then reboot; what stays is for microsoft/WSL's collect-wsl-logs.ps1",
        )
        for code, name in (("0x8000ffff", "E_UNEXPECTED"), ("0x80004005", "E_FAIL"))
    ),
)
