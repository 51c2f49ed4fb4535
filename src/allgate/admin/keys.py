"""New keys: 192 random bits behind our prefix, shown once."""

import secrets

from allgate.core.secret import Secret
from allgate.identity.caller import KEY_PREFIX

KEY_BYTES = 24
"""192 bits; 128 would do, and 32 characters of base64 are still easy to paste."""


def new_secret() -> Secret:
    """`sk-allgate-` and 32 characters."""
    return Secret(KEY_PREFIX + secrets.token_urlsafe(KEY_BYTES))
