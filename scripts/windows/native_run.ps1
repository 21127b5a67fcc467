# ready: native_run v1
<#
Runs wsl.exe, of the WSL package alone, or Docker's command line, with its standard input closed or given, and ends it
when it does not answer: over WinRM both may wait for ever.

Parameters
  Program      wsl or docker
  Arguments    its arguments; a double quote or a line break in one is refused
  Stdin        base64 of what it reads; "" for nothing
  Timeout      seconds

Result: one JSON object
  rc           exit code; null when it was ended
  timed_out    whether it was
  stdout       base64 of the bytes; texts of wsl.exe may be UTF-16 and are in the user's language
  stderr       the same
  missing      the file that should have been there, or null
  program      wsl.exe or docker.exe
#>
[CmdletBinding()]
param(
    [string]$Program = 'wsl',
    [string[]]$Arguments = @(),
    [string]$Stdin = '',
    [int]$Timeout = 60
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
if ($Program -eq 'docker') {
    $file = Join-Path $env:ProgramFiles 'Docker\Docker\resources\bin\docker.exe'
}
else {
    # System32's wsl.exe cannot run the Store's package outside of a desktop session, so it is never called.
    $key = 'Registry::HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Lxss\Msi'
    $folder = Join-Path $env:ProgramFiles 'WSL'
    if (Test-Path -LiteralPath $key) { $folder = [string](Get-Item -LiteralPath $key).GetValue('InstallLocation', $folder) }
    $file = Join-Path $folder 'wsl.exe'
}
$result = [ordered]@{ rc = $null; timed_out = $false; stdout = ''; stderr = ''; missing = $null; program = [IO.Path]::GetFileName($file) }
if (-not (Test-Path -LiteralPath $file)) {
    $result.missing = $file
    return ($result | ConvertTo-Json -Compress)
}
$quoted = @($Arguments | ForEach-Object {
        if ($_ -match '["\r\n]' -or $_.EndsWith('\')) { throw 'an argument holds a double quote or a line break, or ends with a backslash' }
        if ($_ -match '[\s|]' -or $_ -eq '') { '"{0}"' -f $_ } else { $_ }
    })
$info = New-Object Diagnostics.ProcessStartInfo
$info.FileName = $file
$info.Arguments = $quoted -join ' '
$info.UseShellExecute = $false
$info.CreateNoWindow = $true
$info.RedirectStandardInput = $true
$info.RedirectStandardOutput = $true
$info.RedirectStandardError = $true
$info.EnvironmentVariables['WSL_UTF8'] = '1'
$info.EnvironmentVariables['WSL_DISABLE_WARNINGS'] = '1'
$clock = [Diagnostics.Stopwatch]::StartNew()
$process = [Diagnostics.Process]::Start($info)
$out = New-Object IO.MemoryStream
$err = New-Object IO.MemoryStream
$copyOut = $process.StandardOutput.BaseStream.CopyToAsync($out)
$copyErr = $process.StandardError.BaseStream.CopyToAsync($err)
if ($Stdin) {
    $bytes = [Convert]::FromBase64String($Stdin)
    # Not waited for longer than for the program: one that does not read would hold it for ever.
    try { $result.timed_out = -not $process.StandardInput.BaseStream.WriteAsync($bytes, 0, $bytes.Length).Wait($Timeout * 1000) }
    catch { Write-Verbose 'it ended without reading all of its input' }
}
if (-not $result.timed_out) {
    try { $process.StandardInput.Close() }
    catch [IO.IOException] { Write-Verbose 'it ended without reading all of its input' }
    $left = [Math]::Max(0, $Timeout * 1000 - [int]$clock.ElapsedMilliseconds)
    $result.timed_out = -not $process.WaitForExit($left)
}
if ($result.timed_out) { try { $process.Kill() } catch { [void]$_ } } else { $result.rc = $process.ExitCode }
[void][Threading.Tasks.Task]::WaitAll(@($copyOut, $copyErr), 5000)
$result.stdout = [Convert]::ToBase64String($out.ToArray())
$result.stderr = [Convert]::ToBase64String($err.ToArray())
$result | ConvertTo-Json -Compress
