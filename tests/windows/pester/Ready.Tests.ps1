<#
Runs Ready's scripts on this PC and compares what they say with recorded.json, which is what Ready's tests take Windows to say.
An `It` that fails is an assumption that does not hold here; its first word is the row in docs/windows-assumptions.md.
For Pester 3.4, which is part of Windows. Started by run.ps1, with its parameters.
#>
param(
    [string]$Distribution = '',
    [switch]$Change
)
$here = Split-Path -Parent $MyInvocation.MyCommand.Path
$scripts = Join-Path $here '..\..\..\scripts\windows'
$recorded = ConvertFrom-Json -InputObject ([IO.File]::ReadAllText((Join-Path $here 'recorded.json')))
$insideScript = [IO.File]::ReadAllText((Join-Path $scripts '..\linux\distro_state.sh')) -replace "`r", ''
$wslExe = Join-Path $env:ProgramFiles 'WSL\wsl.exe'
$noPackage = -not (Test-Path -LiteralPath $wslExe)
$noDistro = $noPackage -or -not $Distribution

function Assert-That([bool]$Holds, [string]$Message) {
    # Pester's own words differ between its versions; an exception is a failure in each.
    if (-not $Holds) { throw $Message }
}

function Assert-Same($Found, $Expected, [string]$What) {
    Assert-That ($Found -ceq $Expected) ('{0}: found {1}, expected {2}' -f $What, $Found, $Expected)
}

function Invoke-Ready([string]$Name, $Parameters, $Lines) {
    # As win_powershell and wsl_psrp send it: the text, its parameters beside it, input by the pipeline.
    $shell = [PowerShell]::Create()
    try {
        $text = [IO.File]::ReadAllText((Join-Path $scripts "$Name.ps1"))
        foreach ($line in [regex]::Matches($text, '(?m)^\. "\$PSScriptRoot\\(functions\\\w+\.ps1)"')) {
            $text = $text.Replace($line.Value, [IO.File]::ReadAllText((Join-Path $scripts $line.Groups[1].Value)))
        }
        [void]$shell.AddScript($text, $true).AddParameters($Parameters)
        $said = @($shell.Invoke([object[]]@($Lines)))
        foreach ($problem in $shell.Streams.Error) { throw ('{0}: {1}' -f $Name, $problem) }
        return $said
    }
    finally { $shell.Dispose() }
}

function Get-Result([string]$Name, $Parameters) {
    $said = @(Invoke-Ready $Name $Parameters @())
    Assert-Same $said.Length 1 "$Name, how many things it wrote"
    return ConvertFrom-Json -InputObject ([string]$said[0])
}

function Get-Bytes([string]$Text) { return , [Text.Encoding]::UTF8.GetBytes($Text) }

function Get-Text([string]$Base64) { return [Text.Encoding]::UTF8.GetString([Convert]::FromBase64String($Base64)) }

function Invoke-Distro([string]$Command, $More, $Lines) {
    # wsl_exec: what it wrote in pieces and at its end, put together.
    $parameters = @{ Wsl = $wslExe; Distro = $Distribution; User = 'root'; Timeout = 60; Command = [Convert]::ToBase64String((Get-Bytes $Command)) }
    foreach ($key in $More.Keys) { $parameters[$key] = $More[$key] }
    $out = New-Object IO.MemoryStream
    $end = $null
    foreach ($record in @(Invoke-Ready 'wsl_exec' $parameters $Lines)) {
        $text = [string]$record
        if ($text.StartsWith('X', [StringComparison]::Ordinal)) { $end = ConvertFrom-Json -InputObject $text.Substring(1); continue }
        if (-not $text.StartsWith('O', [StringComparison]::Ordinal)) { continue }
        $bytes = [Convert]::FromBase64String($text.Substring(1))
        $out.Write($bytes, 0, $bytes.Length)
    }
    Assert-That ($null -ne $end) 'wsl_exec wrote no end'
    $bytes = [Convert]::FromBase64String($end.out)
    $out.Write($bytes, 0, $bytes.Length)
    return @{ rc = $end.rc; why = $end.why; out = $out.ToArray(); text = (Get-Text $end.out) + (Get-Text $end.err) }
}

function Get-Kind($Value) {
    if ($null -eq $Value) { return 'nothing' }
    if ($Value -is [array]) { return 'a list' }
    if ($Value -is [bool]) { return 'true or false' }
    if ($Value -is [string]) { return 'text' }
    if ($Value -is [ValueType]) { return 'a number' }
    return 'an object'
}

function Compare-Shape($Expected, $Found, [string]$Path) {
    # Writes what differs: keys that are missing or new, and values of another kind. What is null on one side says nothing.
    $want = Get-Kind $Expected
    $have = Get-Kind $Found
    if ($want -eq 'nothing' -or $have -eq 'nothing') { return }
    if ($want -ne $have) { return ('{0}: found {1}, expected {2}' -f $Path, $have, $want) }
    if ($want -eq 'a list') {
        $pattern = @($Expected | Select-Object -First 1)
        if ($pattern.Length -eq 0) { return }
        foreach ($item in $Found) { Compare-Shape $pattern[0] $item ('{0}[]' -f $Path) }
    }
    elseif ($want -eq 'an object') {
        $wanted = @($Expected.PSObject.Properties | ForEach-Object { $_.Name })
        $there = @($Found.PSObject.Properties | ForEach-Object { $_.Name })
        foreach ($name in $wanted) {
            if ($there -cnotcontains $name) { '{0}.{1}: found none, expected one' -f $Path, $name }
            else { Compare-Shape $Expected.$name $Found.$name ('{0}.{1}' -f $Path, $name) }
        }
        foreach ($name in $there) {
            if ($wanted -cnotcontains $name) { '{0}.{1}: found one, expected none' -f $Path, $name }
        }
    }
}

function Get-At($Value, [string]$Path) {
    # Writes every value at a place such as network.rules[].action.
    $first, $rest = $Path -split '\.', 2
    $list = $first.EndsWith('[]')
    $name = $first -replace '\[\]$', ''
    if ($null -eq $Value -or $null -eq $Value.PSObject.Properties[$name]) { return }
    foreach ($item in @($Value.$name)) {
        if ($null -eq $item) { continue }
        if ($rest) { Get-At $item $rest }
        elseif (-not $list -or $item -isnot [array]) { $item }
    }
}

function Assert-Nothing($Problems) {
    $text = @($Problems | ForEach-Object { [string]$_ }) -join "`n"
    Assert-That (-not $text) $text
}

$asked = @{ Distribution = $Distribution; Inside = 'never'; InsideScript = ''; Location = 'C:\' }
if ($Distribution) {
    $asked.Inside = 'start'
    $asked.InsideScript = [Convert]::ToBase64String((Get-Bytes $insideScript))
}
$state = Get-Result 'windows_state' $asked

Describe 'windows_state' {
    It 'state-faults: every part can be read' {
        Assert-Nothing @($state.faults | ForEach-Object { '{0}: {1}' -f $_.part, $_.message })
    }
    It 'state-shape: the same keys, and values of the same kinds' {
        Assert-Nothing @(Compare-Shape $recorded.state $state 'state')
    }
    It 'state-arrays: a list stays one with one thing or nothing in it' {
        foreach ($place in $recorded.arrays) {
            $parent = $state
            $words = @($place -split '\.')
            if ($words.Length -gt 1) { $parent = $state.($words[0]) }
            if ($null -eq $parent) { continue }
            $name = $words[$words.Length - 1]
            Assert-Same (Get-Kind $parent.$name) 'a list' $place
        }
    }
    It 'state-words: Windows says what it says by the words that are known' {
        foreach ($place in $recorded.words.PSObject.Properties) {
            foreach ($word in @(Get-At $state $place.Name)) {
                Assert-That ($place.Value -ccontains $word) ('{0}: found {1}, expected one of {2}' -f $place.Name, $word, ($place.Value -join ', '))
            }
        }
    }
    It 'state-feature: a feature that Windows does not know gives nothing, and no error' {
        $other = Get-Result 'windows_state' @{ Inside = 'never'; Features = @('Ready-No-Such-Feature') }
        Assert-Same (Get-Kind $other.features.'Ready-No-Such-Feature') 'nothing' 'its state'
        Assert-Nothing @($other.faults | Where-Object { $_.part -eq 'features' } | ForEach-Object { $_.message })
    }
    It 'state-time: times are UTC' {
        $style = [Globalization.DateTimeStyles]::AdjustToUniversal
        $said = [datetime]::Parse($state.os.time, [Globalization.CultureInfo]::InvariantCulture, $style)
        Assert-That ([Math]::Abs(([datetime]::UtcNow - $said).TotalMinutes) -lt 10) ('found {0}' -f $state.os.time)
    }
}

Describe 'log_tail and latency' {
    It 'log-none: a log that is not there gives an empty list' {
        $found = Get-Result 'log_tail' @{ Path = $recorded.log_tail.path; Lines = 20 }
        Assert-Same $found.path $recorded.log_tail.path 'path'
        Assert-Same (Get-Kind $found.lines) 'a list' 'lines'
        Assert-Same (@($found.lines).Length) 0 'lines'
    }
    It 'latency-closed: a closed port is an error in words, and a list of one target stays a list' {
        $found = Get-Result 'latency' @{ Targets = @('closed|1|tcp'); Samples = 2; Timeout = 4000 }
        Assert-Same (Get-Kind $found.targets) 'a list' 'targets'
        Assert-Same (Get-Kind $found.targets[0].error) 'text' 'error'
        Assert-Same (Get-Kind $found.targets[0].connect_ms) 'a list' 'connect_ms'
    }
}

Describe 'wsl.exe' {
    It 'wsl-missing: without the package native_run names the file' -Skip:(-not $noPackage) {
        $found = Get-Result 'native_run' @{ Program = 'wsl'; Arguments = @('--version') }
        Assert-That ($found.missing -like '*wsl.exe') ('missing: found {0}' -f $found.missing)
    }
    It 'wsl-utf8: what it prints is UTF-8 when WSL_UTF8 is set' -Skip:$noPackage {
        $found = Get-Result 'native_run' @{ Program = 'wsl'; Arguments = @('--version') }
        Assert-Same $found.rc 0 'exit code'
        $text = Get-Text $found.stdout
        Assert-That (-not $text.Contains([string][char]0)) 'found NULs, expected none'
        Assert-That ($text -match '\d+\.\d+\.\d+') ('found {0}, expected a version' -f $text)
    }
    It 'wsl-error: a failure of its own is -1 with a code that no language changes' -Skip:$noPackage {
        $found = Get-Result 'native_run' @{ Program = 'wsl'; Arguments = @('-d', $recorded.no_distro.name, '--exec', '/bin/true') }
        $text = (Get-Text $found.stdout) + (Get-Text $found.stderr)
        Assert-Same $found.rc $recorded.no_distro.rc 'exit code'
        Assert-That ($text.Contains($recorded.no_distro.code)) ('found {0}, expected {1} in it' -f $text, $recorded.no_distro.code)
    }
    It 'wsl-error-stream: it writes its errors where the simulator does' -Skip:$noPackage {
        $found = Get-Result 'native_run' @{ Program = 'wsl'; Arguments = @('-d', $recorded.no_distro.name, '--exec', '/bin/true') }
        $stream = 'stderr'
        if ((Get-Text $found.stdout).Contains('WSL_E_')) { $stream = 'stdout' }
        Assert-Same $stream $recorded.errors_on 'the stream'
    }
    It 'exec-start: a wsl.exe that is not there is said by wsl_exec, not thrown' {
        $found = Invoke-Distro 'true' @{ Wsl = 'C:\ready-no-such\wsl.exe'; Distro = 'none' } @()
        Assert-Same $found.why 'start' 'why'
        Assert-Same $found.rc -1 'rc'
    }
}

Describe 'the distro' {
    It 'exec-bytes: all bytes pass both ways, as a parameter' -Skip:$noDistro {
        $bytes = [byte[]](0..255)
        $found = Invoke-Distro 'cat' @{ Stdin = [Convert]::ToBase64String($bytes) } @()
        Assert-Same ([Convert]::ToBase64String($found.out)) ([Convert]::ToBase64String($bytes)) 'what came back'
    }
    It 'exec-lines: input comes through the pipeline, in pieces' -Skip:$noDistro {
        $lines = @(1..50 | ForEach-Object { [Convert]::ToBase64String((Get-Bytes "line $_`n")) })
        $found = Invoke-Distro 'sort -u | wc -l' @{ Stdin = '' } $lines
        Assert-Same ([Text.Encoding]::ASCII.GetString($found.out).Trim()) '50' 'lines that arrived'
    }
    It 'exec-code: the exit code of the Linux command comes back' -Skip:$noDistro {
        Assert-Same (Invoke-Distro 'exit 7' @{ Stdin = '' } @()).rc 7 'rc'
    }
    It 'exec-user: a Linux user that is not there is an error of wsl.exe' -Skip:$noDistro {
        $found = Invoke-Distro 'true' @{ User = 'ready-no-such-user' } @()
        Assert-Same $found.rc $recorded.no_user.rc 'rc'
        Assert-That ($found.text.Contains($recorded.no_user.code)) ('found {0}' -f $found.text)
    }
    It 'exec-close: a command that writes much after its input has ended is not cut off' -Skip:$noDistro {
        $found = Invoke-Distro 'cat > /dev/null; head -c 3000000 /dev/zero' @{ Stdin = 'YQ==' } @()
        Assert-Same $found.why 'exit' 'why'
        Assert-Same $found.out.Length 3000000 'bytes'
    }
    It 'exec-blocked: a command that writes before it reads does not wait for ever' -Skip:$noDistro {
        $lines = @(1..20 | ForEach-Object { [Convert]::ToBase64String((New-Object byte[] 100000)) })
        $found = Invoke-Distro 'head -c 3000000 /dev/zero; cat | wc -c' @{ Stdin = '' } $lines
        Assert-Same $found.why 'exit' 'why'
        Assert-That ([Text.Encoding]::ASCII.GetString($found.out).EndsWith("2000000`n")) 'found less than 2000000 bytes read'
    }
    It 'exec-boot: a restart of the distro gives another first process, and the kernel stays' -Skip:($noDistro -or -not $Change) {
        $ask = 'cat /proc/sys/kernel/random/boot_id && sed "s/.*) //" /proc/1/stat | cut -d" " -f20'
        $before = @([Text.Encoding]::ASCII.GetString((Invoke-Distro $ask @{ Stdin = '' } @()).out) -split "`n")
        [void](Get-Result 'native_run' @{ Program = 'wsl'; Arguments = @('--terminate', $Distribution) })
        $after = @([Text.Encoding]::ASCII.GetString((Invoke-Distro $ask @{ Stdin = '' } @()).out) -split "`n")
        Assert-Same $after[0] $before[0] 'boot id of the kernel'
        Assert-That ($after[1] -cne $before[1]) ('found the start {0} twice, expected another' -f $after[1])
    }
    It 'exec-kill: the Linux process of a wsl.exe that was killed still runs' -Skip:$noDistro {
        $found = Invoke-Distro 'exec sleep 4711' @{ Timeout = 3 } @()
        Assert-Same $found.why 'timeout' 'why'
        $left = [Text.Encoding]::ASCII.GetString((Invoke-Distro 'pgrep -x -f "sleep 4711"; pkill -x -f "sleep 4711"; true' @{ Stdin = '' } @()).out).Trim()
        $after = 'runs'
        if (-not $left) { $after = 'ended' }
        Assert-Same $after $recorded.after_kill 'it'
    }
}

Describe 'the Hyper-V firewall' {
    $none = $null -eq (Get-Command -Name New-NetFirewallHyperVRule -ErrorAction SilentlyContinue)
    It 'hyperv-rule: a rule is made, read back with the same fields, and removed' -Skip:($none -or -not $Change) {
        $name = $recorded.hyperv_rule.made[0]
        try {
            $made = Get-Result 'hyperv_rules' @{ Make = @($recorded.hyperv_rule.asked) }
            Assert-Same ($made.made -join ',') $name 'made'
            $now = Get-Result 'windows_state' @{ Inside = 'never' }
            $rules = @($now.network.hyperv_rules | Where-Object { $_.name -eq $name })
            Assert-Same $rules.Length 1 'rules of that name'
            foreach ($field in $recorded.hyperv_rule.state.PSObject.Properties) {
                Assert-Same ($rules[0].($field.Name) -join ',') ($field.Value -join ',') $field.Name
            }
        }
        finally { [void](Get-Result 'hyperv_rules' @{ Remove = @($name) }) }
    }
}
