"""A stand-in provider that is strict as the vendors are. Imports core and wire only."""
