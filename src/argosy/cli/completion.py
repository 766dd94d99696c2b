"""`argosy completion`.

It knows that click makes the scripts.
"""

from __future__ import annotations

import click

from argosy.cli.options import console, home_option

SHELLS = ("bash", "zsh", "fish")


@click.command("completion")
@click.argument("shell", type=click.Choice(SHELLS))
@home_option
def command(shell: str, home: object) -> None:
    """Print the completion script of a shell.

    \b
    bash: eval "$(argosy completion bash)"         in ~/.bashrc
    zsh:  eval "$(argosy completion zsh)"          in ~/.zshrc
    fish: argosy completion fish | source          in ~/.config/fish/config.fish
    """
    from click.shell_completion import BashComplete, FishComplete, ZshComplete

    from argosy.cli.main import cli

    kinds = {"bash": BashComplete, "zsh": ZshComplete, "fish": FishComplete}
    complete = kinds[shell](cli, {}, "argosy", "_ARGOSY_COMPLETE")
    # Not source(): that starts a bash to look at its version.
    console().data(complete.source_template % complete.source_vars())
