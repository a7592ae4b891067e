"""`python -m reference_fs MOUNTPOINT -f`: the command line of VexFS.

Owns arguments, messages and exit statuses; knows nothing of FUSE. Imports stay inside: a daemon that is
started once for every run of a check has to be quick.
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
from dataclasses import replace
from typing import NoReturn

from reference_fs.limits import listed
from reference_fs.model import StoreError
from reference_fs.options import Options, parse_options
from reference_fs.profiles import FRONTS, PROFILES, RAW, Profile, choose_front, find_profile


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        print(f"{self.prog}: {message}", file=sys.stderr)
        raise SystemExit(2)


def _parser() -> _Parser:
    parser = _Parser(
        prog="vexfs-fuse", allow_abbrev=False,
        description="VexFS, an in-memory file system that does everything right, or one thing wrong on purpose.",
        epilog=listed(), formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("mountpoint", nargs="?", metavar="MOUNTPOINT", help="the directory to mount on")
    parser.add_argument("-f", dest="foreground", action="store_true", help="stay in the foreground")
    parser.add_argument("-o", dest="options", action="append", default=[], metavar="OPTIONS",
                        help="mount options; VexFS's own: size=, inodes=, no_default_permissions, no_allow_other")
    parser.add_argument("--store", default="", metavar="DIR", help="keep the content in DIR, across mounts")
    parser.add_argument("--profile", default="", metavar="PROFILE", help="repeat a defect (see --list-profiles)")
    parser.add_argument("--front", choices=FRONTS, help="what speaks FUSE (default: the one that can show the profile)")
    parser.add_argument("--list-profiles", action="store_true", help="list the defects and what they break")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Serve until unmounted. Exit status: 0 unmounted, 1 could not mount, 2 bad arguments, 3 unusable store."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.list_profiles:
        for profile in PROFILES:
            print(f"{profile.name:<20} {profile.breaks}  [{', '.join(profile.fronts)}]")
        return 0
    if arguments.mountpoint is None:
        parser.error("which MOUNTPOINT? Try: vexfs-fuse DIR -f")
    try:
        options = replace(parse_options(arguments.options), store=arguments.store)
        profile = find_profile(arguments.profile)
        front = choose_front(profile, arguments.front)
    except ValueError as error:
        parser.error(str(error))
    try:
        if not os.path.isdir(arguments.mountpoint):
            parser.error(f"{arguments.mountpoint}: not a directory")
        return _serve(front, arguments.mountpoint, options, profile, arguments.foreground)
    except StoreError as error:
        print(f"vexfs-fuse: {error}", file=sys.stderr)
        return 3
    except OSError as error:
        print(f"vexfs-fuse: {arguments.mountpoint}: {error.strerror or error}", file=sys.stderr)
    except ImportError as error:
        print(f"vexfs-fuse: the front {front} needs the Python package {error.name}", file=sys.stderr)
    return 1


def _serve(front: str, mountpoint: str, options: Options, profile: Profile, foreground: bool) -> int:
    if not profile.mounts:
        print("vexfs: waiting for configuration", file=sys.stderr, flush=True)
        while True:
            signal.pause()
    if front == RAW:
        from reference_fs import raw_front

        return raw_front.run(mountpoint, options, profile, foreground=foreground)
    from reference_fs import fusepy_front

    return fusepy_front.run(front, mountpoint, options, profile, foreground=foreground)


if __name__ == "__main__":
    sys.exit(main())
