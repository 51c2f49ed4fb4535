"""Where a citation points: code points on our side, UTF-8 bytes on Gemini's.

Our annotations count Unicode code points, as OpenAI does. Gemini's `groundingSupports[].segment` and
`citationMetadata` count UTF-8 bytes within one part. An offset inside a character rounds down to its start; one beyond
the end becomes the end, because providers do send both and a citation is no reason to lose an answer.
"""


class Utf8Offsets:
    """Both counts of one text. Plain ASCII costs nothing: the counts are the same."""

    __slots__ = ("_ascii", "_bytes", "_text")

    def __init__(self, text: str) -> None:
        self._text = text
        self._ascii = text.isascii()
        self._bytes = b"" if self._ascii else text.encode("utf-8", "surrogatepass")

    def code_points(self, byte_offset: int) -> int:
        """The code points before this byte.

        >>> Utf8Offsets("né!").code_points(3)
        2
        """
        if self._ascii:
            return max(0, min(byte_offset, len(self._text)))
        return len(self._bytes[: max(0, byte_offset)].decode("utf-8", "ignore"))

    def utf8_bytes(self, code_point_offset: int) -> int:
        """The bytes before this code point.

        >>> Utf8Offsets("né!").utf8_bytes(2)
        3
        """
        if self._ascii:
            return max(0, min(code_point_offset, len(self._text)))
        return len(self._text[: max(0, code_point_offset)].encode("utf-8", "surrogatepass"))
