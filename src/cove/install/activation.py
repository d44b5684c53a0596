"""The scripts that put an environment first on ``PATH`` of a shell. Paths and prompts are quoted for each shell: both may
hold anything a folder's name may hold."""

import shlex

_SH = """\
# Use it with ". bin/activate" from sh, bash, ksh or zsh; `deactivate` undoes it.
deactivate () {
    if [ "${_COVE_OLD_PATH+set}" = set ]; then
        PATH="$_COVE_OLD_PATH"
        export PATH
        unset _COVE_OLD_PATH
    fi
    if [ "${_COVE_OLD_PYTHONHOME+set}" = set ]; then
        PYTHONHOME="$_COVE_OLD_PYTHONHOME"
        export PYTHONHOME
        unset _COVE_OLD_PYTHONHOME
    fi
    if [ "${_COVE_OLD_PS1+set}" = set ]; then
        PS1="$_COVE_OLD_PS1"
        export PS1
        unset _COVE_OLD_PS1
    fi
    hash -r 2>/dev/null || true
    unset VIRTUAL_ENV VIRTUAL_ENV_PROMPT
    if [ "${1-}" != again ]; then
        unset -f deactivate
    fi
}

deactivate again

VIRTUAL_ENV=@ROOT@
VIRTUAL_ENV_PROMPT=@PROMPT@
export VIRTUAL_ENV VIRTUAL_ENV_PROMPT

_COVE_OLD_PATH="$PATH"
PATH="$VIRTUAL_ENV/"@BIN@":$PATH"
export PATH

if [ "${PYTHONHOME+set}" = set ]; then
    _COVE_OLD_PYTHONHOME="$PYTHONHOME"
    unset PYTHONHOME
fi

if [ -z "${VIRTUAL_ENV_DISABLE_PROMPT-}" ]; then
    _COVE_OLD_PS1="${PS1-}"
    PS1="("@SHOWN@") ${PS1-}"
    export PS1
fi

hash -r 2>/dev/null || true
"""

_FISH = """\
# Use it with "source bin/activate.fish" from fish; `deactivate` undoes it.
function deactivate -d "Leave the virtual environment"
    if set -q _COVE_OLD_PATH
        set -gx PATH $_COVE_OLD_PATH
        set -e _COVE_OLD_PATH
    end
    if set -q _COVE_OLD_PYTHONHOME
        set -gx PYTHONHOME $_COVE_OLD_PYTHONHOME
        set -e _COVE_OLD_PYTHONHOME
    end
    if functions -q _cove_old_fish_prompt
        functions -e fish_prompt
        functions -c _cove_old_fish_prompt fish_prompt
        functions -e _cove_old_fish_prompt
    end
    set -e VIRTUAL_ENV
    set -e VIRTUAL_ENV_PROMPT
    if test "$argv[1]" != again
        functions -e deactivate
    end
end

deactivate again

set -gx VIRTUAL_ENV @ROOT@
set -gx VIRTUAL_ENV_PROMPT @PROMPT@
set -gx _COVE_OLD_PATH $PATH
set -gx PATH "$VIRTUAL_ENV"/@BIN@ $PATH

if set -q PYTHONHOME
    set -gx _COVE_OLD_PYTHONHOME $PYTHONHOME
    set -e PYTHONHOME
end

if test -z "$VIRTUAL_ENV_DISABLE_PROMPT"; and functions -q fish_prompt
    functions -c fish_prompt _cove_old_fish_prompt
    function fish_prompt
        printf '(%s) ' "$VIRTUAL_ENV_PROMPT"
        _cove_old_fish_prompt
    end
end
"""

_CSH = """\
# Use it with "source bin/activate.csh" from csh or tcsh; `deactivate` undoes it.
alias deactivate 'test $?_COVE_OLD_PATH != 0 && setenv PATH "$_COVE_OLD_PATH" && unset _COVE_OLD_PATH; rehash; \
test $?_COVE_OLD_PROMPT != 0 && set prompt="$_COVE_OLD_PROMPT" && unset _COVE_OLD_PROMPT; \
unsetenv VIRTUAL_ENV; unsetenv VIRTUAL_ENV_PROMPT; test "\\!:*" != again && unalias deactivate'

deactivate again

setenv VIRTUAL_ENV @ROOT@
setenv VIRTUAL_ENV_PROMPT @PROMPT@
set _COVE_OLD_PATH="$PATH"
setenv PATH "$VIRTUAL_ENV/"@BIN@":$PATH"

if (! $?VIRTUAL_ENV_DISABLE_PROMPT && $?prompt) then
    set _COVE_OLD_PROMPT="$prompt"
    set prompt="("@SHOWN@") $prompt:q"
endif

rehash
"""

_POWERSHELL = """\
# Use it with ". bin/activate.ps1" from PowerShell; `deactivate` undoes it.
function global:deactivate([switch] $Again) {
    if (Test-Path variable:global:_COVE_OLD_PATH) {
        $env:PATH = $global:_COVE_OLD_PATH
        Remove-Variable _COVE_OLD_PATH -Scope global
    }
    if (Test-Path variable:global:_COVE_OLD_PYTHONHOME) {
        $env:PYTHONHOME = $global:_COVE_OLD_PYTHONHOME
        Remove-Variable _COVE_OLD_PYTHONHOME -Scope global
    }
    if (Test-Path function:global:_cove_old_prompt) {
        Copy-Item function:_cove_old_prompt function:prompt
        Remove-Item function:_cove_old_prompt
    }
    Remove-Item env:VIRTUAL_ENV, env:VIRTUAL_ENV_PROMPT -ErrorAction SilentlyContinue
    if (-not $Again) {
        Remove-Item function:deactivate
    }
}

deactivate -Again

$env:VIRTUAL_ENV = @ROOT@
$env:VIRTUAL_ENV_PROMPT = @PROMPT@
$global:_COVE_OLD_PATH = $env:PATH
$env:PATH = (Join-Path $env:VIRTUAL_ENV @BIN@) + [IO.Path]::PathSeparator + $env:PATH

if (Test-Path env:PYTHONHOME) {
    $global:_COVE_OLD_PYTHONHOME = $env:PYTHONHOME
    Remove-Item env:PYTHONHOME
}

if (-not $env:VIRTUAL_ENV_DISABLE_PROMPT) {
    Copy-Item function:prompt function:global:_cove_old_prompt
    function global:prompt {
        "($env:VIRTUAL_ENV_PROMPT) " + (_cove_old_prompt)
    }
}
"""


def scripts(root: str, below: str, prompt: str) -> dict[str, str]:
    """The activation scripts by file name, for the environment at ``root`` whose programs lie in ``root/below``."""
    shells = {
        "activate": (_SH, shlex.quote),
        "activate.fish": (_FISH, _quote_fish),
        "activate.csh": (_CSH, _quote_csh),
        "activate.ps1": (_POWERSHELL, _quote_powershell),
    }
    # Shells expand a prompt once more whenever they show it: nothing that could mean anything to one is left in it.
    shown = "".join(character if character.isalnum() or character in " ._-+:" else "_" for character in prompt)
    made = {}
    for name, (template, quote) in shells.items():
        values = {"ROOT": quote(root), "BIN": quote(below), "PROMPT": quote(prompt), "SHOWN": quote(shown)}
        made[name] = _fill(template, values)
    return made


def _fill(template: str, values: dict[str, str]) -> str:
    """Replace each mark once, in one pass: a value that looks like a mark stays as it is."""
    return "".join(values.get(piece, piece) for piece in template.split("@"))


def _quote_fish(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _quote_csh(text: str) -> str:
    # History is expanded even between single quotes, and a line break needs a backslash.
    escaped = text.replace("'", "'\\''").replace("!", "\\!").replace("\n", "\\\n")
    return f"'{escaped}'"


def _quote_powershell(text: str) -> str:
    # PowerShell takes typographic quotes for quotes.
    for quote in "'\u2018\u2019\u201a\u201b":
        text = text.replace(quote, quote * 2)
    return f"'{text}'"
