"""How fast the gateway is, beside nginx in the same run on the same machine.

`python -m bench` runs the table of `scenarios.py`; `python -m bench.soak` looks for growth. Both are Linux only: they pin
processes to cores and read `/proc`. The README beside this file says what each figure means.
"""
