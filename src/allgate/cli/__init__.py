"""The commands of `allgate`."""
