<#
Takes an empty Windows PC to a WSL distro with Ready in it, without any other machine:

    powershell -ExecutionPolicy Bypass -File bootstrap.ps1 -Rootfs C:\Users\me\Downloads\ubuntu-22.04.5-wsl-amd64.wsl

Run it in a PowerShell window of an administrator, as the account that is to own WSL; run it again after the reboot that
it asks for. It ends with the line to type in the distro.

It was parsed and never run: it was written where there is no Windows. Every step says what it does, stops at the first
thing that fails, and does nothing that is done already.

Parameters
  Distribution    name of the distro
  Location        its folder
  Rootfs          the image of Ubuntu 22.04 for WSL, downloaded by you or by this
  Sha256          its checksum
  Url             where to download it from when Rootfs is not given
  User            the user in the distro
  Source          address of Ready's git repository, or a bundle of it on this PC (C:\...\ready.bundle); without it the repository
                  must already be in the distro
  Adopt           configure a distro of that name also when Ready did not make it
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [string]$Distribution = 'Ubuntu-22.04',
    [string]$Location = 'C:\Ready\wsl\Ubuntu-22.04',
    [string]$Rootfs = '',
    [string]$Sha256 = '4499c4fe257f2fc83145b429ce211a0a43fd590e70d6261ede616210947d9f8f',
    [string]$Url = 'https://releases.ubuntu.com/jammy/ubuntu-22.04.5-wsl-amd64.wsl',
    [string]$User = 'ready',
    [string]$Source = '',
    [switch]$Adopt
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'

function Write-Step([string]$Text) { Write-Output ('ready: {0}' -f $Text) }

if ($Distribution -notmatch '^[A-Za-z0-9][A-Za-z0-9._-]*$') { throw 'Distribution: letters, digits, . _ - only' }
if ($User -notmatch '^[a-z_][a-z0-9_-]*$') { throw 'User: a name of Linux, a-z 0-9 _ - only' }
$identity = [Security.Principal.WindowsIdentity]::GetCurrent()
if ($identity.User.Value -eq 'S-1-5-18') { throw 'WSL cannot run as SYSTEM: run this as the account that is to own it' }
$principal = New-Object Security.Principal.WindowsPrincipal($identity)
if (-not $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) {
    throw 'not elevated: open PowerShell by "Run as administrator"'
}
$build = [Environment]::OSVersion.Version.Build
if ($build -lt 19041) { throw ('Windows build {0} is too old: WSL 2 needs 19041' -f $build) }

Write-Step 'Windows features'
$reboot = $false
foreach ($feature in @('VirtualMachinePlatform', 'Microsoft-Windows-Subsystem-Linux')) {
    $found = Get-WindowsOptionalFeature -Online -FeatureName $feature
    if ($null -eq $found) { throw ('this edition of Windows does not have the feature {0}' -f $feature) }
    $state = $found.State.ToString()
    if ($state -eq 'Enabled') { continue }
    if ($state -notmatch 'Pending' -and $PSCmdlet.ShouldProcess($feature, 'enable')) {
        [void](Enable-WindowsOptionalFeature -Online -FeatureName $feature -All -NoRestart)
    }
    $reboot = $true
}
if ($reboot) {
    Write-Step 'reboot the PC now, then run this again'
    return
}

Write-Step 'the WSL package'
$wsl = Join-Path $env:ProgramFiles 'WSL\wsl.exe'
if (-not (Test-Path -LiteralPath $wsl)) {
    if ($PSCmdlet.ShouldProcess('WSL', 'install')) {
        & "$env:SystemRoot\System32\wsl.exe" --install --no-distribution
        if ($LASTEXITCODE -ne 0) { throw ('wsl --install ended with {0}' -f $LASTEXITCODE) }
    }
    if (-not (Test-Path -LiteralPath $wsl)) {
        Write-Step 'the package is not there yet: reboot, then run this again; or install the MSI of its releases page'
        return
    }
}

Write-Step ('the distro {0}' -f $Distribution)
$lxss = 'Registry::HKEY_CURRENT_USER\Software\Microsoft\Windows\CurrentVersion\Lxss'
$known = @()
if (Test-Path -LiteralPath $lxss) {
    $known = @(Get-ChildItem -LiteralPath $lxss | Where-Object { [string]$_.GetValue('DistributionName', '') -eq $Distribution })
}
foreach ($key in $known) {
    # The mark that the import leaves, here and by role wsl2. A distro of this name without it is somebody else's.
    $base = ([string]$key.GetValue('BasePath', '')) -replace '^\\\\\?\\', ''
    $named = ''
    if ($base -and (Test-Path -LiteralPath "$base.ready.json")) {
        $mark = Get-Content -LiteralPath "$base.ready.json" -Raw | ConvertFrom-Json
        if ($null -ne $mark -and $null -ne $mark.PSObject.Properties['distribution']) { $named = [string]$mark.distribution }
    }
    if ($named -ne $Distribution -and -not $Adopt) {
        throw ('{0} in {1}: Ready did not make it, and it is left untouched; name another -Distribution and -Location, or give -Adopt' -f $Distribution, $base)
    }
}
if ($known.Count -eq 0) {
    if (Test-Path -LiteralPath $Location) {
        if (@(Get-ChildItem -LiteralPath $Location -Force | Select-Object -First 1).Count -gt 0) {
            throw ('{0} is not empty: nothing was deleted; name another -Location' -f $Location)
        }
    }
    $image = $Rootfs
    if (-not $image) {
        $image = Join-Path $env:TEMP 'ready-rootfs.tar.gz'
        if ($PSCmdlet.ShouldProcess($Url, 'download')) {
            $ProgressPreference = 'SilentlyContinue'
            Invoke-WebRequest -UseBasicParsing -Uri $Url -OutFile $image
        }
    }
    if ($PSCmdlet.ShouldProcess($Distribution, 'import')) {
        $found = (Get-FileHash -LiteralPath $image -Algorithm SHA256).Hash
        if ($found -ne $Sha256) { throw ('{0}: sha256 is {1}, expected {2}' -f $image, $found, $Sha256) }
        # Beside the folder and before the import, as role wsl2 does: it says that the distro is Ready's.
        [void](New-Item -ItemType Directory -Force -Path (Split-Path -Parent $Location))
        $mark = '{{"distribution": "{0}", "made_by": "ready"}}' -f $Distribution
        [IO.File]::WriteAllText(('{0}.ready.json' -f $Location), $mark)
        & $wsl --import $Distribution $Location $image --version 2
        if ($LASTEXITCODE -ne 0) { throw ('wsl --import ended with {0}' -f $LASTEXITCODE) }
    }
}

Write-Step 'its user, systemd and tools'
if ($PSCmdlet.ShouldProcess($Distribution, 'configure')) {
    $commands = (@'
set -e
id READY_USER >/dev/null 2>&1 || useradd --create-home --shell /bin/bash --groups sudo READY_USER
echo "READY_USER ALL=(ALL) NOPASSWD:ALL" > /etc/sudoers.d/ready
chmod 0440 /etc/sudoers.d/ready
# A section, a key and its value into wsl.conf; every other line stays.
merge() {
    awk -v section="[$1]" -v key="$2" -v value="$3" '
        function put() { if (!done) print key "=" value; done = 1 }
        /^[ \t]*\[/ { if (inside) put(); line = tolower($0); gsub(/[ \t\r]/, "", line); inside = line == section }
        inside && tolower($0) ~ "^[ \t]*" key "[ \t]*=" { put(); next }
        { print }
        END { if (!done && !inside) print "\n" section; put() }' /etc/wsl.conf > /etc/.ready-wsl.conf
    cat /etc/.ready-wsl.conf > /etc/wsl.conf
    rm /etc/.ready-wsl.conf
}
touch /etc/wsl.conf
merge boot systemd true
merge user default READY_USER
command -v git >/dev/null || { apt-get update -q && apt-get install -qy git python3-venv; }
'@ -replace "`r", '').Replace('READY_USER', $User)
    $encoded = [Convert]::ToBase64String([Text.Encoding]::UTF8.GetBytes($commands))
    & $wsl -d $Distribution -u root --cd / --exec /bin/sh -c "echo $encoded|base64 -d|sh"
    if ($LASTEXITCODE -ne 0) { throw ('the configuration of the distro ended with {0}' -f $LASTEXITCODE) }
    & $wsl --terminate $Distribution
    $there = $false
    if ($Source) {
        & $wsl -d $Distribution -u $User --cd '~' --exec /usr/bin/test -e ready
        $there = $LASTEXITCODE -eq 0
    }
    if ($Source -and -not $there) {
        if ($Source -match '^([A-Za-z]):(\\[A-Za-z0-9 ._\\-]+\.bundle)$') {
            # A file of Windows, as the distro sees it.
            $Source = '/mnt/{0}{1}' -f $Matches[1].ToLowerInvariant(), $Matches[2].Replace('\', '/')
        }
        elseif ($Source -notmatch '^[A-Za-z0-9:/@._~-]+$') { throw 'Source: an address of a git repository, or the path of a bundle' }
        & $wsl -d $Distribution -u $User --cd '~' --exec /usr/bin/git clone $Source ready
        if ($LASTEXITCODE -ne 0) { throw ('git clone ended with {0}' -f $LASTEXITCODE) }
    }
}

Write-Step 'the task that keeps the distro running while you are logged on'
$name = 'keep {0}' -f $Distribution
$before = Get-ScheduledTask -TaskPath '\Ready\' -TaskName $name -ErrorAction SilentlyContinue
if ($null -ne $before -and $before.Principal.LogonType.ToString() -eq 'Password') {
    Write-Step 'there is one that runs with nobody logged on; it stays'
    if ($PSCmdlet.ShouldProcess("\Ready\$name", 'start the task')) {
        # The distro was ended above.
        Start-ScheduledTask -TaskPath '\Ready\' -TaskName $name
    }
}
elseif ($PSCmdlet.ShouldProcess("\Ready\$name", 'make the task')) {
    # WSL ends a distro 15 seconds after its last window, whatever runs in it. At logon and not at boot: no password is stored.
    $keeper = Join-Path $PSScriptRoot 'scripts\windows\distro_keep.ps1'
    if (-not (Test-Path -LiteralPath $keeper)) { throw ('{0} is missing: run this in a whole copy of the repository' -f $keeper) }
    $folder = Join-Path $env:ProgramFiles 'Ready'
    if (-not (Test-Path -LiteralPath $folder)) { [void](New-Item -ItemType Directory -Path $folder) }
    $script = Join-Path $folder 'distro_keep.ps1'
    [IO.File]::Copy($keeper, $script, $true)
    $arguments = '-NoProfile -NonInteractive -WindowStyle Hidden -ExecutionPolicy Bypass -File "{0}" -Distribution {1}' -f $script, $Distribution
    $action = New-ScheduledTaskAction -Execute "$env:SystemRoot\System32\WindowsPowerShell\v1.0\powershell.exe" -Argument $arguments
    $trigger = New-ScheduledTaskTrigger -AtLogOn -User $identity.Name
    $owner = New-ScheduledTaskPrincipal -UserId $identity.Name -LogonType Interactive -RunLevel Limited
    $settings = New-ScheduledTaskSettingsSet -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries -ExecutionTimeLimit ([TimeSpan]::Zero)
    if ($null -ne $before) { Stop-ScheduledTask -TaskPath '\Ready\' -TaskName $name }
    [void](Register-ScheduledTask -TaskPath '\Ready\' -TaskName $name -Action $action -Trigger $trigger -Principal $owner -Settings $settings -Force)
    $state = ''
    $clock = [Diagnostics.Stopwatch]::StartNew()
    while ($state -ne 'Running' -and $clock.Elapsed.TotalSeconds -lt 60) {
        Start-ScheduledTask -TaskPath '\Ready\' -TaskName $name
        Start-Sleep -Seconds 2
        $task = Get-ScheduledTask -TaskPath '\Ready\' -TaskName $name -ErrorAction SilentlyContinue
        if ($null -ne $task) { $state = $task.State.ToString() }
    }
    if ($state -ne 'Running') {
        throw ('the task \Ready\{0} is in state {1}, expected Running: this account must be logged on at the desktop' -f $name, $state)
    }
}
Write-Step ('done. Next: wsl -d {0}, then: cd ~/ready, ./ready up' -f $Distribution)
