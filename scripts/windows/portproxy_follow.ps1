# ready: portproxy_follow v1
<#
Leads port proxies of ours to a distro for as long as there are any: the distro's address changes with every start of WSL, and a
port proxy knows an address alone. It holds the distro by one program on Windows' side, which tells the address once and
then sleeps; when that program ends, the distro was stopped, and it is begun anew. So nothing is asked again and again.
Runs as the scheduled task '\Ready\forward <stack>', from a file in C:\Program Files\Ready, not over the network.

Parameters
  Distribution   the distro
  Stack          its stack: rules of Windows' firewall called 'Ready <stack> <name> <port> proxy' say which ports are ours
  Prefix         the word that names of ours begin with
  Pause          seconds before the distro is started again
  Look           seconds between two looks at the rules: for new ones, and whether any is left

Result: none. Exit code 0 when no rule is left, 1 when there is no wsl.exe.
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)][ValidatePattern('^[A-Za-z0-9][A-Za-z0-9._-]*$')][string]$Distribution,
    [Parameter(Mandatory)][ValidatePattern('^[a-z0-9][a-z0-9_-]*$')][string]$Stack,
    [string]$Prefix = 'Ready',
    [int]$Pause = 5,
    [int]$Look = 600
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'

function Get-Ports {
    # A port proxy carries no mark; the rule that lets others in to it does.
    return @(Get-NetFirewallRule -DisplayName "$Prefix $Stack *" -ErrorAction SilentlyContinue | ForEach-Object {
            if ($_.DisplayName -match ' (\d+) proxy$') { $Matches[1] }
        })
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

$key = 'Registry::HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Lxss\Msi'
$folder = Join-Path $env:ProgramFiles 'WSL'
if (Test-Path -LiteralPath $key) { $folder = [string](Get-Item -LiteralPath $key).GetValue('InstallLocation', $folder) }
$file = Join-Path $folder 'wsl.exe'
if (-not (Test-Path -LiteralPath $file)) { exit 1 }

while (@(Get-Ports).Count -gt 0) {
    $info = New-Object Diagnostics.ProcessStartInfo
    $info.FileName = $file
    $info.Arguments = '-d {0} -u root --cd / --exec /bin/sh -c "hostname -I; exec sleep infinity"' -f $Distribution
    $info.UseShellExecute = $false
    $info.CreateNoWindow = $true
    $info.RedirectStandardInput = $true
    $info.RedirectStandardOutput = $true
    $info.EnvironmentVariables['WSL_UTF8'] = '1'
    $process = [Diagnostics.Process]::Start($info)
    $process.StandardInput.Close()
    # Addresses of Docker's own bridge are none that Windows reaches. No line at all: it could not be started.
    $line = [string]$process.StandardOutput.ReadLine()
    $addresses = @($line -split '\s+' | Where-Object { $_ -match '^\d+(\.\d+){3}$' -and $_ -notmatch '^(127|172\.17)\.' })
    $rest = 60
    if ($addresses.Count -gt 0) {
        $rest = $Pause
        $ended = $false
        while (-not $ended -and @(Get-Ports).Count -gt 0) {
            Set-Proxies $addresses[0]
            $ended = $process.WaitForExit($Look * 1000)
        }
    }
    if (-not $process.HasExited) { $process.Kill() }
    if (@(Get-Ports).Count -gt 0) { Start-Sleep -Seconds $rest }
}
exit 0
