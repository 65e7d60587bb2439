"""The pure core: values in, values out. No I/O, no clock, no environment.

Provenance  paths, diff, trailers, agents, attribution, record, manifest, dsse, sshsig, record_check
Policy      patterns, policy, policy_text, protection
Judgement   facts -> case (classes, exclusion, reviewers, content) -> rules -> verdict -> explain
"""
