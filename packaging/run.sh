#!/usr/bin/env bash
# Builds Bootwright and starts it. Arguments pass through: packaging/run.sh serve --interface eth0 --image debian.iso
#
#   packaging/run.sh --prepare    sets up and builds, prints the program's path as its last line and starts nothing
#
# Does all of its own set-up on a fresh Debian or Ubuntu, and can be run again at no cost.
set -euo pipefail
# shellcheck source=packaging/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

need_packages gcc libc6-dev ca-certificates
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

# Everything but serving runs as the user; for serving, ports below 1024 belong to root.
if [ $# -gt 0 ]; then
    if [ "$1" = serve ] && [ "$(id -u)" != 0 ]; then
        say "serving needs the ports 67, 69 and 80, so sudo asks for your password"
        exec sudo "$program" "$@"
    fi
    exec "$program" "$@"
fi

# The window comes with a later version. Until then, the line to copy for each interface that could be served.
say "this version has no window yet. To serve an ISO file, copy one of these lines:"
"$program" interfaces | awk '$0 !~ /loopback|no IPv4 address/ {print $1}' | while read -r name; do
    echo "  packaging/run.sh serve --interface $name --image FILE.iso"
done
echo "Add --dhcp full on a network that has no other DHCP server."
