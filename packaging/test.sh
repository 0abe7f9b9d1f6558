#!/usr/bin/env bash
# Everything that CI runs: format, lints, a build without the window, all tests with real peers and real firmware.
#
#   packaging/test.sh
#   packaging/test.sh --all    with the tests of real boots that take more than three minutes each
#
# Does all of its own set-up on a fresh Debian or Ubuntu. Network tests send traffic only inside network namespaces that
# they make themselves, and on loopback; making them needs root, so sudo may ask for a password.
set -euo pipefail
# shellcheck source=packaging/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"
cd "$root"

long=()
case "${*:-}" in
'') ;;
--all) long=(--include-ignored) ;;
*)
    say "usage: packaging/test.sh [--all]"
    exit 2
    ;;
esac

need_packages gcc libc6-dev ca-certificates \
    qemu-system-x86 seabios ipxe-qemu ovmf ovmf-ia32 qemu-system-arm qemu-efi-aarch64 \
    iproute2 procps ethtool tcpdump python3 dnsmasq-base nftables isc-dhcp-client udhcpc tftp-hpa atftp curl \
    memtest86+ grub-rescue-pc grub-common grub-pc-bin grub-efi-amd64-bin grub-efi-ia32-bin xorriso genisoimage \
    xvfb xdotool imagemagick xclip libx11-6 libx11-xcb1 libxcursor1 libxi6 libxkbcommon-x11-0 \
    live-build debootstrap squashfs-tools dosfstools mtools isolinux syslinux-common debian-archive-keyring
need_unpacked debian-installer-12-netboot-amd64 debian-installer-12-netboot-arm64 xen-hypervisor-4.17-amd64 nginx \
    grub-efi-amd64-signed iptables tftpd-hpa libwrap0
need_rust
need_loaders

# The live image takes some minutes where it is not there yet; it is made while the compiler runs.
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
# BOOTWRIGHT_LIVE_ISO names one that is there already: Ubuntu's live-build is too old to make a Debian.
if [ -n "${BOOTWRIGHT_LIVE_ISO:-}" ]; then
    echo "$BOOTWRIGHT_LIVE_ISO" >"$log/image" &
else
    cache=${XDG_CACHE_HOME:-$HOME/.cache}/bootwright
    "${sudo[@]}" packaging/live-iso.sh "$cache" >"$log/image" 2>"$log/image.err" &
fi
image=$!

# On a clean checkout nothing is compiled twice, so what would make that quick only takes time.
if [ "${CI:-}" = true ]; then
    export CARGO_INCREMENTAL=0
fi
say "format and lints"
cargo fmt --check
cargo clippy --quiet --locked --all-targets -- -D warnings
if cargo deny --version >/dev/null 2>&1; then
    cargo deny check licenses bans sources
else
    say "cargo-deny is not installed, so the policy in deny.toml was not checked"
fi
say "the crate without the window"
cargo check --quiet --locked --no-default-features
say "unit tests, and the tests that need no other program"
cargo test --quiet --locked --no-run
cargo test --locked --lib --bins --test answers --test engine --test hostile --test image --test layouts --test locks \
    --test quirks --test trace --test tree --test unknown 2>&1 | tee "$log/tests"

say "waiting for the live image"
if ! wait "$image"; then
    cat "$log/image.err" >&2
    exit 1
fi
BOOTWRIGHT_LIVE_ISO=$(tail -n 1 "$log/image")
export BOOTWRIGHT_LIVE_ISO

# Namespaces, and ports below 1024 in them, need root. The tests are built as the user and only run as root.
if [ "$(id -u)" != 0 ]; then
    host=$(rustc -vV | sed -n 's/^host: //p' | tr 'a-z-' 'A-Z_')
    export "CARGO_TARGET_${host}_RUNNER=sudo --preserve-env=PATH,BOOTWRIGHT_LIVE_ISO,CI"
fi
say "bad input, and real clients in network namespaces"
cargo test --locked --test check --test cli --test fat --test grub --test guard --test helper --test peers --test ports \
    --test rehearsal --test signed --test survey -- --nocapture --test-threads=2 2>&1 | tee -a "$log/tests"
say "the window, and a real computer that boots from it"
cargo test --locked --test window -- --nocapture --test-threads=1 2>&1 | tee -a "$log/tests"
say "real firmware"
cargo test --locked --test firmware --test images_boot --test firmwares --test keyboard --test secure_boot \
    --test diagnosis --test jobs --test safety -- \
    --nocapture --test-threads=2 "${long[@]}" 2>&1 | tee -a "$log/tests"
[ ${#long[@]} -gt 0 ] || say "boots of more than three minutes were left out; --all runs them too"

if grep -a 'SKIPPED' "$log/tests" >"$log/skipped"; then
    sort -u "$log/skipped" >&2
    if [ "${CI:-}" = true ]; then
        say "tests were skipped, which CI does not accept"
        exit 1
    fi
fi
say "all tests passed"
