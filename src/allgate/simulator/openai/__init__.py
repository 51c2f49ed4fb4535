"""What OpenAI's two formats have in common: checks of fields, and errors."""
