"""Small shared passes that several dialects need: pure functions and tiny state machines, each with one job."""
