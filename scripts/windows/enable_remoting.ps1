# ready: enable_remoting v1
<#
Lets Ready's controller in to this PC, as it comes: PowerShell remoting over HTTPS, for one address, as an account of its own.
Copy this one file to the PC, open Windows PowerShell by "Run as administrator", and say who may come in:

    powershell -ExecutionPolicy Bypass -File enable_remoting.ps1 -Controller 192.168.1.10
    powershell -ExecutionPolicy Bypass -File enable_remoting.ps1 -Undo

It makes what is missing: the account, an administrator with the right to log on as a batch job; the service WinRM; a
certificate and an HTTPS listener; a firewall rule for the profile in force on the way to the controller, for that address alone.
Then it tests all of it from here and writes the certificate to a file for the controller. Run it again at any time: what is
right stays. What it changes is noted in HKLM\SOFTWARE\Ready\Remoting, and -Undo takes back what is noted, nothing else.

It sets nothing below WSMan:\localhost\Service: there Windows refuses each change (0x80338169) while any network is Public,
as vEthernet (WSL) is: https://github.com/PowerShell/PowerShell/issues/13654. The listener over HTTP, which
Enable-PSRemoting makes, and its firewall rules are taken back at once. Parsed and never run: it was written without a Windows.

Parameters
  Controller        addresses or networks that may come in, such as 192.168.1.10; comma between several
  Name              more names or addresses for the certificate: what the inventory's ansible_host says
  Account           the account that is to own WSL; made when it is a local name that is not there
  GeneratePassword  make a password for a new account and show it once; else it is asked for. Never a parameter
  MakePrivate       make a wired network that is Public a Private one; a Wi-Fi's profile is never changed
  Out               the file that the certificate is written to
  Undo              take everything back that this script made

Result: lines of text; exit code 0 when every test passes, or all is taken back, else 1. -WhatIf says what would be done.
#>
[CmdletBinding(SupportsShouldProcess = $true)]
param(
    [string[]]$Controller = @(),
    [string[]]$Name = @(),
    [string]$Account = 'ready',
    [switch]$GeneratePassword,
    [switch]$MakePrivate,
    [string]$Out = (Join-Path $env:USERPROFILE "$env:COMPUTERNAME.pem"),
    [switch]$Undo
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
$hklm = 'Registry::HKEY_LOCAL_MACHINE'
$notes = "$hklm\SOFTWARE\Ready\Remoting"
$policies = "$hklm\SOFTWARE\Microsoft\Windows\CurrentVersion\Policies\System"
$listeners = "$hklm\SOFTWARE\Microsoft\Windows\CurrentVersion\WSMAN\Listener"
$ruleName = 'Ready-Remoting-HTTPS'
$administrators = 'S-1-5-32-544'
$listener = @{ ResourceURI = 'winrm/config/Listener'; SelectorSet = @{ Address = '*'; Transport = 'HTTPS' } }
$failed = @()

function Write-Line([string]$Text) { Write-Output ('ready: {0}' -f $Text) }

function Get-Value([string]$Path, [string]$Item) {
    # A registry value, or null: under StrictMode an absent property would throw.
    if (-not (Test-Path -LiteralPath $Path)) { return $null }
    return (Get-Item -LiteralPath $Path).GetValue($Item, $null)
}

function Add-Note([string]$Item, [string]$Text) {
    # Kept before something is changed, and once: what was there before the first run is what -Undo gives back.
    if ($null -ne (Get-Value $notes $Item)) { return }
    if (-not (Test-Path -LiteralPath $notes)) { [void](New-Item -Path $notes -Force) }
    [void](New-ItemProperty -LiteralPath $notes -Name $Item -Value $Text -PropertyType String)
}

function Remove-Note([string]$Item) {
    if ($null -ne (Get-Value $notes $Item)) { Remove-ItemProperty -LiteralPath $notes -Name $Item }
}

function Get-Holders([string]$Right) {
    # Who holds a right as the local policy has it: *SID, or a name.
    $file = Join-Path $env:TEMP ('ready-{0}.inf' -f [Guid]::NewGuid())
    try {
        [void](& secedit.exe /export /cfg $file /areas USER_RIGHTS /quiet)
        if (-not (Test-Path -LiteralPath $file)) { throw "rights: secedit /export ended with $LASTEXITCODE, expected 0. Next: secpol.msc, User Rights Assignment" }
        foreach ($line in [IO.File]::ReadAllLines($file)) {
            if ($line -match "^$Right\s*=(.*)$") { $Matches[1] -split ',' | ForEach-Object { $_.Trim() } | Where-Object { $_ } }
        }
    }
    finally { [IO.File]::Delete($file) }
}

function Set-Right([string]$Right, [string[]]$Holders) {
    # One right, with the whole list of its holders; other rights stay.
    $base = Join-Path $env:TEMP ('ready-{0}' -f [Guid]::NewGuid())
    $lines = @('[Unicode]', 'Unicode=yes', '[Version]', 'signature="$CHICAGO$"', 'Revision=1', '[Privilege Rights]', ('{0} = {1}' -f $Right, ($Holders -join ',')))
    try {
        [IO.File]::WriteAllLines("$base.inf", [string[]]$lines, [Text.Encoding]::Unicode)
        [void](& secedit.exe /configure /db "$base.sdb" /cfg "$base.inf" /areas USER_RIGHTS /quiet)
        if ($LASTEXITCODE -notin @(0, 3)) { throw "right ${Right}: secedit /configure ended with $LASTEXITCODE, expected 0. Next: secpol.msc, User Rights Assignment" }
    }
    finally { foreach ($end in @('inf', 'sdb', 'jfm')) { [IO.File]::Delete("$base.$end") } }
}

function Test-Holder([string]$Right, [string[]]$Entries) {
    $found = @(Get-Holders $Right | Where-Object { $Entries -contains $_ })
    return $found.Count -gt 0
}

function Find-Sid([string]$User) {
    # Null for an account that is not there (yet).
    if ($User -notmatch '[\\@]') { $User = "$env:COMPUTERNAME\$User" }
    try { return (New-Object Security.Principal.NTAccount($User)).Translate([Security.Principal.SecurityIdentifier]).Value }
    catch { return $null }
}

function Get-Listener([string]$Transport) {
    # The key of a listener, or null. WinRM need not run for that.
    if (-not (Test-Path -LiteralPath $listeners)) { return $null }
    $found = @(Get-ChildItem -LiteralPath $listeners | Where-Object { $_.PSChildName.EndsWith("+$Transport", [StringComparison]::OrdinalIgnoreCase) })
    if ($found.Count -gt 0) { return $found[0] }
}

function Get-Own([string]$Thumbprint) {
    if ($Thumbprint) { Get-ChildItem -LiteralPath Cert:\LocalMachine\My | Where-Object { $_.Thumbprint -eq $Thumbprint } }
}

function Remove-Own([string]$Thumbprint) {
    if (@(Get-Own $Thumbprint).Count -gt 0) { Remove-Item -LiteralPath "Cert:\LocalMachine\My\$Thumbprint" -DeleteKey }
}

function Get-Ways([string[]]$Addresses) {
    # The interface that each address is reached by, its network and the category: Public where Windows knows none.
    foreach ($address in $Addresses) {
        try { $ends = @(Find-NetRoute -RemoteIPAddress ($address -split '/')[0]) }
        catch { throw "Controller: found no way to $address, expected a network that leads there. Next: connect this PC, then this again" }
        $index = $ends[0].InterfaceIndex
        $networks = @(Get-NetConnectionProfile -InterfaceIndex $index -ErrorAction SilentlyContinue)
        $way = @{ Index = $index; Alias = [string]$ends[0].InterfaceAlias; Network = ''; Category = 'Public' }
        if ($networks.Count -gt 0) {
            $way.Network = [string]$networks[0].Name
            $way.Category = $networks[0].NetworkCategory.ToString()
        }
        $way
    }
}

function Read-Password {
    # Asked for twice, or made and shown once: past PowerShell's streams, so that no transcript keeps it.
    if (-not $GeneratePassword) {
        $first = Read-Host -AsSecureString -Prompt "Password for the new account $Account"
        $second = Read-Host -AsSecureString -Prompt 'The same again'
        $texts = @($first, $second | ForEach-Object { (New-Object Management.Automation.PSCredential('x', $_)).GetNetworkCredential().Password })
        if (-not $texts[0] -or $texts[0] -cne $texts[1]) { throw 'password: found two that differ, or none; expected the same twice. Next: run this again' }
        return $first
    }
    if ([Console]::IsOutputRedirected) { throw 'password: found output that goes to a file, expected a window. Next: run this again without > and |' }
    $letters = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789'
    $random = New-Object Security.Cryptography.RNGCryptoServiceProvider
    $byte = New-Object byte[] 1
    $text = 'aA2-'  # for policies that want every kind; what follows is random
    while ($text.Length -lt 28) {
        $random.GetBytes($byte)
        if ($byte[0] -lt 224) { $text += $letters[$byte[0] % 56] }
    }
    $made = New-Object Security.SecureString
    foreach ($letter in $text.ToCharArray()) { $made.AppendChar($letter) }
    [Console]::WriteLine("ready: the password of $Account, shown this once, for the inventory's vault: $text")
    return $made
}

function Undo-All {
    # In the opposite order. The account goes last: until then somebody else could log on as it.
    if (-not (Test-Path -LiteralPath $notes)) {
        Write-Line 'nothing to take back: this script made nothing here'
        return
    }
    $tasks = @(Get-ScheduledTask -TaskPath '\Ready\' -ErrorAction SilentlyContinue)
    if ($tasks.Count -gt 0) { throw ('tasks: found \Ready\{0}, expected none. Next: on the controller ./ready windows destroy --distro, then this again' -f $tasks[0].TaskName) }
    if (-not $PSCmdlet.ShouldProcess($env:COMPUTERNAME, 'take back: ' + ((Get-Item -LiteralPath $notes).GetValueNames() -join ', '))) { return }
    if (Get-Value $notes 'Rule') { Get-NetFirewallRule -Name $ruleName -ErrorAction SilentlyContinue | Remove-NetFirewallRule }
    $certificate = Get-Value $notes 'Certificate'
    $https = Get-Listener 'HTTPS'
    if ((Get-Value $notes 'Listener') -and $null -ne $https -and $https.GetValue('certThumbprint', '') -eq $certificate) {
        Start-Service -Name WinRM
        Remove-WSManInstance @listener
    }
    Remove-Own $certificate
    if (Get-Value $notes 'Endpoint') {
        Start-Service -Name WinRM
        Disable-PSRemoting -Force -WarningAction SilentlyContinue
    }
    $before = Get-Value $notes 'Service'
    if ($before) {
        $mode, $state = $before -split '\|'
        if ($state -ne 'Running') { Stop-Service -Name WinRM -Force }
        Set-Service -Name WinRM -StartupType ($mode -replace '^Auto$', 'Automatic')
    }
    $before = Get-Value $notes 'TokenFilter'
    if ($before -eq 'absent') { Remove-ItemProperty -LiteralPath $policies -Name LocalAccountTokenFilterPolicy -ErrorAction SilentlyContinue }
    elseif ($null -ne $before) { Set-ItemProperty -LiteralPath $policies -Name LocalAccountTokenFilterPolicy -Value ([int]$before) }
    foreach ($item in @((Get-Item -LiteralPath $notes).GetValueNames() | Where-Object { $_.StartsWith('Network ') })) {
        $alias = $item.Substring(8)
        Get-NetConnectionProfile -InterfaceAlias $alias -ErrorAction SilentlyContinue |
            Where-Object { $_.Name -eq (Get-Value $notes $item) -and $_.NetworkCategory.ToString() -eq 'Private' } |
            Set-NetConnectionProfile -NetworkCategory Public
    }
    $sid = Get-Value $notes 'Batch'
    if ($sid) { Set-Right 'SeBatchLogonRight' @(Get-Holders 'SeBatchLogonRight' | Where-Object { $_ -ne "*$sid" -and $_ -ne (Get-Value $notes 'BatchName') }) }
    $sid = Get-Value $notes 'Member'
    if ($sid -and $sid -ne (Get-Value $notes 'AccountSid')) { Remove-LocalGroupMember -SID $administrators -Member $sid -ErrorAction SilentlyContinue }
    $made = Get-Value $notes 'AccountSid'
    if ($made) {
        Get-LocalUser | Where-Object { $_.SID.Value -eq $made } | Remove-LocalUser
        Write-Line 'the account is gone; its folder below C:\Users stays, remove it when nothing in it is wanted'
    }
    Remove-Item -LiteralPath $notes
    if (@(Get-ChildItem -LiteralPath "$hklm\SOFTWARE\Ready").Count -eq 0) { Remove-Item -LiteralPath "$hklm\SOFTWARE\Ready" }
    Write-Line 'taken back. Remove this PC from the inventory and its certificate from windows-ca.pem'
}

function Set-Account {
    # The account, its membership and its right. An account that is there keeps its password.
    $local = $Account -notmatch '[\\@]'
    $there = @(Get-LocalUser | Where-Object { $local -and $_.Name -eq $Account })
    if ($local -and $there.Count -eq 0 -and $PSCmdlet.ShouldProcess($Account, 'make this local account')) {
        if ($Account -notmatch '^[A-Za-z0-9][A-Za-z0-9._-]{0,19}$') { throw "account: found $Account, expected at most 20 letters, digits, . _ -. Next: -Account ready" }
        $script:secret = Read-Password
        $new = New-LocalUser -Name $Account -Password $script:secret -PasswordNeverExpires -AccountNeverExpires -Description 'Ready: owns WSL and its services'
        Add-Note 'AccountSid' $new.SID.Value
        Write-Line "made the account $Account"
    }
    elseif ($there.Count -gt 0) {
        if (-not $there[0].Enabled) { throw "account: found $Account disabled, expected enabled. Next: Enable-LocalUser -Name $Account" }
        if ([string]$there[0].PrincipalSource -in @('MicrosoftAccount', 'AzureAD')) { throw "account: found $Account to be a $($there[0].PrincipalSource), expected one with a password of its own. Next: leave out -Account" }
    }
    $sid = Find-Sid $Account
    if ($null -eq $sid) {
        if ($WhatIfPreference) { return }
        throw "account: found no $Account, expected one that Windows knows. Next: look at its spelling, DOMAIN\name"
    }
    if ($PSCmdlet.ShouldProcess($Account, 'make it a member of Administrators')) {
        try {
            Add-LocalGroupMember -SID $administrators -Member $sid
            Add-Note 'Member' $sid
            Write-Line "$Account is a member of Administrators"
        }
        catch { if ($_.FullyQualifiedErrorId -notlike 'MemberExists*') { throw } }
    }
    # Administrators have the right, unless a policy took it from them.
    $entries = @("*$sid", $Account, "$env:COMPUTERNAME\$Account", "*$administrators")
    if (-not (Test-Holder 'SeBatchLogonRight' $entries) -and $PSCmdlet.ShouldProcess($Account, 'give the right to log on as a batch job')) {
        Add-Note 'Batch' $sid
        Add-Note 'BatchName' $Account
        Set-Right 'SeBatchLogonRight' @(@(Get-Holders 'SeBatchLogonRight') + "*$sid" | Where-Object { $_ })
        Write-Line "$Account may log on as a batch job"
    }
    $filter = Get-Value $policies 'LocalAccountTokenFilterPolicy'
    if ($local -and $filter -ne 1 -and $PSCmdlet.ShouldProcess('LocalAccountTokenFilterPolicy', 'set to 1: local administrators are elevated over the network')) {
        if ($null -eq $filter) { Add-Note 'TokenFilter' 'absent' } else { Add-Note 'TokenFilter' ([string]$filter) }
        Set-ItemProperty -LiteralPath $policies -Name LocalAccountTokenFilterPolicy -Value 1 -Type DWord
        Write-Line 'local administrators are elevated over the network'
    }
}

function Enable-Service {
    # WinRM runs and starts with Windows, its endpoint lets administrators in; nothing more is open than before.
    $service = Get-CimInstance Win32_Service -Filter "Name='WinRM'"
    if (($service.State -ne 'Running' -or $service.StartMode -ne 'Auto') -and $PSCmdlet.ShouldProcess('WinRM', 'start, now and with Windows')) {
        Add-Note 'Service' ('{0}|{1}' -f $service.StartMode, $service.State)
        Set-Service -Name WinRM -StartupType Automatic
        Start-Service -Name WinRM
        Write-Line 'the service WinRM runs'
    }
    if ($WhatIfPreference) { return }
    $open = @(Get-PSSessionConfiguration -Name microsoft.powershell -ErrorAction SilentlyContinue | Where-Object {
            $_.PSObject.Properties['SecurityDescriptorSddl'] -and $_.SecurityDescriptorSddl -notmatch '\(D;;GA;;;NU\)'
        })
    if ($open.Count -eq 0) {
        $rules = @(Get-NetFirewallRule -Name 'WINRM-HTTP-In-TCP*' -ErrorAction SilentlyContinue | Where-Object { $_.Enabled.ToString() -eq 'True' } | ForEach-Object { $_.Name })
        Add-Note 'Endpoint' 'closed'
        Add-Note 'HttpBefore' ('{0}|{1}' -f ($null -ne (Get-Listener 'HTTP')), ($rules -join ','))
        [void](Enable-PSRemoting -SkipNetworkProfileCheck -Force -WarningAction SilentlyContinue)
        Write-Line 'the endpoint of PowerShell is open to administrators'
    }
    $before = Get-Value $notes 'HttpBefore'
    if ($null -ne $before) {
        $there, $rules = $before -split '\|'
        if ($there -eq 'False' -and $null -ne (Get-Listener 'HTTP')) { Remove-WSManInstance -ResourceURI winrm/config/Listener -SelectorSet @{ Address = '*'; Transport = 'HTTP' } }
        Get-NetFirewallRule -Name 'WINRM-HTTP-In-TCP*' -ErrorAction SilentlyContinue | Where-Object { @($rules -split ',') -notcontains $_.Name } | Disable-NetFirewallRule
        Remove-Note 'HttpBefore'
    }
}

function Set-Listener {
    # Our certificate for 30 days at least, with all names; somebody else's listener is used as it is.
    $https = Get-Listener 'HTTPS'
    $ours = [string](Get-Value $notes 'Certificate')
    if ($null -ne $https -and (-not $ours -or $https.GetValue('certThumbprint', '') -ne $ours)) {
        Write-Line 'an HTTPS listener is there that this script did not make: it is used as it is'
        return
    }
    $names = @(@($env:COMPUTERNAME, [Net.Dns]::GetHostEntry('').HostName) + $Name | Where-Object { $_ } | ForEach-Object { $_.ToLowerInvariant() } | Select-Object -Unique)
    $kept = @(Get-Own $ours | Where-Object { $_.NotAfter -gt [datetime]::Now.AddDays(30) })
    if ($null -ne $https -and $kept.Count -gt 0 -and (Get-Value $notes 'CertificateNames') -eq ($names -join ',')) { return }
    if (-not $PSCmdlet.ShouldProcess(($names -join ', '), 'make a certificate and an HTTPS listener')) { return }
    $parts = @($names | ForEach-Object { $number = $null; if ([Net.IPAddress]::TryParse($_, [ref]$number)) { "IPAddress=$_" } else { "DNS=$_" } })
    $wanted = @{
        Type = 'Custom'
        Subject = "CN=$env:COMPUTERNAME"
        FriendlyName = 'Ready remoting'
        CertStoreLocation = 'Cert:\LocalMachine\My'
        KeyLength = 3072
        HashAlgorithm = 'SHA256'
        KeyExportPolicy = 'NonExportable'
        KeyUsage = @('DigitalSignature', 'KeyEncipherment')
        NotAfter = [datetime]::Now.AddYears(3)
        # Names, and what it is for: a server.
        TextExtension = @(('2.5.29.17={text}' + ($parts -join '&')), '2.5.29.37={text}1.3.6.1.5.5.7.3.1')
    }
    $made = New-SelfSignedCertificate @wanted
    if ($null -ne $https) { Remove-WSManInstance @listener }
    Remove-Own $ours
    Remove-Note 'Certificate'
    Remove-Note 'CertificateNames'
    Add-Note 'Certificate' $made.Thumbprint
    Add-Note 'CertificateNames' ($names -join ',')
    Add-Note 'Listener' 'made'
    [void](New-WSManInstance @listener -ValueSet @{ CertificateThumbprint = $made.Thumbprint; Hostname = $env:COMPUTERNAME })
    Write-Line ('made a certificate for {0}, good until {1:yyyy-MM-dd}, and the HTTPS listener' -f ($names -join ', '), $made.NotAfter)
}

function Get-Profiles {
    # The firewall profiles in force on the ways to the controller; a wired network's category is changed where asked.
    $found = @()
    foreach ($way in @(Get-Ways $addresses)) {
        if ($way.Category -eq 'Public' -and $MakePrivate) {
            $adapter = Get-NetAdapter -InterfaceIndex $way.Index
            # 14 is 802.3: Wi-Fi, mobile and adapters that say nothing of themselves have another number.
            if ($adapter.HardwareInterface -and [int]$adapter.NdisPhysicalMedium -eq 14 -and $way.Network) {
                if ($PSCmdlet.ShouldProcess("$($way.Network) on $($way.Alias)", 'make this network Private')) {
                    Add-Note "Network $($way.Alias)" $way.Network
                    Set-NetConnectionProfile -InterfaceIndex $way.Index -NetworkCategory Private
                    $way.Category = 'Private'
                    [Console]::WriteLine("ready: the network $($way.Network) on $($way.Alias) is Private")
                }
            }
            else { [Console]::WriteLine("ready: $($way.Alias) is not known to be wired: its network stays Public") }
        }
        if ($way.Category -eq 'Public') { [Console]::WriteLine("ready: the network on $($way.Alias) is Public: the rule holds there, for the controller's address alone") }
        $found += $way.Category -replace '^DomainAuthenticated$', 'Domain'
    }
    return @($found | Sort-Object -Unique)
}

function Get-RuleText {
    # The rule as Windows gives it back, where a network has a mask: noted when made, compared by the next run.
    foreach ($rule in @(Get-NetFirewallRule -Name $ruleName -ErrorAction SilentlyContinue)) {
        $from = @($rule | Get-NetFirewallAddressFilter | ForEach-Object { $_.RemoteAddress } | Sort-Object) -join ','
        '{0}|{1}|{2}|{3}|{4}' -f $rule.Enabled, $rule.Action, $rule.Profile, $from, (@($rule | Get-NetFirewallPortFilter | ForEach-Object { $_.LocalPort }) -join ',')
    }
}

function Set-Rule([string[]]$Profiles, [int]$Port) {
    # One rule, made again when anything about it differs.
    $wanted = '{0}|{1}|{2}' -f ($Profiles -join ','), (($addresses | Sort-Object) -join ','), $Port
    if ((Get-Value $notes 'Rule') -eq $wanted -and (Get-Value $notes 'RuleHeld') -eq (Get-RuleText)) { return }
    if (-not $PSCmdlet.ShouldProcess("TCP port $Port", ('let {0} in, profile {1}' -f ($addresses -join ', '), ($Profiles -join ', ')))) { return }
    Get-NetFirewallRule -Name $ruleName -ErrorAction SilentlyContinue | Remove-NetFirewallRule
    Remove-Note 'Rule'
    Remove-Note 'RuleHeld'
    Add-Note 'Rule' $wanted
    [void](New-NetFirewallRule -Name $ruleName -DisplayName 'PowerShell remoting for Ready (HTTPS)' -Direction Inbound -Action Allow -Protocol TCP -LocalPort $Port -RemoteAddress $addresses -Profile $Profiles)
    Add-Note 'RuleHeld' (Get-RuleText)
    Write-Line ('the firewall lets {0} in on port {1}, profile {2}' -f ($addresses -join ', '), $Port, ($Profiles -join ', '))
}

function Test-One([string]$What, [scriptblock]$Body) {
    # A test returns nothing when all is right, else what is wrong and the next step.
    $wrong = ''
    try { $wrong = (@(& $Body) -join '; ') } catch { $wrong = $_.Exception.Message }
    if ($wrong) { $script:failed += $What }
    Write-Line ('test {0}: {1}' -f $What, $(if ($wrong) { "FAILED: $wrong" } else { 'ok' }))
}

function Test-Tls([int]$Port, [string]$Thumbprint) {
    # From here, by TLS 1.2: the listener shows its own certificate.
    $client = New-Object Net.Sockets.TcpClient('127.0.0.1', $Port)
    try {
        $stream = New-Object Net.Security.SslStream($client.GetStream(), $false, [Net.Security.RemoteCertificateValidationCallback] { $true })
        $stream.AuthenticateAsClient($env:COMPUTERNAME, $null, [Security.Authentication.SslProtocols]::Tls12, $false)
        $shown = (New-Object Security.Cryptography.X509Certificates.X509Certificate2($stream.RemoteCertificate)).Thumbprint
        if ($shown -ne $Thumbprint) { "found the certificate $shown, expected $Thumbprint. Next: Restart-Service WinRM, then this again" }
    }
    finally { $client.Close() }
}

function Test-Firewall([string[]]$Profiles) {
    # Nothing here can come from the controller's address: what Windows says of the rule and of the profile.
    if (@(Get-NetFirewallRule -Name $ruleName -ErrorAction SilentlyContinue).Count -eq 0) { 'found no rule, expected one. Next: this again' }
    foreach ($item in @(Get-NetFirewallProfile -PolicyStore ActiveStore -Name $Profiles)) {
        if ($item.AllowInboundRules.ToString() -eq 'False') { "profile $($item.Name): found every incoming connection blocked, expected rules to count. Next: Set-NetFirewallProfile -Name $($item.Name) -AllowInboundRules True" }
        if ($item.AllowLocalFirewallRules.ToString() -eq 'False') { "profile $($item.Name): found a policy that ignores local rules. Next: the rule in the domain's policy, TCP port $port from $($addresses -join ', ')" }
    }
}

function Test-Rights([string]$Sid) {
    # What a policy may deny: *S-1-5-113 is every local account, *S-1-5-114 those of them that are administrators.
    $us = @("*$Sid", $Account, "*$administrators") + $(if ($Account -notmatch '[\\@]') { @('*S-1-5-113', '*S-1-5-114') } else { @() })
    foreach ($right in @('SeDenyNetworkLogonRight', 'SeDenyBatchLogonRight')) {
        if (Test-Holder $right $us) { "found $Account denied by $right, expected not. Next: take it out there, in secpol.msc or the domain's policy" }
    }
    if (-not (Test-Holder 'SeBatchLogonRight' $us)) { "found no right to log on as a batch job, expected it. Next: this again, or the domain's policy" }
    if (-not (Test-Holder 'SeNetworkLogonRight' @($us + @('*S-1-1-0', '*S-1-5-11', '*S-1-5-32-545')))) { "found no right to log on over the network, expected it. Next: SeNetworkLogonRight in secpol.msc" }
}

function Test-Logon([int]$Port) {
    # As the controller does it; only in the run that made the account, for its password is known here then.
    $credential = New-Object Management.Automation.PSCredential("$env:COMPUTERNAME\$Account", $script:secret)
    $session = New-PSSession -ComputerName $env:COMPUTERNAME -UseSSL -Port $Port -Credential $credential -Authentication Negotiate -SessionOption (New-PSSessionOption -SkipCACheck -SkipCNCheck -SkipRevocationCheck)
    try {
        $elevated = Invoke-Command -Session $session -ScriptBlock {
            (New-Object Security.Principal.WindowsPrincipal([Security.Principal.WindowsIdentity]::GetCurrent())).IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)
        }
        if (-not $elevated) { 'found a session that is not elevated. Next: LocalAccountTokenFilterPolicy, see docs/windows.md' }
    }
    finally { Remove-PSSession -Session $session }
}

$principal = New-Object Security.Principal.WindowsPrincipal([Security.Principal.WindowsIdentity]::GetCurrent())
if (-not $principal.IsInRole([Security.Principal.WindowsBuiltInRole]::Administrator)) { throw 'rights: found none of an administrator. Next: open Windows PowerShell by "Run as administrator"' }
if ($PSVersionTable.PSVersion.Major -ne 5 -or -not [Environment]::Is64BitProcess) { throw "PowerShell: found $($PSVersionTable.PSVersion), expected Windows PowerShell 5.1, 64 bits. Next: C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe" }
$secret = $null
if ($Undo) {
    Undo-All
    exit 0
}
# With powershell -File a list comes as one text.
$addresses = @($Controller | ForEach-Object { $_ -split ',' } | ForEach-Object { $_.Trim() } | Where-Object { $_ })
$Name = @($Name | ForEach-Object { $_ -split ',' } | ForEach-Object { $_.Trim() } | Where-Object { $_ })
$parsed = $null
$bad = @($addresses | Where-Object { $_ -notmatch '[.:]' -or -not [Net.IPAddress]::TryParse(($_ -split '/')[0], [ref]$parsed) -or $_ -match '/0$' -or $_ -in @('0.0.0.0', '::') })
if ($addresses.Count -eq 0 -or $bad.Count -gt 0) { throw "Controller: found $(if ($bad.Count) { $bad -join ', ' } else { 'none' }), expected the controller's address. Next: -Controller 192.168.1.10" }
$system = Get-CimInstance Win32_OperatingSystem
if ($null -ne $system -and $system.ProductType -eq 2) { throw 'Windows: found a domain controller, which has no local accounts, expected another host. Next: choose another host' }
if ((Get-Value "$hklm\SOFTWARE\Policies\Microsoft\Windows\WinRM\Service" 'AllowAutoConfig') -eq 0) { throw 'WinRM: found a policy that allows no listener (AllowAutoConfig=0), expected none. Next: ask who keeps the policies of this PC' }

Set-Account
Enable-Service
$service = Get-Service -Name WinRM -ErrorAction SilentlyContinue
if (-not $WhatIfPreference -or ($null -ne $service -and $service.Status.ToString() -eq 'Running')) { Set-Listener }
$https = Get-Listener 'HTTPS'
$port = 5986
if ($null -ne $https) { $port = [int]$https.GetValue('Port', 5986) }
$profiles = @(Get-Profiles)
Set-Rule $profiles $port
if ($WhatIfPreference) { exit 0 }

$thumbprint = [string](Get-Listener 'HTTPS').GetValue('certThumbprint', '')
Test-One "TLS on port $port" { Test-Tls $port $thumbprint }
Test-One 'firewall' { Test-Firewall $profiles }
Test-One "rights of $Account" { Test-Rights (Find-Sid $Account) }
if ($null -ne $secret) { Test-One "logon as $Account" { Test-Logon $port } }
else { Write-Line "test logon as ${Account}: not here, for the account was there and its password is not asked for" }
if ((Get-Value "$hklm\SOFTWARE\Microsoft\Windows\CurrentVersion\WSMAN\Service" 'auth_basic') -eq 1) { Write-Line 'note: somebody switched Basic logon on; Ready does not need it' }

foreach ($shown in @(Get-Own $thumbprint)) {
    $text = [Convert]::ToBase64String($shown.RawData, [Base64FormattingOptions]::InsertLineBreaks) -replace "`r", ''
    [IO.File]::WriteAllText($Out, "-----BEGIN CERTIFICATE-----`n$text`n-----END CERTIFICATE-----`n")
    Write-Line "the certificate is in $Out. On the controller: append it to windows-ca.pem beside hosts.yml, then ./ready windows ping"
}
if ($failed.Count -gt 0) {
    Write-Line ('FAILED: {0}' -f ($failed -join ', '))
    exit 1
}
Write-Line 'every test passes'
exit 0
