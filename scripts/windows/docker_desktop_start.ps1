# ready: docker_desktop_start v1
<#
Starts Docker Desktop in the desktop session of the account that runs this, and waits until its engine answers.
`docker desktop start` locks up over WinRM, so a scheduled task does it that is removed again.

Parameters
  TaskFolder    folder of the task, as Ready's are named
  Timeout       seconds to wait for the engine

Result: one JSON object
  started       whether the task could be started
  task          its state and its last result (a number, or null) when no engine answers, else null
  engine        version of the engine that answers, or null
  waited        seconds
  processes     names of Docker Desktop's programs that run
  log           the last lines of its backend's log
#>
[CmdletBinding()]
param(
    [string]$TaskFolder = 'Ready',
    [int]$Timeout = 300
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
$program = Join-Path $env:ProgramFiles 'Docker\Docker\Docker Desktop.exe'
$cli = Join-Path $env:ProgramFiles 'Docker\Docker\resources\bin\docker.exe'
$name = 'start Docker Desktop'
$path = '\{0}\' -f $TaskFolder
$me = [Security.Principal.WindowsIdentity]::GetCurrent().Name
$clock = [Diagnostics.Stopwatch]::StartNew()
$started = $false
$engine = $null
$task = $null
try {
    $action = New-ScheduledTaskAction -Execute $program
    $principal = New-ScheduledTaskPrincipal -UserId $me -LogonType Interactive -RunLevel Limited
    # Without these Windows starts it on mains power alone, ends it when that goes, and ends it after three days.
    $settings = New-ScheduledTaskSettingsSet -AllowStartIfOnBatteries -DontStopIfGoingOnBatteries -ExecutionTimeLimit ([TimeSpan]::Zero)
    [void](Register-ScheduledTask -TaskPath $path -TaskName $name -Action $action -Principal $principal -Settings $settings -Force)
    Start-ScheduledTask -TaskPath $path -TaskName $name
    $started = $true
    while ($null -eq $engine -and $clock.Elapsed.TotalSeconds -lt $Timeout) {
        Start-Sleep -Seconds 3
        $info = New-Object Diagnostics.ProcessStartInfo
        $info.FileName = $cli
        $info.Arguments = 'version --format {{.Server.Version}}'
        $info.UseShellExecute = $false
        $info.CreateNoWindow = $true
        $info.RedirectStandardOutput = $true
        $info.RedirectStandardError = $true
        $process = [Diagnostics.Process]::Start($info)
        $read = $process.StandardOutput.ReadToEndAsync()
        $errors = $process.StandardError.ReadToEndAsync()
        if (-not $process.WaitForExit(15000)) {
            try { $process.Kill() } catch { [void]$_ }
            continue
        }
        [void]$errors.Wait(1000)
        if ($process.ExitCode -eq 0 -and $read.Wait(1000)) { $engine = $read.Result.Trim() }
    }
}
finally {
    # Before it goes: why nothing started is not said anywhere else.
    if ($null -eq $engine) {
        $found = Get-ScheduledTask -TaskPath $path -TaskName $name -ErrorAction SilentlyContinue
        if ($null -ne $found) {
            $last = $null
            $more = $found | Get-ScheduledTaskInfo -ErrorAction SilentlyContinue
            if ($null -ne $more -and $null -ne $more.LastTaskResult) { $last = [int64]$more.LastTaskResult }
            $task = @{ state = $found.State.ToString(); last_result = $last }
        }
    }
    Unregister-ScheduledTask -TaskPath $path -TaskName $name -Confirm:$false -ErrorAction SilentlyContinue
}
$logFile = Join-Path ([Environment]::GetFolderPath('LocalApplicationData')) 'Docker\log\host\com.docker.backend.exe.log'
$log = @()
if ($null -eq $engine -and (Test-Path -LiteralPath $logFile)) {
    $log = @(Get-Content -LiteralPath $logFile -Tail 20 | ForEach-Object { [string]$_.ToString() })
}
[ordered]@{
    started = $started
    task = $task
    engine = $engine
    waited = [Math]::Round($clock.Elapsed.TotalSeconds, 1)
    processes = @(Get-Process -Name 'Docker Desktop', 'com.docker.backend' -ErrorAction SilentlyContinue |
            ForEach-Object { $_.ProcessName })
    log = $log
} | ConvertTo-Json -Depth 3 -Compress
