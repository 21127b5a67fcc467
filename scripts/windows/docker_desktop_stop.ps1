# ready: docker_desktop_stop v1
<#
Asks Docker Desktop to stop, and waits until its own programs have ended. The command that asks, `docker desktop stop`, waits for
every wsl.exe on the PC, a window of somebody's too; so it is not what is waited for, and is ended when it still waits.
Docker Desktop itself is never killed: that can cost the image store.

Parameters
  Timeout       seconds to wait

Result: one JSON object
  stopped       whether none of its programs runs
  waited        seconds
  processes     names of its programs that still run
  command       exit code of the command, or null when it was ended
  output        what the command wrote, its last lines
  clients       how many wsl.exe run
#>
[CmdletBinding()]
param(
    [int]$Timeout = 300
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
$cli = Join-Path $env:ProgramFiles 'Docker\Docker\resources\bin\docker.exe'
$clock = [Diagnostics.Stopwatch]::StartNew()

function Get-Programs {
    return @(Get-Process -Name 'Docker Desktop', 'com.docker.backend' -ErrorAction SilentlyContinue |
            ForEach-Object { $_.ProcessName })
}

$info = New-Object Diagnostics.ProcessStartInfo
$info.FileName = $cli
$info.Arguments = 'desktop stop'
$info.UseShellExecute = $false
$info.CreateNoWindow = $true
$info.RedirectStandardOutput = $true
$info.RedirectStandardError = $true
$process = [Diagnostics.Process]::Start($info)
$read = $process.StandardOutput.ReadToEndAsync()
$errors = $process.StandardError.ReadToEndAsync()
while (@(Get-Programs).Count -gt 0 -and $clock.Elapsed.TotalSeconds -lt $Timeout) { Start-Sleep -Seconds 2 }
# What it has to do is done, or will not be.
$code = $null
if ($process.WaitForExit(5000)) { $code = $process.ExitCode } else { try { $process.Kill() } catch { [void]$_ } }
$output = @()
foreach ($text in @($read, $errors)) {
    if ($text.Wait(2000)) { $output += @($text.Result -split '\r?\n' | Where-Object { $_.Trim() } | Select-Object -Last 3) }
}
$left = @(Get-Programs)
[ordered]@{
    stopped = ($left.Count -eq 0)
    waited = [Math]::Round($clock.Elapsed.TotalSeconds, 1)
    processes = $left
    command = $code
    output = $output
    clients = @(Get-Process -Name 'wsl' -ErrorAction SilentlyContinue).Count
} | ConvertTo-Json -Depth 3 -Compress
