"""What can be asked of a model, in the one vocabulary that every dialect reads and writes."""
