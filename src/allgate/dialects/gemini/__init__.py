"""Gemini's generateContent, as Google's SDKs, Gemini CLI and curl speak it.

address, members, signatures   paths and queries; both spellings; the slot for what must come back
*_decode, *_encode             requests and answers, one noun per file; `answer_decode` reads whole and streamed
head, passthrough, meter       what is needed where Gemini stands on both sides
"""

from allgate.dialects.gemini.dialect import GEMINI

__all__ = ["GEMINI"]
