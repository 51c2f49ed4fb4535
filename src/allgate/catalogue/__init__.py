"""What models can and may do, as data: families in TOML, the profile that they give a model, and the rules it keeps.

`families/*.toml` is what an operator reads first (docs/models.md). A row of the configuration names a family and says
what is different; nothing here knows where a model runs or what it costs.
"""
