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
    if (-not $ended) { $process.Kill() }
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

$identity = [Security.Principal.WindowsIdentity]::GetCurrent()
$principal = New-Object Security.Principal.WindowsPrincipal($identity)
$mySid = $identity.User.Value
$myProfile = [Environment]::GetFolderPath('UserProfile')

$account = Read-Part 'account' {
    $desktops = @(Get-CimInstance Win32_Process -Filter "Name='explorer.exe'" | ForEach-Object {
            $owner = Invoke-CimMethod -InputObject $_ -MethodName GetOwnerSid
            @{ sid = $owner.Sid; session = [int]$_.SessionId }
        })
    @{
        name = $identity.Name
        sid = $mySid
        elevated = $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
        profile = $myProfile
        session = [Diagnostics.Process]::GetCurrentProcess().SessionId
        desktops = $desktops
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

$docker = Read-Part 'docker_desktop' {
    $key = "$hklm\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\Docker Desktop"
    $programs = @(Get-Process -Name 'Docker Desktop', 'com.docker.backend' -ErrorAction SilentlyContinue |
            ForEach-Object { @{ name = $_.ProcessName; pid = $_.Id; session = $_.SessionId } })
    $cli = Join-Path $env:ProgramFiles 'Docker\Docker\resources\bin\docker.exe'
    $engine = $null
    if ($programs.Count -gt 0 -and (Test-Path -LiteralPath $cli)) {
        $engine = Invoke-Native $cli 'version --format {{.Server.Version}}' $Timeout
    }
    $member = $null
    $group = @(Get-CimInstance Win32_Group -Filter "LocalAccount=TRUE AND Name='docker-users'")
    if ($group.Count -gt 0) {
        $member = @(Get-LocalGroupMember -Group 'docker-users' | Where-Object { $_.SID.Value -eq $mySid }).Count -gt 0
    }
    $settings = Join-Path ([Environment]::GetFolderPath('ApplicationData')) 'Docker\settings-store.json'
    @{
        version = Get-Value $key 'DisplayVersion'
        processes = $programs
        engine = $engine
        user_uninstall_key = (Test-Path -LiteralPath 'Registry::HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Uninstall')
        group_member = $member
        settings_path = $settings
        settings = Get-Bytes $settings
    }
}

$network = Read-Part 'network' {
    $listeners = @(Get-NetTCPConnection -State Listen -ErrorAction SilentlyContinue |
            Where-Object { $Ports -contains $_.LocalPort } | ForEach-Object {
                $program = Get-Process -Id $_.OwningProcess -ErrorAction SilentlyContinue
                $name = ''
                if ($null -ne $program) { $name = $program.ProcessName }
                @{ address = $_.LocalAddress; port = [int]$_.LocalPort; pid = [int]$_.OwningProcess; process = $name }
            })
    # The words around the numbers are in the user's language; the lines of two numbers are the ranges.
    $ranges = @(& netsh.exe interface ipv4 show excludedportrange protocol=tcp | ForEach-Object {
            if ($_ -match '^\s*(\d+)\s+(\d+)\s*\*?\s*$') { , @([int]$Matches[1], [int]$Matches[2]) }
        })
    $proxies = @()
    $store = "$hklm\SYSTEM\CurrentControlSet\Services\PortProxy\v4tov4\tcp"
    if (Test-Path -LiteralPath $store) {
        $item = Get-Item -LiteralPath $store
        $proxies = @($item.GetValueNames() | ForEach-Object { @{ listen = $_; connect = [string]$item.GetValue($_) } })
    }
    $rules = @(Get-NetFirewallRule -DisplayName "$RulePrefix *" -ErrorAction SilentlyContinue | ForEach-Object {
            $port = $_ | Get-NetFirewallPortFilter
            $address = $_ | Get-NetFirewallAddressFilter
            @{
                name = $_.DisplayName
                enabled = ($_.Enabled.ToString() -eq 'True')
                direction = $_.Direction.ToString()
                action = $_.Action.ToString()
                protocol = [string]$port.Protocol
                ports = @($port.LocalPort | ForEach-Object { [string]$_ })
                remote = @($address.RemoteAddress | ForEach-Object { [string]$_ })
            }
        })
    # The firewall before WSL in mirrored mode; Windows before 11 22H2 has none. By the maker of WSL's virtual machines.
    $guarded = $null
    if ($null -ne (Get-Command -Name Get-NetFirewallHyperVRule -ErrorAction SilentlyContinue)) {
        $guarded = @(Get-NetFirewallHyperVRule -VMCreatorId '{40E0AC32-46A5-438A-A0B2-2B479E8F2E90}' -ErrorAction SilentlyContinue |
                Where-Object { ([string]$_.DisplayName).StartsWith("$RulePrefix ", [StringComparison]::Ordinal) } | ForEach-Object {
                @{
                    name = $_.DisplayName
                    enabled = ($_.Enabled.ToString() -eq 'True')
                    direction = $_.Direction.ToString()
                    action = $_.Action.ToString()
                    protocol = [string]$_.Protocol
                    ports = @($_.LocalPorts | ForEach-Object { [string]$_ })
                    remote = @($_.RemoteAddresses | ForEach-Object { [string]$_ })
                }
            })
    }
    @{ listeners = $listeners; excluded = $ranges; portproxy = $proxies; rules = $rules; hyperv_rules = $guarded }
}

$surroundings = Read-Part 'surroundings' {
    $internet = 'Registry::HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Internet Settings'
    $certificates = @(Get-ChildItem -LiteralPath Cert:\LocalMachine\Root | Where-Object { $CaThumbprints -contains $_.Thumbprint } |
            ForEach-Object {
                @{
                    thumbprint = $_.Thumbprint
                    subject = $_.Subject
                    not_after = Get-Utc $_.NotAfter
                    der = [Convert]::ToBase64String($_.RawData)
                }
            })
    @{
        proxy_enabled = ([int](Get-Value $internet 'ProxyEnable') -eq 1)
        proxy_server = [string](Get-Value $internet 'ProxyServer')
        proxy_bypass = [string](Get-Value $internet 'ProxyOverride')
        certificates = $certificates
    }
}

$tasks = Read-Part 'tasks' {
    @(Get-ScheduledTask -TaskPath "\$RulePrefix\" -ErrorAction SilentlyContinue | ForEach-Object {
            $action = @($_.Actions)[0]
            @{
                name = $_.TaskName
                state = $_.State.ToString()
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
