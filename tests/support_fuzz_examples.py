"""Whole examples of what others write, as they write it, for the fuzz targets (support_fuzz.py) to start from."""

from typing import Any

OID = "a" * 40

HEAD = {"sha": OID, "ref": "fix", "repo": {"id": 9}}
BASE = {"sha": "c" * 40, "ref": "main"}
EVENTS: dict[str, Any] = {
    "action": "submitted", "ref": "refs/heads/main", "before": "b" * 40, "after": OID,
    "repository": {"id": 9, "full_name": "acme/shop", "default_branch": "main"}, "installation": {"id": 7},
    "sender": {"id": 1, "login": "olga", "type": "User"},
    "pull_request": {"number": 4, "head": HEAD, "base": BASE},
    "review": {"id": 77, "commit_id": OID, "state": "approved", "user": {"id": 2, "login": "rita", "type": "User"}},
    "merge_group": {"head_sha": OID, "base_ref": "refs/heads/main"}, "check_run": {"head_sha": OID},
    "check_suite": {"head_sha": OID},
}  # fmt: skip

POLICIES = [
    b'version: 1\nroster: ["@acme/engineers"]\nprotected: ["infra/**"]\n',
    b'version: 1\nmode: observe\nbranches: [main, "release/*"]\nroster: ["@ana", "@raj", "@lee"]\n'
    b'aliases: {olga: [olga-work]}\nsystems:\n  pay: {paths: ["pay/**", "infra/"], tier: 0, owners: ["@a/b"]}\n'
    b"tiers:\n  1: {ai: 2, unattested: 2, human: 1}\n",
]
RAW_COMMIT = b"""tree %s
parent %s
author O <o@x> 1700000000 +0000
committer O <o@x> 1700000000 +0000
gpgsig -----BEGIN SSH SIGNATURE-----
 AAAA
 -----END SSH SIGNATURE-----

Change

Assisted-by: x
""" % (OID.encode(), OID.encode())
ONE, TWO, NONE = b"1" * 40, b"2" * 40, b"0" * 40
# As `git diff-tree` writes it: changed, deleted, made.
DIFF = (
    b":100644 100644 %s %s M\0a.py\0:100644 000000 %s %s D\0b\0:000000 100644 %s %s A\0e f\0\0"
    b"diff --git a/a.py b/a.py\nindex %s..%s 100644\n--- a/a.py\n+++ b/a.py\n@@ -1 +1,2 @@\n-a\n+b\n+c\n"
    b"diff --git a/b b/b\ndeleted file mode 100644\nindex %s..%s\n--- a/b\n+++ /dev/null\n@@ -1 +0,0 @@\n-x\n"
    b"diff --git a/e f b/e f\nnew file mode 100644\nindex %s..%s\n--- /dev/null\n+++ b/e f\t\n@@ -0,0 +1 @@\n+\0\1\n"
    b"\\ No newline at end of file\n" % (ONE, TWO, ONE, NONE, NONE, TWO, ONE, TWO, ONE, NONE, NONE, TWO)
)
NOTE = b"""src/a.py
  s_00112233445566::t_aabbccddeeff00 1-4,9
---
{"schema_version": "authorship/3.0.0", "prompts": {},
 "sessions": {"s_00112233445566": {"agent_id": {"tool": "cursor", "id": "abc", "model": "gpt-5"}}}}
"""
TRACE = b"""{"version": "0.1.0", "files": [{"path": "a.py", "conversations": [
 {"contributor": {"type": "ai", "model_id": "m"}, "ranges": [{"start_line": 1, "end_line": 2}]}]}]}"""
JOURNAL = b"v1\t%s\t1790000000\tpost-commit\tcommit\tclaude-code\tCLAUDECODE=1" % OID.encode()
