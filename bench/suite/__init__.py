"""The benchmarks as one: a registry of rows, a runner, and what is written of a run. tools/bench runs it."""
