"""The server half, in the order things happen.

webhook -> inbox -> lanes -> worker -> judge: pull_query + mirror -> gather -> (shared) evaluate -> publish -> decisions
"""
