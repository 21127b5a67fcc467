<#
Runs Ready.Tests.ps1 with the Pester that is part of Windows, 3.4.0: nothing is installed, no network is used.

    powershell -ExecutionPolicy Bypass -File tests\windows\pester\run.ps1 -Distribution Ubuntu-22.04

In an elevated PowerShell window of the account that owns WSL. Ends with the number of assumptions that do not hold.

Parameters
  Distribution   a distro to try commands in; it is started, and nothing is left in it
  Change         makes a rule of the Hyper-V firewall, and removes it; ends and starts the distro once
  Report         a file for the results, as NUnit writes them
#>
[CmdletBinding()]
param(
    [ValidatePattern('^$|^[A-Za-z0-9][A-Za-z0-9._-]*$')][string]$Distribution = '',
    [switch]$Change,
    [string]$Report = ''
)
$ErrorActionPreference = 'Stop'
if ($PSVersionTable.PSVersion.Major -ne 5) {
    throw ('found PowerShell {0}, expected Windows PowerShell 5.1. Next: start powershell.exe, not pwsh.exe' -f $PSVersionTable.PSVersion)
}
$found = @(Get-Module -Name Pester -ListAvailable | Where-Object { $_.Version.Major -eq 3 })
if ($found.Count -eq 0) {
    throw 'found no Pester 3.4, which Windows 10, 11 and Server have. Next: Install-Module Pester -RequiredVersion 3.4.0 -SkipPublisherCheck'
}
Import-Module -Name Pester -RequiredVersion $found[0].Version -Force
$file = Join-Path (Split-Path -Parent $MyInvocation.MyCommand.Path) 'Ready.Tests.ps1'
$test = @{ Path = $file; Parameters = @{ Distribution = $Distribution; Change = [bool]$Change } }
if ($Report) { $result = Invoke-Pester -Script $test -PassThru -OutputFile $Report -OutputFormat NUnitXml }
else { $result = Invoke-Pester -Script $test -PassThru }
Write-Output ('{0} assumptions hold, {1} do not, {2} were not tried' -f $result.PassedCount, $result.FailedCount, $result.SkippedCount)
exit $result.FailedCount
