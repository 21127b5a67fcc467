# ready: desktop_wait v1
# reads only
<#
Waits until the account that runs this has a desktop session: its own Explorer runs. Changes nothing.

Parameters
  Timeout    seconds to wait

Result: one JSON object
  session    whether there is one
  waited     seconds
#>
[CmdletBinding()]
param(
    [int]$Timeout = 300
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
$me = [Security.Principal.WindowsIdentity]::GetCurrent().User.Value
$clock = [Diagnostics.Stopwatch]::StartNew()
$session = $false
while ($true) {
    $owners = @(Get-CimInstance Win32_Process -Filter "Name='explorer.exe'" | ForEach-Object {
            # One that ends meanwhile has no owner any more.
            $owner = Invoke-CimMethod -InputObject $_ -MethodName GetOwnerSid -ErrorAction SilentlyContinue
            if ($null -ne $owner) { $owner.Sid }
        })
    $session = $owners -contains $me
    if ($session -or $clock.Elapsed.TotalSeconds -ge $Timeout) { break }
    Start-Sleep -Seconds 3
}
[ordered]@{
    session = $session
    waited = [Math]::Round($clock.Elapsed.TotalSeconds, 1)
} | ConvertTo-Json -Depth 2 -Compress
