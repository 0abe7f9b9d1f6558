#!/usr/bin/env bash
# Makes the pictures of the README from the demonstration: a described machine and recorded boots, so they are the same
# for everyone and show nobody's network.
#
#   packaging/screenshots.sh [FOLDER]
#
# Opens the window on an X server without a screen and walks through it by keyboard. Look at the pictures before you
# commit them.
set -euo pipefail
# shellcheck source=packaging/setup.sh
source "$(dirname "${BASH_SOURCE[0]}")/setup.sh"

need_packages xvfb xdotool imagemagick libx11-6 libx11-xcb1 libxcursor1 libxi6 libxkbcommon-x11-0
program=$("$root/packaging/run.sh" --prepare | tail -n 1)
out=${1:-$root/assets/screenshots}
mkdir -p "$out"

work=$(mktemp -d)
started=()
trap 'kill "${started[@]}" 2>/dev/null || true; rm -rf "$work"' EXIT
Xvfb -displayfd 3 -screen 0 1600x1000x24 -nolisten tcp 3>"$work/display" 2>/dev/null &
started+=($!)
alive() { kill -0 "${started[@]}" 2>/dev/null || { say "a program ended too early"; exit 1; }; }
until [ -s "$work/display" ]; do alive; sleep 0.1; done
DISPLAY=:$(cat "$work/display")
export DISPLAY ICED_BACKEND=tiny-skia
unset WAYLAND_DISPLAY

"$program" --demo &
started+=($!)
window=
until [ -n "$window" ]; do
    alive; sleep 0.2
    window=$(xdotool search --onlyvisible --name Bootwright | tail -n 1 || true)
done
xdotool windowsize --sync "$window" 1080 720
xdotool mousemove 1590 990
xdotool windowfocus --sync "$window"

titled() { until xdotool getwindowname "$window" | grep -q "^$1"; do alive; sleep 0.2; done; }
# A page is drawn a moment after its title.
picture() {
    sleep 1
    import -window "$window" -strip -define png:compression-level=9 "$out/$1.png"
    echo "$out/$1.png: $(stat -c %s "$out/$1.png") bytes"
}

titled Network && picture network
xdotool key Return && titled Images && xdotool key space && sleep 1 && picture images
xdotool key Return && titled Menu && picture menu
xdotool key Return && titled Check && sleep 1 && picture check
xdotool key Return && titled '4 computers'
# Far enough that one is loading, one has refused its loader, and two run.
sleep 41 && picture serve
# The settings: from the cross to the third shade.
xdotool key ctrl+comma && sleep 0.5 && xdotool key Tab Tab Tab space Escape
picture serve-dark
