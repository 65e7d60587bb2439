"""Policy files that tests begin from."""

SHORT = """\
version: 1
roster: ["@acme/engineers"]
protected: ["infra/**"]
"""

FULL = """\
version: 1
mode: enforce                      # observe: publishes "foureyes observe", always neutral
branches: [main, "release/*"]      # default: the default branch
roster: ["@acme/engineers"]
machine_users: [acme-release]
aliases: {olga: [olga-work]}
systems:
  payments: {paths: ["services/payments/**"], tier: 0, owners: ["@acme/payments-oncall"]}
  infra:    {paths: ["infra/**", "*.tf"],     tier: 1}
  docs:     {paths: ["docs/**"],              tier: 3}
tiers:                             # defaults shown; a file may only name what it changes
  0: {ai: 2, unattested: 2, human: 1, owner: true, stale: change}
  1: {ai: 2, unattested: 2, human: 1, stale: change}
  2: {ai: 1, unattested: 1, human: 0, stale: protected}
automation:                        # applies only while every commit and push is that App's, GitHub-verified
  renovate: {app: 2740, paths: ["**/package-lock.json"], approvals: 1, owner: "@lee", until: 2027-06-30}
"""
