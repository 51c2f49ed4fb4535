"""Settings, registry and build(): the only place that knows concrete classes."""
