"""Use cases of the operator: accounts, keys, prices, upstreams."""
