"""sprig's functions, as Argo exposes them under `sprig.`, a family a file.

It only gathers them, and names those that are refused and why. Source: sprig 3, its GenericFuncMap; Argo takes `env`
and `expandenv` out of it.
"""

from __future__ import annotations

from argosy.expressions.signatures import Function
from argosy.expressions.sprig import (
    dates,
    defaults,
    dicts,
    encoding,
    lists,
    numbers,
    randomness,
    regex,
    semver,
    strings,
    words,
)

SPRIG: dict[str, Function] = {
    f"sprig.{function.name}": Function(f"sprig.{function.name}", function.kinds, function.call)
    for family in (strings, words, numbers, lists, dicts, defaults, dates, encoding, regex, semver, randomness)
    for function in family.FUNCTIONS
}

_CERTIFICATES = "it makes keys or certificates; make them in a step of the workflow, or read them from a Secret"
_CIPHER = "it encrypts or hashes passwords; do that in a step of the workflow, or read the result from a Secret"

# What sprig has and no expression here may call, and why.
REFUSED: dict[str, str] = {
    "sprig.env": "Argo takes it out: expressions do not see the environment; use a parameter",
    "sprig.expandenv": "Argo takes it out: expressions do not see the environment; use a parameter",
    "sprig.getHostByName": "expressions do not reach the network; look the address up in a step of the workflow",
    **{
        f"sprig.{name}": _CERTIFICATES
        for name in (
            "genPrivateKey",
            "buildCustomCert",
            "genCA",
            "genCAWithKey",
            "genSelfSignedCert",
            "genSelfSignedCertWithKey",
            "genSignedCert",
            "genSignedCertWithKey",
        )
    },
    **{f"sprig.{name}": _CIPHER for name in ("bcrypt", "htpasswd", "derivePassword", "encryptAES", "decryptAES")},
}
