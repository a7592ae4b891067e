"""The record of a request that stayed open or of a daemon that died, as the session makes it.

Owns nothing but the name: the record lies in `results`, because diagnosis and the report read it too.
"""

from fsprobe.results.records import Incident

__all__ = ["Incident"]
