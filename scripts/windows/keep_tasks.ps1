# ready: keep_tasks v1
<#
Holds back the tasks of ours that hold a distro, or lets them run again, and waits until that is so. Both are bounded.

Parameters
  Distribution   the distro
  Tasks          names of the tasks, in our folder
  Wanted         hold: leave a mark, end the tasks and the wsl.exe of theirs that is left; run: remove the mark, start what does
                 not run, and wait until each task runs and a wsl.exe of theirs holds the distro
  By             whose mark: run, <distro>.busy, which counts for half an hour, as a run may be cut off; stop, <distro>.hold,
                 which counts until `windows start`, and which a run never removes. Start removes both
  TaskFolder     folder of the tasks, and of the mark below Program Files, as Ready's are named
  Timeout        seconds to wait

Result: one JSON object
  wanted         what was asked for
  tasks          each task: name, state, last_result (a number, or null)
  missing        names of the tasks that are not there
  holders        ids of the wsl.exe processes of theirs
  held           whether the mark <distro>.hold is there
  waited         seconds
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)][ValidatePattern('^[A-Za-z0-9][A-Za-z0-9._-]*$')][string]$Distribution,
    [string[]]$Tasks = @(),
    [Parameter(Mandatory)][ValidateSet('hold', 'run')][string]$Wanted,
    [ValidateSet('run', 'stop')][string]$By = 'run',
    [string]$TaskFolder = 'Ready',
    [int]$Timeout = 60
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
$path = '\{0}\' -f $TaskFolder
$folder = Join-Path $env:ProgramFiles $TaskFolder
$stopped = Join-Path $folder ('{0}.hold' -f $Distribution)
$busy = Join-Path $folder ('{0}.busy' -f $Distribution)
$clock = [Diagnostics.Stopwatch]::StartNew()

function Get-Holders {
    # Ours are known by their arguments; a window of somebody's has others.
    $ours = '\s-d\s+{0}\s+-u\s+root\s.*sleep infinity' -f [regex]::Escape($Distribution)
    return @(Get-CimInstance Win32_Process -Filter "Name='wsl.exe'" | Where-Object { [string]$_.CommandLine -match $ours } |
            ForEach-Object { [int]$_.ProcessId })
}

function Get-Tasks {
    return @(Get-ScheduledTask -TaskPath $path -ErrorAction SilentlyContinue | Where-Object { $Tasks -contains $_.TaskName } |
            ForEach-Object {
                $last = $null
                $info = $_ | Get-ScheduledTaskInfo -ErrorAction SilentlyContinue
                if ($null -ne $info -and $null -ne $info.LastTaskResult) { $last = [int64]$info.LastTaskResult }
                @{ name = $_.TaskName; state = $_.State.ToString(); last_result = $last }
            })
}

if ($Wanted -eq 'hold') {
    # First: a task that starts meanwhile, at boot for one, then waits.
    if (-not (Test-Path -LiteralPath $folder)) { [void](New-Item -ItemType Directory -Path $folder) }
    $mark = $busy
    if ($By -eq 'stop') { $mark = $stopped }
    [IO.File]::WriteAllText($mark, 'Ready: tasks do not start this distro while this file is here')
    foreach ($task in @(Get-Tasks)) { Stop-ScheduledTask -TaskPath $path -TaskName $task.name -ErrorAction SilentlyContinue }
    # Ending a task does not end what its program has started.
    while (@(Get-Holders).Count -gt 0 -and $clock.Elapsed.TotalSeconds -lt $Timeout) {
        foreach ($id in @(Get-Holders)) { Stop-Process -Id $id -Force -ErrorAction SilentlyContinue }
        Start-Sleep -Seconds 1
    }
}
else {
    foreach ($mark in @($busy, $stopped)) {
        if (($By -eq 'stop' -or $mark -eq $busy) -and (Test-Path -LiteralPath $mark)) { [IO.File]::Delete($mark) }
    }
    # Again and again: in session 0 a start right after an end may be dropped without a word.
    while ($clock.Elapsed.TotalSeconds -lt $Timeout -and -not (Test-Path -LiteralPath $stopped)) {
        $idle = @(Get-Tasks | Where-Object { $_.state -ne 'Running' })
        if ($idle.Count -eq 0 -and ($Tasks.Count -eq 0 -or @(Get-Holders).Count -gt 0)) { break }
        foreach ($task in $idle) { Start-ScheduledTask -TaskPath $path -TaskName $task.name -ErrorAction SilentlyContinue }
        Start-Sleep -Seconds 2
    }
}
$found = @(Get-Tasks)
[ordered]@{
    wanted = $Wanted
    tasks = $found
    missing = @($Tasks | Where-Object { @($found | ForEach-Object { $_.name }) -notcontains $_ })
    holders = @(Get-Holders)
    held = (Test-Path -LiteralPath $stopped)
    waited = [Math]::Round($clock.Elapsed.TotalSeconds, 1)
} | ConvertTo-Json -Depth 4 -Compress
