"""Gemini at AI Studio: generateContent, for the third generation of its models.

Generation 3 thinks by level, takes functions beside built-in tools, and ids on calls; it has no penalties. Generation
2.5 thinks by budget and rejects ids and that mix: its catalogue rows say so. A body that ends with usage and without
a finish reason is complete (proto3 omits the zero value). Facts: google-genai 3.4 SDK types and the section on
generateContent of our wire-format notes.
"""

from allgate.operations.chat.caps import Caps
from allgate.providers.provider import Provider, Speaks

INLINE_BYTES_MAX = 50 * 1024 * 1024
"""A PDF's bound. The bound of other inline media is 100 MB since 2026-01; one number serves both."""

IMAGES_MAX = 3_000
"""Pictures in one request of Gemini 2.5; its later models take 3,600."""

GENERATE_CAPS = Caps(
    thinking="level",
    levels=("low", "high"),
    seal_origin="gemini",
    top_k=True,
    penalties=False,
    logit_bias=False,
    stop_max=5,
    mid_system=False,
    names=False,
    parallel_tools_switch=False,
    tool_combo=True,
    tool_images=True,
    hosted=("web_search", "web_fetch", "code_execution", "file_search", "google_maps"),
    web_search_style="tool",
    image_mimes=("image/png", "image/jpeg", "image/webp", "image/heic", "image/heif"),
    image_url=False,
    audio_mimes=(
        "audio/wav",
        "audio/mp3",
        "audio/mpeg",
        "audio/aiff",
        "audio/aac",
        "audio/ogg",
        "audio/flac",
    ),
    video_mimes=(
        "video/mp4",
        "video/mpeg",
        "video/mov",
        "video/quicktime",
        "video/avi",
        "video/x-flv",
        "video/mpg",
        "video/webm",
        "video/wmv",
        "video/3gpp",
    ),
    video_sites=True,
    media_bytes_max=INLINE_BYTES_MAX,
    media_max=IMAGES_MAX,
    cache="auto",
    stream_usage_switch=False,
    metadata=False,
    user=False,
    safety_settings=True,
    finish_optional=True,
)

GEMINI = Provider(
    name="gemini",
    vendor="gemini",
    base_url="https://generativelanguage.googleapis.com",
    speaks=(Speaks(dialect="gemini", caps=GENERATE_CAPS, sign_in="x-goog-api-key", counts_tokens=True),),
)
