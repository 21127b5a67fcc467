# ready: log_tail v1
# reads only
<#
Returns the last lines of a log, for a message about an installation that failed.

Parameters
  Path     the file
  Lines    how many

Result: one JSON object
  path     the file
  lines    the lines; none when there is no such file
#>
[CmdletBinding()]
param(
    [string]$Path = '',
    [int]$Lines = 20
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
$found = @()
if ($Path -and (Test-Path -LiteralPath $Path -PathType Leaf)) {
    $found = @(Get-Content -LiteralPath $Path -Tail $Lines | ForEach-Object { [string]$_.ToString() })
}
[ordered]@{ path = $Path; lines = $found } | ConvertTo-Json -Depth 3 -Compress
