#!/usr/bin/env bash
# Makes the Debian live image that the firmware tests boot, and prints its path as the last line.
#
#   packaging/live-iso.sh [FOLDER]
#
# It is built by Debian's live-build from Debian's own packages, so no one here wrote what it contains. It is made once
# and kept outside the repository: in FOLDER, or the user's cache. The name carries a hash of this script, so a change
# here makes a new image. Needs root (live-build works in a chroot).
set -euo pipefail

cache=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/bootwright}
recipe=$(sha256sum "${BASH_SOURCE[0]}" | cut -c1-12)
out=$cache/debian-live-$recipe.iso
mkdir -p "$cache"

# Two test runs at once must not build the same image twice.
exec 9>"$cache/.live-iso.lock"
flock 9
if [ -s "$out" ]; then
    echo "live image: kept from an earlier run" >&2
    echo "$out"
    exit 0
fi

echo "live image: building with live-build, some minutes (log: $cache/live-build.log)" >&2
# live-build mounts /proc and devices below its folder, which tmpfs mounted nodev refuses; the cache is a plain folder.
work=$(mktemp -d "$cache/live-build.XXXXXX")
trap 'rm -rf "$work"' EXIT
cd "$work"

# The mirror that this machine's apt uses, where it is a Debian; else live-build's own default.
mirror=$(sed -n 's/^URIs: *\([^ ]*\).*/\1/p; s/^deb \(\[[^]]*\] \)\?\(http[^ ]*\) .*/\2/p' \
    /etc/apt/sources.list /etc/apt/sources.list.d/debian.sources 2>/dev/null | grep -m1 '/debian/\?$' || true)
mirrors=()
if [ -n "$mirror" ]; then
    mirrors=(--mirror-bootstrap "$mirror" --mirror-chroot "$mirror" --mirror-binary "$mirror")
fi

lb config --distribution bookworm --architectures amd64 --archive-areas main "${mirrors[@]}" \
    --security false --updates false --debian-installer none --memtest none --apt-recommends false \
    --binary-images iso-hybrid --bootloaders grub-pc,grub-efi --uefi-secure-boot enable \
    --bootappend-live "boot=live components" --firmware-chroot false \
    --linux-packages linux-image --linux-flavours amd64 --cache false >"$cache/live-build.log" 2>&1
mkdir -p config/package-lists
# The least that live-boot needs to fetch its root file system and reach a login prompt.
echo "live-boot live-config live-config-systemd systemd-sysv udev iproute2 kmod" >config/package-lists/least.list.chroot
if ! lb build >>"$cache/live-build.log" 2>&1; then
    echo "live image: live-build failed; the end of its log:" >&2
    tail -n 20 "$cache/live-build.log" >&2
    exit 1
fi
mv live-image-amd64.hybrid.iso "$out.part"
mv "$out.part" "$out"
echo "$out"
