#!/usr/bin/env bash
# Builds Bootwright and opens its window. Arguments pass through: packaging/run.sh serve --interface eth0 --image a.iso
#
#   packaging/run.sh --prepare    sets up and builds, prints the program's path as its last line and starts nothing
#
# Does all of its own set-up on a fresh Debian or Ubuntu, and can be run again at no cost.
set -euo pipefail
# shellcheck source=packaging/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

need_packages gcc libc6-dev ca-certificates
# What the window opens by name when it starts, and what its file dialogs go through.
need_packages libx11-6 libx11-xcb1 libxcursor1 libxi6 libxkbcommon-x11-0 libdbus-1-3
# What the window gets its ports through, where somebody without root rights is going to look at it.
if [ "$(id -u)" != 0 ] && [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && ! command -v pkexec >/dev/null; then
    need_packages pkexec
fi
need_rust
need_loaders
say "building"
cargo build --quiet --release --locked --manifest-path "$root/Cargo.toml" --target-dir "$root/target"
program=$root/target/release/bootwright
# Beside the program is where it looks for them.
ln -sfn ../loaders "$root/target/release/loaders"

if [ "${1:-}" = --prepare ]; then
    say "ready; start it with:"
    echo "$program"
    exit 0
fi

# Everything but serving runs as the user; for serving, ports below 1024 belong to root. The window is never started
# with more rights: it gets its ports from a helper, which asks for the password.
if [ "${1:-}" = serve ] && [ "$(id -u)" != 0 ]; then
    say "serving needs the ports 67, 69 and 80, so sudo asks for your password"
    exec sudo "$program" "$@"
fi
if [ $# -gt 0 ] && [ "$1" != --demo ] && [ "$1" != --open ] || [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
    exec "$program" "$@"
fi

# No display: the line to copy for each interface that could be served.
say "there is no display for the window. To serve an ISO file without it, copy one of these lines:"
"$program" interfaces | awk '$0 !~ /loopback|no IPv4 address/ {print $1}' | while read -r name; do
    echo "  packaging/run.sh serve --interface $name --image FILE.iso"
done
echo "Add --dhcp full on a network that has no other DHCP server."
