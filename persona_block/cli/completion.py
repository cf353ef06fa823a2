"""The command `persona-block completion`: what makes a shell complete commands, operations, params and choices."""

from __future__ import annotations

import argparse
from typing import Any

_BASH = r"""# bash completion of persona-block
_persona_block() {
    local word words=() joins= line reply=() prefix
    for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
        # bash breaks a word at its = and :
        if [[ $word == [=:] && ${#words[@]} -gt 0 ]]; then
            words[-1]+=$word joins=1
        elif [[ $joins ]]; then
            words[-1]+=$word joins=
        else
            words+=("$word")
        fi
    done
    while IFS= read -r line; do
        reply+=("${line%%$'\t'*}")
    done < <("${COMP_WORDS[0]}" __complete "${words[@]}" 2> /dev/null)
    COMPREPLY=()
    for word in "${reply[@]}"; do
        prefix=
        [[ ${words[-1]} == *=* && $COMP_WORDBREAKS == *=* ]] && prefix="${words[-1]%%=*}="
        word=${word#"$prefix"}
        [[ $word == *= ]] || word+=' '
        COMPREPLY+=("$word")
    done
}
complete -o nospace -o bashdefault -o default -F _persona_block persona-block
"""

_ZSH = r"""#compdef persona-block
# zsh completion of persona-block
_persona_block() {
    local line word
    local -a open closed open_shown closed_shown
    while IFS= read -r line; do
        word=${line%%$'\t'*}
        if [[ $word == *= ]]; then
            open+=("$word") open_shown+=("$word  ${line#*$'\t'}")
        else
            closed+=("$word") closed_shown+=("$word  ${line#*$'\t'}")
        fi
    done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2> /dev/null)
    if (( ! $#open && ! $#closed )); then
        compset -P '*='
        _files
        return
    fi
    (( $#open )) && compadd -Q -S '' -l -d open_shown -a open
    (( $#closed )) && compadd -Q -l -d closed_shown -a closed
}
if [[ ${funcstack[1]} == _persona_block ]]; then
    _persona_block "$@"
else
    compdef _persona_block persona-block
fi
"""

_FISH = r"""# fish completion of persona-block
function __persona_block_candidates
    set -l words (commandline -opc) (commandline -ct)
    $words[1] __complete $words[2..-1] 2> /dev/null
end
complete -c persona-block -f -a '(__persona_block_candidates)'
complete -c persona-block -n 'not count (__persona_block_candidates) > /dev/null' -F
"""

SCRIPTS = {"bash": _BASH, "fish": _FISH, "zsh": _ZSH}
"""What a shell reads, by its name."""

_EPILOG = """\
bash:  persona-block completion bash > ~/.local/share/bash-completion/completions/persona-block
fish:  persona-block completion fish > ~/.config/fish/completions/persona-block.fish
zsh:   persona-block completion zsh > DIR/_persona-block, where DIR is one of $fpath, before compinit

In the present shell alone:  eval "$(persona-block completion bash)"  (or zsh)
                             persona-block completion fish | source"""


def add_command(commands: Any, help_text: str) -> None:
    """Add the command to a parser's subcommands."""
    completion = commands.add_parser(
        "completion", help=help_text, epilog=_EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    completion.add_argument("shell", choices=sorted(SCRIPTS), metavar="SHELL", help=", ".join(sorted(SCRIPTS)))
    completion.set_defaults(handler=print_script)


def print_script(arguments: argparse.Namespace) -> int:
    """Print the script of a shell and return the exit code."""
    print(SCRIPTS[arguments.shell], end="")
    return 0
