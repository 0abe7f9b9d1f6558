#!/bin/sh
# Fuzzes what reads hostile files: ./run.sh [SECONDS [TARGET]]. Without a target all are run, one after the other.
#
# It needs a nightly compiler and a C++ compiler, and not cargo-fuzz: the flags below are those that matter. What ends a
# run lies in artifacts/TARGET afterwards; try it again with: ./run.sh 0 TARGET artifacts/TARGET/FILE
set -eu
cd "$(dirname "$0")"

seconds=${1:-60}
targets=${2:-disc bootcfg initrd wim checksum signature}
host=$(rustc +nightly -vV | sed -n 's/^host: //p')

# Coverage that libFuzzer reads. A target is named so that build scripts are not instrumented as well.
flags="-Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4"
flags="$flags -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table"
flags="$flags -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1 --cfg fuzzing"

# Absolute, since cargo and the shell are to mean the same folder.
build=$(realpath -m "${CARGO_TARGET_DIR:-target}")/fuzz
CARGO_TARGET_DIR=$build cargo build --quiet --release --bin seeds
"$build/release/seeds" corpus
for target in $targets; do
    CARGO_TARGET_DIR=$build RUSTFLAGS=$flags cargo +nightly build --quiet --release --target "$host" --bin "$target"
    mkdir -p "artifacts/$target"
    program=$build/$host/release/$target
    if [ "$seconds" = 0 ]; then
        "$program" "$3"
        continue
    fi
    echo "== $target"
    # What takes ten seconds is a finding; so is what takes two gigabytes.
    "$program" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -max_len=100000 -print_final_stats=1 \
        -artifact_prefix="artifacts/$target/" "corpus/$target"
done
