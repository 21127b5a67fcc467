# ready: wsl_exec v1
<#
Runs one command in a WSL distro and relays its standard streams, binary-safe.
wsl.exe gets fixed arguments and two validated words, so nothing has to be quoted: the command itself is the first line
of what the Linux shell reads, and standard input follows it. So it has no length limit, and no process list and no
audit log of Windows shows it. Standard input is first Stdin, then the pipeline's input.
Nothing blocks on one stream while another has data, so a command cannot hang on a full pipe.

Parameters
  Wsl       full path of wsl.exe; the one in System32 does not work in a remote session
  Distro    name of the distro
  User      Linux user
  Command   what /bin/sh is to run, base64
  Stdin     standard input that is small enough to come with the call, base64
  Timeout   seconds after which wsl.exe is killed; 0 is no limit
  Line      a piece of standard input, base64, from the pipeline

Result: strings. While it runs, when much was written, 'O<base64>' and 'E<base64>' for standard output and error; at the
end 'X' and one JSON object
  rc        exit code of wsl.exe; -1 is its own failure
  why       exit, timeout, or start when wsl.exe could not be started
  out, err  what is left of both streams, base64
  msg       why it could not be started
#>
[CmdletBinding()]
param(
    [Parameter(Mandatory)][string]$Wsl,
    [Parameter(Mandatory)][ValidatePattern('^[A-Za-z0-9][A-Za-z0-9._-]*$')][string]$Distro,
    [Parameter(Mandatory)][ValidatePattern('^[A-Za-z_][A-Za-z0-9_.-]*\$?$')][string]$User,
    [Parameter(Mandatory)][ValidatePattern('^[A-Za-z0-9+/=]+$')][string]$Command,
    [string]$Stdin = '',
    [int]$Timeout = 0,
    [Parameter(ValueFromPipeline)][AllowEmptyString()][string]$Line
)
begin {
    Set-StrictMode -Version 2
    $ErrorActionPreference = 'Stop'

    function Send-End([int]$Rc, [string]$Why, [string]$Msg, [string]$Out, [string]$Err) {
        'X' + (ConvertTo-Json -Compress -InputObject @{ rc = $Rc; why = $Why; msg = $Msg; out = $Out; err = $Err })
    }
    # Each stream has one read under way. What has arrived stays in the buffer until that is full: 196605 bytes are
    # 262140 characters, which fit in one envelope.
    function New-Reader([string]$Tag, $Stream) {
        $buffer = New-Object byte[] 196605
        @{ Tag = $Tag; Stream = $Stream; Buffer = $buffer; Filled = 0; Eof = $false; Task = $Stream.ReadAsync($buffer, 0, $buffer.Length) }
    }
    function Read-Ready($Reader) {
        while (-not $Reader.Eof -and $Reader.Task.IsCompleted) {
            $got = $Reader.Task.Result
            if ($got -eq 0) { $Reader.Eof = $true; break }
            $Reader.Filled += $got
            if ($Reader.Filled -eq $Reader.Buffer.Length) {
                $Reader.Tag + [Convert]::ToBase64String($Reader.Buffer, 0, $Reader.Filled)
                $Reader.Filled = 0
            }
            $Reader.Task = $Reader.Stream.ReadAsync($Reader.Buffer, $Reader.Filled, $Reader.Buffer.Length - $Reader.Filled)
        }
    }
    function Write-Stdin([byte[]]$Bytes) {
        if ($script:Broken -or $Bytes.Length -eq 0) { return }
        try {
            $task = $script:Process.StandardInput.BaseStream.WriteAsync($Bytes, 0, $Bytes.Length)
            while (-not $task.Wait(10)) {
                Read-Ready $script:Out
                Read-Ready $script:Err
                if ($Timeout -gt 0 -and $script:Clock.Elapsed.TotalSeconds -gt $Timeout) { $script:Broken = $true; return }
            }
        }
        catch { $script:Broken = $true }        # the command closed its input: its exit code says the rest
    }

    $script:Process = $null
    $script:Broken = $false
    $script:Out = $null
    $script:Err = $null
    $script:Clock = [Diagnostics.Stopwatch]::StartNew()
    if (-not [IO.File]::Exists($Wsl)) { Send-End -1 'start' "there is no $Wsl" '' ''; return }
    $info = New-Object Diagnostics.ProcessStartInfo
    $info.FileName = $Wsl
    $info.Arguments = '-d {0} -u {1} --cd / --exec /bin/sh -c "set -f;IFS=;read -r c;eval $(echo $c|base64 -d)"' -f $Distro, $User
    $info.UseShellExecute = $false
    $info.CreateNoWindow = $true
    $info.RedirectStandardInput = $true
    $info.RedirectStandardOutput = $true
    $info.RedirectStandardError = $true
    $info.EnvironmentVariables['WSL_UTF8'] = '1'
    $info.EnvironmentVariables['WSL_DISABLE_WARNINGS'] = '1'
    try { $script:Process = [Diagnostics.Process]::Start($info) }
    catch { Send-End -1 'start' $_.Exception.Message '' ''; return }
    $script:Out = New-Reader 'O' $script:Process.StandardOutput.BaseStream
    $script:Err = New-Reader 'E' $script:Process.StandardError.BaseStream
    Write-Stdin ([Text.Encoding]::ASCII.GetBytes($Command + "`n"))
    if ($Stdin) { Write-Stdin ([Convert]::FromBase64String($Stdin)) }
}
process {
    if ($null -ne $script:Process -and $Line) {
        Write-Stdin ([Convert]::FromBase64String($Line))
        Read-Ready $script:Out
        Read-Ready $script:Err
    }
}
end {
    if ($null -eq $script:Process) { return }
    # What is still in the stream's buffer is written when it is closed, and that waits for a command which waits for its
    # output to be read: so .NET closes it in a thread of its own, while both streams are read below.
    $stream = $script:Process.StandardInput.BaseStream
    [void][Threading.Tasks.Task]::Run([Action][Delegate]::CreateDelegate([Action], $stream, 'Close'))
    $why = 'exit'
    while (-not ($script:Out.Eof -and $script:Err.Eof)) {
        $tasks = @(@($script:Out, $script:Err) | Where-Object { -not $_.Eof } | ForEach-Object { $_.Task })
        [void][Threading.Tasks.Task]::WaitAny([Threading.Tasks.Task[]]$tasks, 500)
        Read-Ready $script:Out
        Read-Ready $script:Err
        if ($Timeout -gt 0 -and $script:Clock.Elapsed.TotalSeconds -gt $Timeout) {
            $why = 'timeout'
            try { $script:Process.Kill() }
            catch { $script:Broken = $true }    # it has just ended by itself
            break
        }
    }
    [void]$script:Process.WaitForExit(5000)
    $code = -1
    if ($why -eq 'exit') { $code = $script:Process.ExitCode }
    $out = [Convert]::ToBase64String($script:Out.Buffer, 0, $script:Out.Filled)
    $err = [Convert]::ToBase64String($script:Err.Buffer, 0, $script:Err.Filled)
    Send-End $code $why '' $out $err
}
