#!/bin/sh
# A mount whose daemon forgets to answer SETATTR, a touch that waits for it, and what fsprobe diagnose says of it.
# Run it as root in a mount namespace of its own: unshare -m sh stuck.sh
set -eu
place=$(mktemp -d)
mount -t tmpfs none "$place"
mkdir "$place/mnt"
vexfs-fuse "$place/mnt" -f --profile lost-reply & daemon=$!
trap 'kill "$daemon" 2>/dev/null || true' EXIT
for _ in $(seq 100); do
    grep -q "$place/mnt" /proc/self/mountinfo && break
    sleep 0.1
done
touch "$place/mnt/new" 2>/dev/null & caller=$!
for _ in $(seq 100); do
    grep -q request_wait_answer "/proc/$caller/wchan" && break
    sleep 0.1
done
fsprobe diagnose "$place/mnt" --abort || true
wait "$caller" 2>/dev/null || true
