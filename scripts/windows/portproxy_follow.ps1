# ready: portproxy_follow v1
<#
Leads port proxies of ours to a distro for as long as there are any: the distro's address changes with every start of WSL, and a
port proxy knows an address alone. It holds the distro by one program on Windows' side, which tells the address once and
then sleeps; when that program ends, the distro was stopped, and it is begun anew. So nothing is asked again and again.
While a mark is beside this file, <distro>.hold or <distro>.busy, the distro is let go and not started: as distro_keep has it.
Runs as the scheduled task '\Ready\forward <stack>', from a file in C:\Program Files\Ready, not over the network.

Parameters
  Distribution   the distro
  Stack          its stack: rules of Windows' firewall called 'Ready <stack> <name> <port> proxy' say which ports are ours
  Prefix         the word that names of ours begin with
  Pause          seconds before the distro is started again
  Look           seconds between two looks at the rules: for new ones, and whether any is left
  Glance         seconds between two looks at the marks

Result: none. Exit code 0 when no rule is left, 1 when there is no wsl.exe.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)][ValidatePattern('^[A-Za-z0-9][A-Za-z0-9._-]*$')][string]$Distribution,
    [Parameter(Mandatory)][ValidatePattern('^[a-z0-9][a-z0-9_-]*$')][string]$Stack,
    [string]$Prefix = 'Ready',
    [int]$Pause = 5,
    [int]$Look = 600,
    [int]$Glance = 5
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'

function Get-Ports {
    # A port proxy carries no mark; the rule that lets others in to it does.
    return @(Get-NetFirewallRule -DisplayName "$Prefix $Stack *" -ErrorAction SilentlyContinue | ForEach-Object {
            if ($_.DisplayName -match ' (\d+) proxy$') { $Matches[1] }
        })
}

function Get-Address([string[]]$Lines) {
    # The address on the default route, by which Windows reaches the distro; that of a Docker bridge is none that it reaches,
    # and WSL's NAT may lie in the same network.
    $name = ''
    foreach ($line in $Lines) {
        if (-not $name -and $line -match '^default\b.*?\bdev (\S+)') { $name = $Matches[1] }
        if ($name -and $line -match '^\d+:\s+(\S+)\s+inet (\d+(?:\.\d+){3})/' -and $Matches[1] -eq $name) { return $Matches[2] }
    }
    return ''
}

function Test-Held {
    # A run may be cut off: its mark does not count for ever, also not where the clock was set.
    if (Test-Path -LiteralPath "$mark.hold") { return $true }
    $run = Get-Item -LiteralPath "$mark.busy" -ErrorAction SilentlyContinue
    if ($null -eq $run) { return $false }
    return ([Math]::Abs(([datetime]::UtcNow - $run.LastWriteTimeUtc).TotalMinutes) -lt 30)
}

function Set-Proxies([string]$Address) {
    $store = 'Registry::HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\PortProxy\v4tov4\tcp'
    foreach ($port in @(Get-Ports)) {
        $now = $null
        if (Test-Path -LiteralPath $store) { $now = (Get-Item -LiteralPath $store).GetValue("0.0.0.0/$port", $null) }
        if ($now -eq "$Address/$port") { continue }
        & netsh.exe interface portproxy add v4tov4 listenaddress=0.0.0.0 "listenport=$port" "connectaddress=$Address" "connectport=$port" | Out-Null
    }
}

$mark = Join-Path $PSScriptRoot $Distribution
$key = 'Registry::HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Lxss\Msi'
$folder = Join-Path $env:ProgramFiles 'WSL'
if (Test-Path -LiteralPath $key) { $folder = [string](Get-Item -LiteralPath $key).GetValue('InstallLocation', $folder) }
$file = Join-Path $folder 'wsl.exe'
if (-not (Test-Path -LiteralPath $file)) { exit 1 }

# Its default route and its addresses, and then it holds the distro.
$ask = 'ip -4 route show default; ip -4 -o addr show scope global; echo end; exec sleep infinity'
while (@(Get-Ports).Count -gt 0) {
    if (Test-Held) {
        Start-Sleep -Seconds $Glance
        continue
    }
    $info = New-Object Diagnostics.ProcessStartInfo
    $info.FileName = $file
    $info.Arguments = '-d {0} -u root --cd / --exec /bin/sh -c "{1}"' -f $Distribution, $ask
    $info.UseShellExecute = $false
    $info.CreateNoWindow = $true
    $info.RedirectStandardInput = $true
    $info.RedirectStandardOutput = $true
    $info.EnvironmentVariables['WSL_UTF8'] = '1'
    $process = $null
    # An upgrade may have taken it away, or hold it: this must not end, for Windows does not start it again.
    try { $process = [Diagnostics.Process]::Start($info) } catch { [void]$_ }
    if ($null -eq $process) {
        Start-Sleep -Seconds 60
        continue
    }
    $process.StandardInput.Close()
    # No line at all: it could not be started.
    $lines = @()
    while ($true) {
        $line = $process.StandardOutput.ReadLine()
        if ($null -eq $line -or $line -eq 'end') { break }
        $lines += [string]$line
    }
    $address = Get-Address $lines
    $rest = 60
    if ($address) {
        $rest = $Pause
        $ended = $false
        while (-not $ended -and @(Get-Ports).Count -gt 0) {
            Set-Proxies $address
            $clock = [Diagnostics.Stopwatch]::StartNew()
            while (-not $ended -and $clock.Elapsed.TotalSeconds -lt $Look) {
                $ended = $process.WaitForExit($Glance * 1000) -or (Test-Held)
            }
        }
    }
    if (-not $process.HasExited) { try { $process.Kill() } catch { [void]$_ } }
    if (@(Get-Ports).Count -gt 0) { Start-Sleep -Seconds $rest }
}
exit 0
