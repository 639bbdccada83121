# PowerShell completion for cometresp: dot-source it from your profile
Register-ArgumentCompleter -Native -CommandName cometresp -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $line = $commandAst.ToString().PadRight($cursorPosition).Substring(0, $cursorPosition)
    $env:_COMETRESP_COMPLETE = 'powershell'
    $env:_COMETRESP_LINE = $line
    try {
        cometresp 2>$null | Select-Object -Skip 1 | ForEach-Object {
            $value, $help = $_ -split "`t", 2
            if (-not $help) { $help = $value }
            [System.Management.Automation.CompletionResult]::new($value, $value, 'ParameterValue', $help)
        }
    } finally {
        Remove-Item Env:_COMETRESP_COMPLETE, Env:_COMETRESP_LINE
    }
}
