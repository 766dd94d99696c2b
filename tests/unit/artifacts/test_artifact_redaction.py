"""No credential survives redaction, and ordinary text does."""

from __future__ import annotations

import pytest

from argosy.artifacts.redaction import redact


@pytest.mark.parametrize(
    "text",
    [
        "https://user:hunter2@host/path",
        "https://hunter2@host/path",
        "https://user:p@ss/hunter2@host/path",
        "ssh://git:hunter2@host:22/x",
        "cannot open 'https://u:hunter2@host' now",
        "https://host/x?token=hunter2&a=b",
        "https://host/x?a=b&X-Amz-Signature=hunter2",
        "https://host/x?X-Amz-Security-Token=hunter2",
        "https://host/x?sig=hunter2",
        "https://host/x?AWSAccessKeyId=hunter2",
        "https://host/x?api_key=hunter2;b=c",
        "Authorization: Bearer hunter2",
        "authorization=Basic hunter2",
        "Cookie: session=hunter2",
        "X-Auth-Token: hunter2",
        "PRIVATE-TOKEN: hunter2",
        "sent bearer hunter2hunter2 to it",
    ],
)
def test_credentials_in_urls_and_headers_are_hidden(text: str) -> None:
    hidden = redact(text)
    assert "hunter2" not in hidden
    assert "***" in hidden


@pytest.mark.parametrize("secret", ["pass word", "a/b+c=d&e", "line one\nline two", "ü§ß!"])
@pytest.mark.parametrize("way", ["plain", "percent", "plus", "base64"])
def test_known_secrets_are_hidden_however_they_are_spelled(secret: str, way: str) -> None:
    import base64
    from urllib.parse import quote, quote_plus

    spelled = {
        "plain": secret,
        "percent": quote(secret, safe=""),
        "plus": quote_plus(secret),
        "base64": base64.b64encode(secret.encode()).decode(),
    }[way]
    hidden = redact(f"before {spelled} after", [secret.encode()])
    assert spelled not in hidden
    assert hidden.startswith("before ")
    assert hidden.endswith(" after")


@pytest.mark.parametrize(
    "text",
    [
        "https://host/path?page=2#part",
        "git@host:repo.git is there",
        "key: value",
        "a@b.org wrote",
        "basic facts",
        "100%",
    ],
)
def test_ordinary_text_stays(text: str) -> None:
    assert redact(text, ["", "ab"]) == text
