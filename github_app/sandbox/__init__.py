"""A GitHub stand-in on loopback, held to GitHub's published contracts. `serve` never imports it."""
