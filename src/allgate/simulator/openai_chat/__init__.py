"""OpenAI Chat Completions, and others who speak it."""
