# ready: distro_keep v1
<#
Holds a distro by one program on Windows' side: WSL ends a distro 15 seconds after its last one, whatever runs in it. When that
program ends, the distro was stopped; it is started again after a pause, because Task Scheduler restarts no task of this kind.
While a mark is there beside this file, the distro is let go and not started: <distro>.hold, of `windows stop` or somebody's hand;
<distro>.busy, of a run, which counts for half an hour. Ends when this file has gone.
Runs as the scheduled task '\Ready\keep <distro>', from a file in C:\Program Files\Ready, not over the network.

Parameters
  Distribution   the distro
  Pause          seconds before the distro is started again
  Look           seconds between two looks at the marks

Result: none.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)][ValidatePattern('^[A-Za-z0-9][A-Za-z0-9._-]*$')][string]$Distribution,
    [int]$Pause = 60,
    [int]$Look = 5
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
$mark = Join-Path $PSScriptRoot $Distribution

function Test-Wanted { return (Test-Path -LiteralPath $PSCommandPath) }

function Test-Held {
    # A run may be cut off: its mark does not count for ever, also not where the clock was set.
    if (Test-Path -LiteralPath "$mark.hold") { return $true }
    $run = Get-Item -LiteralPath "$mark.busy" -ErrorAction SilentlyContinue
    if ($null -eq $run) { return $false }
    return ([Math]::Abs(([datetime]::UtcNow - $run.LastWriteTimeUtc).TotalMinutes) -lt 30)
}

function Get-Program {
    # Asked each time: an upgrade of the WSL package takes the file away for a while.
    $key = 'Registry::HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Lxss\Msi'
    $folder = Join-Path $env:ProgramFiles 'WSL'
    if (Test-Path -LiteralPath $key) { $folder = [string](Get-Item -LiteralPath $key).GetValue('InstallLocation', $folder) }
    return (Join-Path $folder 'wsl.exe')
}

function Wait-Distro([string]$File) {
    # Until its program ends, or the mark appears.
    $info = New-Object Diagnostics.ProcessStartInfo
    $info.FileName = $File
    $info.Arguments = '-d {0} -u root --cd / --exec /bin/sleep infinity' -f $Distribution
    $info.UseShellExecute = $false
    $info.CreateNoWindow = $true
    $info.RedirectStandardInput = $true
    $process = [Diagnostics.Process]::Start($info)
    $process.StandardInput.Close()
    while (-not $process.WaitForExit($Look * 1000)) {
        if ((Test-Held) -or -not (Test-Wanted)) {
            try { $process.Kill() } catch { [void]$_ } # it has just ended by itself
            [void]$process.WaitForExit(5000)
            break
        }
    }
}

while (Test-Wanted) {
    if (Test-Held) {
        Start-Sleep -Seconds $Look
        continue
    }
    $file = Get-Program
    # Meanwhile an upgrade may take it away, or hold it: this must not end, for Windows does not start it again.
    try { if (Test-Path -LiteralPath $file) { Wait-Distro $file } } catch { [void]$_ }
    $clock = [Diagnostics.Stopwatch]::StartNew()
    while ($clock.Elapsed.TotalSeconds -lt $Pause -and (Test-Wanted) -and -not (Test-Held)) {
        Start-Sleep -Seconds $Look
    }
}
exit 0
