# Proxies and certificates of a Windows host: functions of windows_state.ps1, which dot-sources this file.

function Read-Surroundings([string[]]$CaThumbprints) {
    $settings = 'Software\Microsoft\Windows\CurrentVersion\Internet Settings'
    $internet = "Registry::HKEY_CURRENT_USER\$settings"
    # A policy may make the machine's settings count for everybody (ProxySettingsPerUser = 0).
    $machine = $null
    $shared = Get-Value "$hklm\SOFTWARE\Policies\Microsoft\Windows\CurrentVersion\Internet Settings" 'ProxySettingsPerUser'
    if ($null -ne $shared -and [int]$shared -eq 0) {
        $machine = @{
            enabled = ([int](Get-Value "$hklm\$settings" 'ProxyEnable') -eq 1)
            server = [string](Get-Value "$hklm\$settings" 'ProxyServer')
            bypass = [string](Get-Value "$hklm\$settings" 'ProxyOverride')
            script = [string](Get-Value "$hklm\$settings" 'AutoConfigURL')
        }
    }
    $services = Get-Value "$hklm\$settings\Connections" 'WinHttpSettings'
    if ($null -ne $services) { $services = [Convert]::ToBase64String([byte[]]$services) }
    # Accounts that are logged on and have a proxy: the connecting one has settings of its own.
    $others = @()
    foreach ($hive in @(Get-ChildItem -LiteralPath 'Registry::HKEY_USERS' -ErrorAction SilentlyContinue)) {
        $sid = $hive.PSChildName
        if ($sid -notmatch '^S-1-(5-21|12-1)-[\d-]+$' -or $sid -eq $mySid) { continue }
        $server = ''
        if ([int](Get-Value "Registry::HKEY_USERS\$sid\$settings" 'ProxyEnable') -eq 1) {
            $server = [string](Get-Value "Registry::HKEY_USERS\$sid\$settings" 'ProxyServer')
        }
        $script = [string](Get-Value "Registry::HKEY_USERS\$sid\$settings" 'AutoConfigURL')
        if (-not $server -and -not $script) { continue }
        $owner = $sid
        try { $owner = (New-Object Security.Principal.SecurityIdentifier($sid)).Translate([Security.Principal.NTAccount]).Value }
        catch { $owner = $sid }
        $others += @{ owner = $owner; server = $server; script = $script }
    }
    $certificates = @(Get-ChildItem -LiteralPath Cert:\LocalMachine\Root | Where-Object { $CaThumbprints -contains $_.Thumbprint } |
            ForEach-Object {
                @{
                    thumbprint = $_.Thumbprint
                    subject = $_.Subject
                    not_after = Get-Utc $_.NotAfter
                    der = [Convert]::ToBase64String($_.RawData)
                }
            })
    @{
        proxy_enabled = ([int](Get-Value $internet 'ProxyEnable') -eq 1)
        proxy_server = [string](Get-Value $internet 'ProxyServer')
        proxy_bypass = [string](Get-Value $internet 'ProxyOverride')
        proxy_script = [string](Get-Value $internet 'AutoConfigURL')
        proxy_machine = $machine
        proxy_winhttp = $services
        proxy_others = $others
        certificates = $certificates
    }
}
