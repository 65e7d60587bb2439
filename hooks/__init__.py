"""The local half, in the order things happen.

agent event      checkpoint -> evidence
git commit       capture.sh -> journal                 (sh and git alone, no Python)
git push         push -> build -> sign -> publish
by hand          cli: install, status, show, publish
"""
