"""`python -m fsprobe`: the command where its script is not on the path.

Owns nothing but the call; knows nothing of the verbs.
"""

from fsprobe.cli.start import entry

entry()
