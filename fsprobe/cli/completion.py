"""Completion in the shell, of check ids, operations, suites and targets too: `fsprobe completion`.

Owns what each word can be, and the script for bash, where a colon ends a word and a target may hold one. Nothing of a
mounted file system is looked at: file names are the shell's own business.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterable

import rich_click as click
from click.shell_completion import BashComplete, CompletionItem, add_completion_class, get_completion_class

SHELLS = ("bash", "zsh", "fish")
PLACES = {
    "bash": "fsprobe completion bash > ~/.local/share/bash-completion/completions/fsprobe",
    "zsh": 'fsprobe completion zsh > "${fpath[1]}/_fsprobe"',
    "fish": "fsprobe completion fish > ~/.config/fish/completions/fsprobe.fish",
}
_VARIABLE = "_FSPROBE_COMPLETE"

# The words are taken from the line itself: bash has cut them at colons, and replaces what is behind the last of them.
_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' line=${COMP_LINE:0:COMP_POINT} answers answer type value current
    local -a words
    IFS=$' \\t' read -ra words <<< "$line"
    [[ $line == *[[:space:]] ]] && words+=('')
    current=${words[-1]}
    answers=$(env COMP_WORDS="$line" COMP_CWORD=$((${#words[@]} - 1)) %(complete_var)s=bash_complete "$1")
    COMPREPLY=()
    for answer in $answers; do
        IFS=',' read -r type value <<< "$answer"
        case $type in
            dir) compopt -o dirnames ;;
            file) compopt -o default ;;
            plain)
                [[ $current == *:* && $COMP_WORDBREAKS == *:* ]] && value=${value#"${current%%"${current##*:}"}"}
                COMPREPLY+=("$value") ;;
        esac
    done
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""


@add_completion_class
class _Bash(BashComplete):
    name = "bash"
    source_template = _BASH

    @staticmethod
    def _check_version() -> None:
        """The base class starts bash to learn its version: every bash since 4.4 of 2016 will do."""


@click.command()
@click.argument("shell", type=click.Choice(SHELLS), required=False)
def completion(shell: str | None) -> None:
    """Print the completion script of a shell: bash, zsh or fish. Check ids, operations and targets complete too.

    \b
      bash   fsprobe completion bash > ~/.local/share/bash-completion/completions/fsprobe
      zsh    fsprobe completion zsh > "${fpath[1]}/_fsprobe"
      fish   fsprobe completion fish > ~/.config/fish/completions/fsprobe.fish
    """
    chosen = shell or _own_shell()
    made = get_completion_class(chosen)
    assert made is not None
    print(made(click.Command("fsprobe"), {}, "fsprobe", _VARIABLE).source(), end="")
    if sys.stdout.isatty():
        print(f"\nTo keep it: {PLACES[chosen]}", file=sys.stderr)


def _own_shell() -> str:
    name = os.path.basename(os.environ.get("SHELL", ""))
    return name if name in SHELLS else "bash"


def checks(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Ids that begin so: whole ones where few are left, else their next part with a glob behind it."""
    from fsprobe.cli.selection import all_checks

    ids = [check.id for check in all_checks() if check.id.startswith(typed)]
    for length in range(typed.count(".") + 1, 4):
        parts = sorted({".".join(id.split(".")[:length]) for id in ids})
        if 1 < len(parts) < len(ids):
            return _items([f"{part}.*" for part in parts], typed)
    return _items(ids, typed)


def check_ids(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Ids and operations: what can be explained."""
    from fsprobe.cli.selection import all_checks
    from fsprobe.diagnose.operations import OPERATIONS

    return [*_items(OPERATIONS, typed.upper()), *_items([check.id for check in all_checks()], typed)]


def operations(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Operations, however they are typed."""
    from fsprobe.diagnose.operations import OPERATIONS

    return _items(OPERATIONS, typed.upper())


def suites(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Suites that come with fsprobe; else a path."""
    from fsprobe.checks.suite import BUILT_IN

    return [*_items([*BUILT_IN, "vexfs"], typed), CompletionItem(typed, type="file")]


def targets(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
    """Built-in and configured targets; else a path."""
    from fsprobe.config import project
    from fsprobe.config.built_in import REFERENCE, profile_names
    from fsprobe.errors import FsprobeError

    try:
        configured = list(project.find().targets)
    except FsprobeError:
        configured = []
    names = [REFERENCE, f"{REFERENCE}:raw", *(f"{REFERENCE}:{profile}" for profile in profile_names())]
    built_in = names if typed.startswith(REFERENCE) else names[:1] if typed or configured else []
    return _items([*configured, *built_in], typed) or [CompletionItem(typed, type="file")]


def _items(words: Iterable[str], typed: str) -> list[CompletionItem]:
    return [CompletionItem(word) for word in words if word.startswith(typed)]
