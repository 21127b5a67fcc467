# ready: latency v1
# reads only
<#
Measures what the way from Windows to a service costs: a TCP connect, and a round trip that the service's protocol
answers without a login. 127.0.0.1 and never localhost, which tries ::1 first.

Parameters
  Targets    name|port|protocol, protocol one of tcp, http, redis, postgresql, bolt
  Samples    measurements of each, after five that are not counted
  Timeout    milliseconds that one may take

Result: one JSON object
  frequency    ticks per second of the clock that was used
  targets      name, port, protocol, connect_ms and round_trip_ms as lists in order, error or null
#>
[CmdletBinding()]
param(
    [string[]]$Targets = @(),
    [int]$Samples = 50,
    [int]$Timeout = 2000
)
Set-StrictMode -Version 2
$ErrorActionPreference = 'Stop'
$warmUp = 5

function Get-Question([string]$Protocol) {
    # The smallest thing that each server answers to a client that it does not know yet.
    switch ($Protocol) {
        'http' { return , [Text.Encoding]::ASCII.GetBytes("GET / HTTP/1.1`r`nHost: 127.0.0.1`r`nConnection: close`r`n`r`n") }
        'redis' { return , [Text.Encoding]::ASCII.GetBytes("PING`r`n") }
        # SSLRequest, answered by one byte: S or N.
        'postgresql' { return , [byte[]](0, 0, 0, 8, 4, 210, 22, 47) }
        # Bolt's magic and four versions, answered by the version chosen.
        'bolt' { return , [byte[]](0x60, 0x60, 0xB0, 0x17, 0, 4, 4, 5, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0) }
        default { return $null }
    }
}

$results = @()
foreach ($target in $Targets) {
    $words = @($target -split '\|')
    $question = Get-Question $words[2]
    $connects = @()
    $trips = @()
    $problem = $null
    for ($i = 0; $i -lt $Samples + $warmUp; $i++) {
        $client = New-Object Net.Sockets.TcpClient
        $client.NoDelay = $true
        $client.ReceiveTimeout = $Timeout
        try {
            $clock = [Diagnostics.Stopwatch]::StartNew()
            $waiting = $client.BeginConnect([Net.IPAddress]::Loopback, [int]$words[1], $null, $null)
            if (-not $waiting.AsyncWaitHandle.WaitOne($Timeout)) { throw 'no connection within the time' }
            $client.EndConnect($waiting)
            $connected = $clock.Elapsed.TotalMilliseconds
            if ($null -ne $question) {
                $stream = $client.GetStream()
                $clock.Restart()
                $stream.Write($question, 0, $question.Length)
                $answer = $stream.ReadByte()
                $answered = $clock.Elapsed.TotalMilliseconds
                if ($answer -lt 0) { throw 'the connection was closed without an answer' }
                if ($i -ge $warmUp) { $trips += [Math]::Round($answered, 4) }
            }
            if ($i -ge $warmUp) { $connects += [Math]::Round($connected, 4) }
        }
        catch {
            $problem = $_.Exception.GetBaseException().Message
            break
        }
        finally { $client.Close() }
    }
    $results += @{
        name = $words[0]
        port = [int]$words[1]
        protocol = $words[2]
        connect_ms = $connects
        round_trip_ms = $trips
        error = $problem
    }
}
[ordered]@{
    frequency = [Diagnostics.Stopwatch]::Frequency
    targets = @($results)
} | ConvertTo-Json -Depth 5 -Compress
