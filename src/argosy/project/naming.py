"""Names for runs that were given none: Argo's suffix behind a generateName, or two words.

It knows words and chance.
"""

from __future__ import annotations

import random
import re

from argosy.errors import UsageError

# Kubernetes' alphabet: no vowels, and nothing that looks like something else.
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
LONGEST = 63
_NAME = r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?"
_MANNERS = """
able bold brave bright brisk calm clear clever crisp deft eager early even fair fast fine fleet fond free
fresh gentle glad good grand happy hardy jolly keen kind lively loyal lucky merry mild neat nimble noble open
plain prime proud quick quiet ready rapid sharp smart snug sound spry steady stout sunny sure swift tidy true
vivid warm wise witty young
"""
_ANIMALS = """
ant badger bat bear beaver bee bison crab crane crow deer dingo dove duck eagle eel elk falcon ferret finch
fox frog gecko goat goose gull hare hawk heron horse ibis jay kite koala lark lemur lion llama lynx magpie
marten mole moose moth mouse newt otter owl panda pike plover puffin quail rabbit raven robin salmon seal
shrew shrike snail sparrow squid stoat stork swan tapir tern tiger toad trout turtle viper vole walrus wasp
weasel whale wolf wombat wren yak zebra
"""


def generated(prefix: str) -> str:
    """A name behind a generateName, as Kubernetes makes it."""
    return prefix[: LONGEST - 5] + "".join(random.choices(_SUFFIX, k=5))


def two_words() -> str:
    """A name such as brave-otter."""
    return f"{random.choice(_MANNERS.split())}-{random.choice(_ANIMALS.split())}"


def counted_words() -> str:
    """A name such as brave-otter-1, as dstack's runs have."""
    return f"{two_words()}-{random.randint(1, 9)}"


def checked(name: str) -> str:
    """The name, if a run may have it. Raises UsageError."""
    if not re.fullmatch(_NAME, name):
        fixed = re.sub(r"[^-a-z0-9.]+", "-", name.lower()).strip("-.")
        raise UsageError(
            f"{name!r} cannot be the name of a run: lower case letters, digits, '-' and '.', beginning and ending"
            " with a letter or digit",
            hint=f"try {fixed}" if fixed else "try a word",
        )
    if len(name) > LONGEST:
        raise UsageError(f"the name of a run has at most {LONGEST} characters, {name!r} has {len(name)}")
    return name
