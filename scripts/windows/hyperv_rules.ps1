# ready: hyperv_rules v1
<#
Makes and removes rules of the Hyper-V firewall, which stands before WSL in mirrored mode, where no rule of Windows' own
firewall lets anybody in. A rule that is there already under a name is made anew, so that it is exactly what is asked for.

Parameters
  Make      rules, each 'name|port|address,address|profile,profile': who may come in from where, by TCP, on which networks
  Remove    names of rules
  Prefix    the word that names of ours begin with; others are refused

Result: one JSON object
  made      names
  removed   names
#>
[CmdletBinding()]
param(
    [string[]]$Make = @(),
    [string[]]$Remove = @(),
    [string]$Prefix = 'Ready'
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
# Who makes WSL's virtual machines; the same on every Windows.
$creator = '{40E0AC32-46A5-438A-A0B2-2B479E8F2E90}'

function Remove-Ours([string]$Name) {
    if (-not $Name.StartsWith("$Prefix ", [StringComparison]::Ordinal)) { throw "the rule $Name is not ours" }
    # By its display name, and of these virtual machines alone. Nothing found is no error.
    $found = @(Get-NetFirewallHyperVRule -VMCreatorId $creator -ErrorAction SilentlyContinue | Where-Object { $_.DisplayName -eq $Name })
    foreach ($rule in $found) { Remove-NetFirewallHyperVRule -InputObject $rule }
    return $found.Count
}

# Early builds know no profiles of such rules.
$command = Get-Command -Name New-NetFirewallHyperVRule -ErrorAction SilentlyContinue
$made = @()
$removed = @()
foreach ($text in $Make) {
    $name, $port, $addresses, $profiles = $text -split '\|'
    [void](Remove-Ours $name)
    $rule = @{
        Name = $name
        DisplayName = $name
        VMCreatorId = $creator
        Direction = 'Inbound'
        Action = 'Allow'
        Protocol = 'TCP'
        LocalPorts = @($port)
        RemoteAddresses = @($addresses -split ',')
    }
    if ($null -ne $command -and $command.Parameters.ContainsKey('Profiles')) { $rule.Profiles = $profiles }
    [void](New-NetFirewallHyperVRule @rule)
    $made += $name
}
foreach ($name in $Remove) {
    if ((Remove-Ours $name) -gt 0) { $removed += $name }
}
@{ made = $made; removed = $removed } | ConvertTo-Json -Compress
