# The network of a Windows host: functions of windows_state.ps1, which dot-sources this file.

function Get-ProfileNames([int]$Mask) {
    # Of a rule, by its number: no language changes that. 0 is every profile.
    foreach ($entry in @(@(1, 'Domain'), @(2, 'Private'), @(4, 'Public'))) {
        if ($Mask -eq 0 -or ($Mask -band $entry[0])) { $entry[1] }
    }
}

function Read-Interfaces {
    # Where Windows keeps no category, as for the switches that it makes itself, its firewall takes Public.
    $categories = @{}
    foreach ($item in @(Get-NetConnectionProfile -ErrorAction SilentlyContinue)) {
        $categories[[int]$item.InterfaceIndex] = $item.NetworkCategory.ToString()
    }
    $gateways = @(@('0.0.0.0/0', '::/0') | ForEach-Object { Get-NetRoute -DestinationPrefix $_ -ErrorAction SilentlyContinue } |
            ForEach-Object { [int]$_.InterfaceIndex })
    $media = @{}
    foreach ($item in @(Get-NetAdapter -IncludeHidden -ErrorAction SilentlyContinue)) {
        if ($null -ne $item.NdisPhysicalMedium) { $media[[int]$item.InterfaceIndex] = [int]$item.NdisPhysicalMedium }
    }
    # Those of interfaces that are down are not preferred; loopback is index 1.
    Get-NetIPAddress | Where-Object { $_.InterfaceIndex -ne 1 -and $_.AddressState.ToString() -eq 'Preferred' } |
        Group-Object -Property InterfaceIndex | ForEach-Object {
            $addresses = @($_.Group)
            $index = [int]$addresses[0].InterfaceIndex
            @{
                alias = [string]$addresses[0].InterfaceAlias
                index = $index
                category = $categories[$index]
                prefixes = @($addresses | ForEach-Object { '{0}/{1}' -f ($_.IPAddress -replace '%.*$', ''), $_.PrefixLength })
                gateway = ($gateways -contains $index)
                medium = $media[$index]
            }
        }
}

function Read-FirewallProfiles {
    # As they count, policies included: what is not configured is allowed.
    Get-NetFirewallProfile -PolicyStore ActiveStore | ForEach-Object {
        @{
            name = [string]$_.Name
            enabled = ($_.Enabled.ToString() -ne 'False')
            inbound_rules = ($_.AllowInboundRules.ToString() -ne 'False')
            local_rules = ($_.AllowLocalFirewallRules.ToString() -ne 'False')
        }
    }
}

function Read-Network([int[]]$Ports, [string]$RulePrefix, $Interfaces, $Profiles) {
    $listeners = @(Get-NetTCPConnection -State Listen -ErrorAction SilentlyContinue |
            Where-Object { $Ports -contains $_.LocalPort } | ForEach-Object {
                $program = Get-Process -Id $_.OwningProcess -ErrorAction SilentlyContinue
                $name = ''
                if ($null -ne $program) { $name = $program.ProcessName }
                @{ address = $_.LocalAddress; port = [int]$_.LocalPort; pid = [int]$_.OwningProcess; process = $name }
            })
    # The words around the numbers are in the user's language; the lines of two numbers are the ranges. A star marks those that
    # somebody set: Windows gives them to nobody by itself, and whoever asks for such a port gets it.
    $ranges = @(& netsh.exe interface ipv4 show excludedportrange protocol=tcp | ForEach-Object {
            if ($_ -match '^\s*(\d+)\s+(\d+)\s*(\*?)\s*$') {
                @{ first = [int]$Matches[1]; last = [int]$Matches[2]; administered = ($Matches[3] -eq '*') }
            }
        })
    $proxies = @()
    $store = "$hklm\SYSTEM\CurrentControlSet\Services\PortProxy\v4tov4\tcp"
    if (Test-Path -LiteralPath $store) {
        $item = Get-Item -LiteralPath $store
        $proxies = @($item.GetValueNames() | ForEach-Object { @{ listen = $_; connect = [string]$item.GetValue($_) } })
    }
    # Whether a rule is in force is said of the rules as they count alone, by numbers.
    $status = @{}
    foreach ($rule in @(Get-NetFirewallRule -PolicyStore ActiveStore -DisplayName "$RulePrefix *" -ErrorAction SilentlyContinue)) {
        $status[$rule.DisplayName] = @($rule.CimInstanceProperties['EnforcementStatus'].Value | Where-Object { $null -ne $_ } |
                ForEach-Object { [int]$_ })
    }
    $rules = @(Get-NetFirewallRule -DisplayName "$RulePrefix *" -ErrorAction SilentlyContinue | ForEach-Object {
            $port = $_ | Get-NetFirewallPortFilter
            $address = $_ | Get-NetFirewallAddressFilter
            @{
                name = $_.DisplayName
                enabled = ($_.Enabled.ToString() -eq 'True')
                direction = $_.Direction.ToString()
                action = $_.Action.ToString()
                protocol = [string]$port.Protocol
                ports = @($port.LocalPort | ForEach-Object { [string]$_ })
                remote = @($address.RemoteAddress | ForEach-Object { [string]$_ })
                profiles = @(Get-ProfileNames ([int]$_.CimInstanceProperties['Profiles'].Value))
                enforcement = @($status[$_.DisplayName] | Where-Object { $null -ne $_ })
            }
        })
    # The firewall before WSL in mirrored mode; Windows before 11 22H2 has none. By the maker of WSL's virtual machines.
    $guarded = $null
    if ($null -ne (Get-Command -Name Get-NetFirewallHyperVRule -ErrorAction SilentlyContinue)) {
        $guarded = @(Get-NetFirewallHyperVRule -VMCreatorId '{40E0AC32-46A5-438A-A0B2-2B479E8F2E90}' -ErrorAction SilentlyContinue |
                Where-Object { ([string]$_.DisplayName).StartsWith("$RulePrefix ", [StringComparison]::Ordinal) } | ForEach-Object {
                # Early builds know no profiles of such rules.
                $mask = $_.CimInstanceProperties['Profiles']
                $held = @()
                if ($null -ne $mask) { $held = @(Get-ProfileNames ([int]$mask.Value)) }
                @{
                    name = $_.DisplayName
                    enabled = ($_.Enabled.ToString() -eq 'True')
                    direction = $_.Direction.ToString()
                    action = $_.Action.ToString()
                    protocol = [string]$_.Protocol
                    ports = @($_.LocalPorts | ForEach-Object { [string]$_ })
                    remote = @($_.RemoteAddresses | ForEach-Object { [string]$_ })
                    profiles = $held
                }
            })
    }
    @{
        listeners = $listeners
        excluded = $ranges
        portproxy = $proxies
        rules = $rules
        hyperv_rules = $guarded
        interfaces = @($Interfaces | Where-Object { $null -ne $_ })
        firewall = @($Profiles | Where-Object { $null -ne $_ })
    }
}
