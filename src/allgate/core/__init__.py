"""Values that every floor shares: errors, money, usage, ids, the clock port, secrets. Imports nothing of ours."""
