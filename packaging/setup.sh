# What run.sh and test.sh share: system packages, a Rust toolchain, boot loaders. To be sourced, not run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# The lowest Rust that the crate builds with; kept in one place.
minimum_rust=$(sed -n 's/^rust-version = "\(.*\)"/\1/p' "$root/Cargo.toml")

say() { echo "bootwright: $*" >&2; }

sudo=()
[ "$(id -u)" = 0 ] || sudo=(sudo)

# Installs those of the named Debian packages that are missing.
need_packages() {
    local missing=() package
    for package in "$@"; do
        dpkg-query -W -f '${db:Status-Status}\n' "$package" 2>/dev/null | grep -qx installed || missing+=("$package")
    done
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    "${sudo[@]}" apt-get -qq update
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "${missing[@]}" >/dev/null
}

# Unpacks Debian packages below target/packages without installing them: what is in them is for the computers of tests,
# and a hypervisor that is installed gets into this machine's own boot menu. One that cannot be had is told.
need_unpacked() {
    local package work updated=
    for package in "$@"; do
        [ ! -d "$root/target/packages/$package" ] || continue
        say "unpacking $package"
        work=$(mktemp -d)
        if ! (cd "$work" && apt-get -qq download "$package" >/dev/null 2>&1) && [ -z "$updated" ]; then
            "${sudo[@]}" apt-get -qq update
            updated=yes
            (cd "$work" && apt-get -qq download "$package" >/dev/null 2>&1) || true
        fi
        if compgen -G "$work/*.deb" >/dev/null; then
            dpkg-deb -x "$work"/*.deb "$work/files"
            mkdir -p "$root/target/packages"
            mv "$work/files" "$root/target/packages/$package"
        else
            say "$package cannot be had; tests that need it are skipped"
        fi
        rm -rf "$work"
    done
}

rust_is_new_enough() {
    local found
    cargo --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && cargo fmt --version >/dev/null 2>&1 || return 1
    found=$(rustc --version 2>/dev/null | awk '{print $2}') || return 1
    [ -n "$found" ] && [ "$(printf '%s\n' "$minimum_rust" "$found" | sort -V | head -n 1)" = "$minimum_rust" ]
}

# A Rust toolchain of the stated minimum, where none is there: the distribution's rustup, or rustup's own installer.
need_rust() {
    [ -d "$HOME/.cargo/bin" ] && PATH=$HOME/.cargo/bin:$PATH
    rust_is_new_enough && return 0
    say "installing Rust $minimum_rust with rustup"
    if ! command -v rustup >/dev/null; then
        if apt-cache show rustup >/dev/null 2>&1; then
            need_packages rustup
        else
            need_packages curl ca-certificates
            curl --proto '=https' --tlsv1.2 -sSf https://sh.rustup.rs |
                sh -s -- -y --profile minimal --default-toolchain none --no-modify-path
            PATH=$HOME/.cargo/bin:$PATH
        fi
    fi
    rustup toolchain install "$minimum_rust" --profile minimal --component clippy --component rustfmt
    export RUSTUP_TOOLCHAIN=$minimum_rust
}

# The boot loaders.
need_loaders() {
    "$root/packaging/loaders.sh" "$root/target/loaders"
}
