# ready: windows_state v1
# reads only
<#
Reads everything that Ready decides about a Windows host by. Changes nothing.

Parameters
  Distribution    the distro to look into; "" for none
  Inside          never, running (only if it runs already) or start (starts it, it stops by itself)
  InsideScript    scripts/linux/distro_state.sh, base64; it prints lines of a key and a base64 value
  Ports           ports whose listeners are wanted
  Features        Windows features whose state is wanted
  RulePrefix      firewall rules and scheduled tasks of ours begin with it
  CaThumbprints   certificates of the machine's root store that are wanted as PEM
  Location        the folder that the distro is, or is to be, in; its drive's free space is wanted
  Timeout         seconds that wsl.exe and docker.exe may take, each

Result: one JSON object, schemas/windows_state.schema.json.
What can't be read is null, or an empty list, and `faults` says why. Texts of wsl.exe come as base64 of its bytes: they may be UTF-16
and are in the user's language, so they are looked at by error code alone, and not here.
#>
[CmdletBinding()]
param(
    [string]$Distribution = '',
    [string]$Inside = 'running',
    [string]$InsideScript = '',
    [int[]]$Ports = @(),
    [string[]]$Features = @('VirtualMachinePlatform', 'Microsoft-Windows-Subsystem-Linux'),
    [string]$RulePrefix = 'Ready',
    [string[]]$CaThumbprints = @(),
    [string]$Location = 'C:\',
    [int]$Timeout = 30
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
$faults = New-Object System.Collections.ArrayList
$hklm = 'Registry::HKEY_LOCAL_MACHINE'

function Read-Part([string]$Name, [scriptblock]$Body) {
    # One part that can't be read must not hide the others.
    try { return & $Body }
    catch {
        [void]$faults.Add(@{ part = $Name; message = $_.Exception.Message })
        return $null
    }
}

function Get-Value([string]$Path, [string]$Name) {
    # A registry value, or null: under StrictMode an absent property would throw.
    if (-not (Test-Path -LiteralPath $Path)) { return $null }
    return (Get-Item -LiteralPath $Path).GetValue($Name, $null)
}

function Get-Utc([datetime]$Time) {
    return $Time.ToUniversalTime().ToString('yyyy-MM-ddTHH:mm:ss.fffZ', [Globalization.CultureInfo]::InvariantCulture)
}

function Get-Bytes([string]$Path) {
    if (-not (Test-Path -LiteralPath $Path -PathType Leaf)) { return $null }
    return [Convert]::ToBase64String([IO.File]::ReadAllBytes($Path))
}

function Invoke-Native([string]$File, [string]$Arguments, [int]$Seconds) {
    # Standard input closed, both outputs as bytes, ended by its own id when it does not answer: wsl.exe may ask.
    $info = New-Object Diagnostics.ProcessStartInfo
    $info.FileName = $File
    $info.Arguments = $Arguments
    $info.UseShellExecute = $false
    $info.CreateNoWindow = $true
    $info.RedirectStandardInput = $true
    $info.RedirectStandardOutput = $true
    $info.RedirectStandardError = $true
    $info.EnvironmentVariables['WSL_UTF8'] = '1'
    $info.EnvironmentVariables['WSL_DISABLE_WARNINGS'] = '1'
    $process = [Diagnostics.Process]::Start($info)
    $process.StandardInput.Close()
    $out = New-Object IO.MemoryStream
    $err = New-Object IO.MemoryStream
    $copyOut = $process.StandardOutput.BaseStream.CopyToAsync($out)
    $copyErr = $process.StandardError.BaseStream.CopyToAsync($err)
    $ended = $process.WaitForExit($Seconds * 1000)
    if (-not $ended) { try { $process.Kill() } catch { [void]$_ } }
    [void]$process.WaitForExit(5000)
    [void][Threading.Tasks.Task]::WaitAll(@($copyOut, $copyErr), 5000)
    $code = $null
    if ($ended) { $code = $process.ExitCode }
    return @{
        rc = $code
        timed_out = (-not $ended)
        stdout = [Convert]::ToBase64String($out.ToArray())
        stderr = [Convert]::ToBase64String($err.ToArray())
    }
}

. "$PSScriptRoot\functions\network.ps1"
. "$PSScriptRoot\functions\surroundings.ps1"

$identity = [Security.Principal.WindowsIdentity]::GetCurrent()
$principal = New-Object Security.Principal.WindowsPrincipal($identity)
$mySid = $identity.User.Value
$myProfile = [Environment]::GetFolderPath('UserProfile')

$automatic = Read-Part 'automatic_logon' {
    # Who Windows logs on by itself. Where the password is kept is not looked at.
    $winlogon = "$hklm\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Winlogon"
    $policies = "$hklm\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
    $notice = ''
    foreach ($key in @($policies, $winlogon)) {
        foreach ($value in @('LegalNoticeCaption', 'LegalNoticeText')) { $notice += [string](Get-Value $key $value) }
    }
    $left = Get-Value $winlogon 'AutoLogonCount'
    if ($null -ne $left) { $left = [int]$left }
    @{
        enabled = ([string](Get-Value $winlogon 'AutoAdminLogon') -eq '1')
        user = [string](Get-Value $winlogon 'DefaultUserName')
        domain = [string](Get-Value $winlogon 'DefaultDomainName')
        logons_left = $left
        notice = ($notice.Trim().Length -gt 0)
    }
}

$account = Read-Part 'account' {
    $desktops = @(Get-CimInstance Win32_Process -Filter "Name='explorer.exe'" | ForEach-Object {
            # One that ends meanwhile has no owner any more.
            $owner = Invoke-CimMethod -InputObject $_ -MethodName GetOwnerSid -ErrorAction SilentlyContinue
            if ($null -ne $owner -and $null -ne $owner.Sid) { @{ sid = $owner.Sid; session = [int]$_.SessionId } }
        })
    @{
        name = $identity.Name
        sid = $mySid
        elevated = $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
        profile = $myProfile
        session = [Diagnostics.Process]::GetCurrentProcess().SessionId
        desktops = $desktops
        automatic_logon = $automatic
    }
}

$os = Read-Part 'os' {
    $windows = Get-CimInstance Win32_OperatingSystem
    $current = "$hklm\SOFTWARE\Microsoft\Windows NT\CurrentVersion"
    @{
        caption = $windows.Caption
        build = [int]$windows.BuildNumber
        revision = [int](Get-Value $current 'UBR')
        product_type = [int]$windows.ProductType
        edition = [string](Get-Value $current 'EditionID')
        architecture = $env:PROCESSOR_ARCHITECTURE
        boot_time = Get-Utc $windows.LastBootUpTime
        time = Get-Utc ([datetime]::UtcNow)
        memory = [int64]$windows.TotalVisibleMemorySize * 1024
        powershell = $PSVersionTable.PSVersion.ToString()
    }
}

$virtualization = Read-Part 'virtualization' {
    $system = Get-CimInstance Win32_ComputerSystem
    $firmware = @(Get-CimInstance Win32_Processor | ForEach-Object { [bool]$_.VirtualizationFirmwareEnabled })
    @{
        hypervisor_present = [bool]$system.HypervisorPresent
        firmware_enabled = ($firmware -contains $true)
        manufacturer = [string]$system.Manufacturer
        model = [string]$system.Model
    }
}

$featureStates = Read-Part 'features' {
    $states = @{}
    foreach ($feature in $Features) {
        $found = Get-WindowsOptionalFeature -Online -FeatureName $feature
        # A name that this Windows does not know gives nothing.
        if ($null -eq $found) { $states[$feature] = $null } else { $states[$feature] = $found.State.ToString() }
    }
    $states
}

$pending = Read-Part 'pending_reboot' {
    $reasons = @()
    if (Test-Path -LiteralPath "$hklm\SOFTWARE\Microsoft\Windows\CurrentVersion\Component Based Servicing\RebootPending") {
        $reasons += 'component_based_servicing'
    }
    if (Test-Path -LiteralPath "$hklm\SOFTWARE\Microsoft\Windows\CurrentVersion\WindowsUpdate\Auto Update\RebootRequired") {
        $reasons += 'windows_update'
    }
    $reasons
}

$package = Read-Part 'wsl_location' {
    $path = Get-Value "$hklm\SOFTWARE\Microsoft\Windows\CurrentVersion\Lxss\Msi" 'InstallLocation'
    if ($null -ne $path) { $path.TrimEnd('\') }
}
$wslExe = $null
if ($null -ne $package -and (Test-Path -LiteralPath "$package\wsl.exe")) { $wslExe = "$package\wsl.exe" }

$wsl = Read-Part 'wsl' {
    $version = $null
    $probe = $null
    # Before the probe, which is one itself: the session that WSL was first used from says what a log-off ends.
    $clients = @(Get-CimInstance Win32_Process -Filter "Name='wsl.exe'" | Where-Object {
            $owner = Invoke-CimMethod -InputObject $_ -MethodName GetOwnerSid -ErrorAction SilentlyContinue
            $null -ne $owner -and $owner.Sid -eq $mySid
        } | ForEach-Object { @{ pid = [int]$_.ProcessId; session = [int]$_.SessionId; started = Get-Utc $_.CreationDate } })
    if ($null -ne $wslExe) {
        $file = [Diagnostics.FileVersionInfo]::GetVersionInfo($wslExe)
        $version = '{0}.{1}.{2}.{3}' -f $file.FileMajorPart, $file.FileMinorPart, $file.FileBuildPart, $file.FilePrivatePart
        $probe = Invoke-Native $wslExe '--status' $Timeout
    }
    $vm = Get-Service -Name vmcompute -ErrorAction SilentlyContinue
    $service = $null
    if ($null -ne $vm) { $service = $vm.Status.ToString() }
    @{
        install_location = $package
        version = $version
        stub = (Test-Path -LiteralPath "$env:SystemRoot\System32\wsl.exe")
        default_version = Get-Value 'Registry::HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Lxss' 'DefaultVersion'
        wslconfig = Get-Bytes (Join-Path $myProfile '.wslconfig')
        vm_service = $service
        probe = $probe
        clients = $clients
    }
}

$runningNames = Read-Part 'running' {
    # The names alone, quiet, in bytes as they come.
    if ($null -eq $wslExe) { $null } else { (Invoke-Native $wslExe '--list --running --quiet' $Timeout).stdout }
}

$distros = Read-Part 'distros' {
    $found = @()
    # The hives of accounts that are logged on, or that run something; others' can't be seen.
    foreach ($hive in @(Get-ChildItem -LiteralPath 'Registry::HKEY_USERS' -ErrorAction SilentlyContinue)) {
        $sid = $hive.PSChildName
        if ($sid -notmatch '^S-1-(5-21|12-1)-[\d-]+$' -and $sid -ne 'S-1-5-18') { continue }
        $root = "Registry::HKEY_USERS\$sid\Software\Microsoft\Windows\CurrentVersion\Lxss"
        if (-not (Test-Path -LiteralPath $root)) { continue }
        foreach ($key in @(Get-ChildItem -LiteralPath $root -ErrorAction SilentlyContinue)) {
            $name = $key.GetValue('DistributionName', $null)
            if ($null -eq $name) { continue }
            $base = ([string]$key.GetValue('BasePath', '')) -replace '^\\\\\?\\', ''
            $disk = Join-Path $base 'ext4.vhdx'
            $size = $null
            if ($base -and (Test-Path -LiteralPath $disk)) { $size = (Get-Item -LiteralPath $disk -Force).Length }
            $marker = $null
            if ($base) { $marker = Get-Bytes "$base.ready.json" }
            $owner = $null
            try { $owner = (New-Object Security.Principal.SecurityIdentifier($sid)).Translate([Security.Principal.NTAccount]).Value }
            catch { $owner = $sid }
            $found += @{
                name = [string]$name
                owner = $owner
                owner_sid = $sid
                mine = ($sid -eq $mySid)
                version = [int]$key.GetValue('Version', 2)
                state = [int]$key.GetValue('State', 0)
                default_uid = [int]$key.GetValue('DefaultUid', 0)
                base_path = $base
                disk_bytes = $size
                marker = $marker
            }
        }
    }
    $found
}

$insideState = Read-Part 'inside' {
    if (-not $Distribution -or $Inside -eq 'never' -or $null -eq $wslExe -or -not $InsideScript) { return $null }
    if ($Distribution -notmatch '^[A-Za-z0-9._-]+$') { throw 'the name of the distro holds other than letters, digits, . _ -' }
    # Held back by `windows stop`: somebody may be working on its disk.
    if ($Inside -eq 'start' -and (Test-Path -LiteralPath (Join-Path $env:ProgramFiles "$RulePrefix\$Distribution.hold"))) { $Inside = 'running' }
    $mine = @($distros | Where-Object { $null -ne $_ } | Where-Object { $_.mine -and $_.name -eq $Distribution })
    if ($mine.Count -eq 0) { return $null }
    if ($Inside -eq 'running') {
        # Quiet output holds one name per line; UTF-16 of an old wsl.exe leaves NULs, which no name has.
        $text = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String([string]$runningNames)) -replace "`0", ''
        if (@($text -split '\r?\n' | Where-Object { $_.Trim() -eq $Distribution }).Count -eq 0) { return $null }
    }
    $ask = Invoke-Native $wslExe ('-d {0} -u root --cd / --exec /bin/sh -c "echo {1}|base64 -d|sh"' -f $Distribution, $InsideScript) $Timeout
    $values = @{}
    if ($ask.rc -eq 0) {
        $text = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($ask.stdout))
        foreach ($line in ($text -split '\n')) {
            $words = @($line.Trim() -split ' ')
            if ($words.Count -eq 2) {
                $values[$words[0]] = [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($words[1]))
            }
            elseif ($words.Count -eq 1 -and $words[0]) { $values[$words[0]] = '' }
        }
    }
    @{ distribution = $Distribution; run = $ask; values = $values }
}

$dockerUser = Read-Part 'docker_users' {
    if (@(Get-CimInstance Win32_Group -Filter "LocalAccount=TRUE AND Name='docker-users'").Count -eq 0) { return $null }
    # By ADSI: Get-LocalGroupMember throws where a member's account is gone or one of Entra (PowerShell#2996).
    $group = [ADSI]'WinNT://./docker-users,group'
    $member = $false
    $unread = 0
    foreach ($item in @($group.Invoke('Members'))) {
        if ($null -eq $item) { continue }
        try {
            $bytes = [byte[]]$item.GetType().InvokeMember('objectSid', 'GetProperty', $null, $item, $null)
            if ((New-Object Security.Principal.SecurityIdentifier($bytes, 0)).Value -eq $mySid) { $member = $true }
        }
        catch { $unread++ }
    }
    if (-not $member -and $unread -gt 0) { throw "$unread of its members have no SID that can be read" }
    $member
}

$docker = Read-Part 'docker_desktop' {
    $key = "$hklm\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\Docker Desktop"
    $programs = @(Get-Process -Name 'Docker Desktop', 'com.docker.backend' -ErrorAction SilentlyContinue |
            ForEach-Object { @{ name = $_.ProcessName; pid = $_.Id; session = $_.SessionId } })
    $cli = Join-Path $env:ProgramFiles 'Docker\Docker\resources\bin\docker.exe'
    $engine = $null
    if ($programs.Count -gt 0 -and (Test-Path -LiteralPath $cli)) {
        $engine = Invoke-Native $cli 'version --format {{.Server.Version}}' $Timeout
    }
    $settings = Join-Path ([Environment]::GetFolderPath('ApplicationData')) 'Docker\settings-store.json'
    @{
        version = Get-Value $key 'DisplayVersion'
        processes = $programs
        engine = $engine
        user_uninstall_key = (Test-Path -LiteralPath 'Registry::HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Uninstall')
        group_member = $dockerUser
        settings_path = $settings
        settings = Get-Bytes $settings
    }
}

$interfaces = Read-Part 'interfaces' { Read-Interfaces }
$profiles = Read-Part 'firewall' { Read-FirewallProfiles }
$network = Read-Part 'network' { Read-Network $Ports $RulePrefix $interfaces $profiles }
$surroundings = Read-Part 'surroundings' { Read-Surroundings $CaThumbprints }

$tasks = Read-Part 'tasks' {
    @(Get-ScheduledTask -TaskPath "\$RulePrefix\" -ErrorAction SilentlyContinue | ForEach-Object {
            $action = @($_.Actions)[0]
            $last = $null
            $info = $_ | Get-ScheduledTaskInfo -ErrorAction SilentlyContinue
            if ($null -ne $info -and $null -ne $info.LastTaskResult) { $last = [int64]$info.LastTaskResult }
            @{
                name = $_.TaskName
                state = $_.State.ToString()
                last_result = $last
                user = [string]$_.Principal.UserId
                execute = [string]$action.Execute
                arguments = [string]$action.Arguments
                time_limit = [string]$_.Settings.ExecutionTimeLimit
            }
        })
}

$files = Read-Part 'files' {
    # Scripts that tasks of ours run.
    $folder = Join-Path $env:ProgramFiles $RulePrefix
    @(Get-ChildItem -LiteralPath $folder -File -ErrorAction SilentlyContinue | ForEach-Object {
            @{
                name = $_.Name
                sha256 = (Get-FileHash -LiteralPath $_.FullName -Algorithm SHA256).Hash.ToLowerInvariant()
            }
        })
}

$disk = Read-Part 'disk' {
    $root = [IO.Path]::GetPathRoot($Location)
    $used = $false
    if (Test-Path -LiteralPath $Location) {
        $used = @(Get-ChildItem -LiteralPath $Location -Force | Select-Object -First 1).Count -gt 0
    }
    @{
        path = $root
        free = (New-Object IO.DriveInfo($root)).AvailableFreeSpace
        location_used = $used
    }
}

[ordered]@{
    schema = 'windows_state/1'
    account = $account
    os = $os
    virtualization = $virtualization
    features = $featureStates
    pending_reboot = @($pending | Where-Object { $null -ne $_ })
    wsl = $wsl
    running = $runningNames
    distros = @($distros | Where-Object { $null -ne $_ })
    inside = $insideState
    docker_desktop = $docker
    network = $network
    surroundings = $surroundings
    tasks = @($tasks | Where-Object { $null -ne $_ })
    files = @($files | Where-Object { $null -ne $_ })
    disk = $disk
    finished = Get-Utc ([datetime]::UtcNow)
    faults = @($faults)
} | ConvertTo-Json -Depth 8 -Compress
