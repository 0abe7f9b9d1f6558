#!/usr/bin/env bash
# Collects boot loaders out of the distribution's packages, without installing those.
#
#   packaging/loaders.sh FOLDER
#
# Puts them into FOLDER with a manifest.json (file, package, version, sha256, licence, signed by whom). Packages come
# through apt and are only unpacked. Three loaders are made here, of GRUB's modules. Run again it does nothing while all
# that the manifest names is there and the manifest is newer than this script.
set -euo pipefail

out=${1:?usage: packaging/loaders.sh FOLDER}
say() { echo "loaders: $*" >&2; }

whole() {
    [ "$out/manifest.json" -nt "${BASH_SOURCE[0]}" ] || return 1
    local name
    for name in $(sed -n 's/.*"file": "\([^"]*\)".*/\1/p' "$out/manifest.json"); do
        [ -s "$out/$name" ] || return 1
    done
}
if whole; then
    say "already in $out"
    exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sudo=()
[ "$(id -u)" = 0 ] || sudo=(sudo)

download() { (cd "$work/deb" && rm -f ./*.deb && apt-get -qq download "$1" >/dev/null 2>"$work/apt.log"); }

# Old lists name versions that are there no more. Once is enough.
refresh() {
    [ ! -e "$work/refreshed" ] || return 1
    touch "$work/refreshed"
    say "asking apt for its lists of packages"
    "${sudo[@]}" apt-get -qq update
}

# Unpacks a package below $work/PACKAGE. Fails where the distribution does not have it.
unpack() {
    local package=$1
    mkdir -p "$work/deb" "$work/$package"
    download "$package" || { refresh && download "$package"; } || return 1
    dpkg-deb -x "$work"/deb/*.deb "$work/$package"
    dpkg-deb -f "$work"/deb/*.deb Version >"$work/$package.version"
}

# The ARM64 package is for ARM64 systems only, so apt is asked with lists of its own; the system's are left alone.
unpack_arm64() {
    local package=$1
    rm -rf "${work:?}/$package"
    mkdir -p "$work/arm/lists/partial" "$work/arm/cache/archives/partial"
    cat >"$work/arm/apt.conf" <<APT
Dir::State::lists "$work/arm/lists";
Dir::Cache "$work/arm/cache";
APT::Architectures { "arm64"; };
APT::Architecture "arm64";
APT::Sandbox::User "";
APT
    mkdir -p "$work/deb" "$work/$package"
    (
        export APT_CONFIG=$work/arm/apt.conf
        [ -e "$work/arm/fetched" ] || { apt-get -qq update >/dev/null 2>&1 && touch "$work/arm/fetched"; } || true
        cd "$work/deb" && rm -f ./*.deb && apt-get -qq download "$package:arm64" >/dev/null 2>"$work/apt.log"
    ) || return 1
    dpkg-deb -x "$work"/deb/*.deb "$work/$package"
    dpkg-deb -f "$work"/deb/*.deb Version >"$work/$package.version"
}

# Who signed a UEFI program, by the names of the certificates in it. shim also carries its distribution's certificate,
# which it checks others by; what it is signed with itself is Microsoft's.
signer() {
    local names
    names=$(grep -aoE 'Microsoft (Corporation UEFI CA 2011|UEFI CA 2023)|Debian Secure Boot CA|Canonical Ltd\. Master Certificate Authority' "$1" |
        sort -u | paste -sd, | sed 's/,/, /g') || true
    case $names in
    *Microsoft*) names=$(echo "$names" | tr ',' '\n' | grep Microsoft | sed 's/^ //' | paste -sd, | sed 's/,/, /g') ;;
    esac
    echo "$names"
}

mkdir -p "$work/new"
: >"$work/rows"
# take PACKAGE PATH-IN-PACKAGE NAME LICENCE
take() {
    local from=$work/$1/$2
    if [ ! -f "$from" ]; then
        say "package $1 has no $2; left out"
        return 0
    fi
    cp -L "$from" "$work/new/$3"
    chmod 0644 "$work/new/$3"
    printf '  {"file": "%s", "package": "%s", "version": "%s", "sha256": "%s", "licence": "%s", "signed_by": "%s"}\n' \
        "$3" "$1" "$(cat "$work/$1.version")" "$(sha256sum "$from" | cut -d' ' -f1)" "$4" "$(signer "$from")" >>"$work/rows"
}

apt-cache show ipxe >/dev/null 2>&1 || refresh

say "unpacking ipxe, shim-signed, grub-efi, grub-common and syslinux-common"
if ! unpack ipxe; then
    cat "$work/apt.log" >&2
    say "the package ipxe cannot be had; without it no computer can boot"
    exit 1
fi
gpl2="GPL-2.0-or-later"
gpl3="GPL-3.0-or-later"
take ipxe usr/lib/ipxe/undionly.kpxe undionly.kpxe "$gpl2"
take ipxe usr/lib/ipxe/ipxe.pxe ipxe.pxe "$gpl2"
take ipxe usr/lib/ipxe/snponly.efi snponly.efi "$gpl2"
# /usr/lib/ipxe/ipxe.efi is a link to this one.
take ipxe boot/ipxe.efi ipxe.efi "$gpl2"

# What Secure Boot needs: the shim that Microsoft has signed, and the GRUB that it trusts. Not every distribution has all of
# it; what is missing is told.
unpack shim-signed && take shim-signed usr/lib/shim/shimx64.efi.signed shimx64.efi BSD-2-Clause || say "no shim-signed"
unpack shim-helpers-amd64-signed && take shim-helpers-amd64-signed usr/lib/shim/mmx64.efi.signed mmx64.efi BSD-2-Clause ||
    say "no shim-helpers-amd64-signed"
unpack grub-efi-amd64-signed &&
    take grub-efi-amd64-signed usr/lib/grub/x86_64-efi-signed/grubnetx64.efi.signed grubx64.efi "$gpl3" ||
    say "no grub-efi-amd64-signed"
unpack_arm64 shim-signed && take shim-signed usr/lib/shim/shimaa64.efi.signed shimaa64.efi BSD-2-Clause ||
    say "no shim-signed for ARM64"
unpack_arm64 shim-helpers-arm64-signed && take shim-helpers-arm64-signed usr/lib/shim/mmaa64.efi.signed mmaa64.efi BSD-2-Clause ||
    say "no shim-helpers-arm64-signed"
unpack_arm64 grub-efi-arm64-signed &&
    take grub-efi-arm64-signed usr/lib/grub/arm64-efi-signed/grubnetaa64.efi.signed grubaa64.efi "$gpl3" ||
    say "no grub-efi-arm64-signed"
unpack syslinux-common && take syslinux-common usr/lib/syslinux/memdisk memdisk "$gpl2" || say "no syslinux-common"

# GRUB that fetches by HTTP: for computers that iPXE is not built for, and for what UEFI has in no other loader, Multiboot.
# Where iPXE starts it, iPXE leaves the address of a script where GRUB looks for what its DHCP server said: the root path,
# which GRUB calls net_CARD_rootpath. Where firmware starts it, it fetches the computer's menu; the server writes its own
# address into the place that is kept free for it. It has all its modules in it, and is not signed.
cat >"$work/grub.cfg" <<'GRUB'
set server=BOOTWRIGHT_SERVER_ADDRESS_AND_PORT_STAND_HERE
eval "set script=\"\$net_${net_default_interface}_rootpath\""
if [ "$net_default_interface" = "" ]; then
    echo "Bootwright: asking for an address"
    net_bootp
    set script=
fi
if [ "$script" = "" ]; then
    set script="(http,$server)/grub/menu/$grub_cpu/mac-$net_default_mac/lockdown-$lockdown/menu.cfg"
fi
# Its entries become the ones of this script, so that Escape leads nowhere.
source "$script"
if [ "$bootwright" != menu ]; then
    echo "Bootwright: $script could not be read or started. Back in 10 seconds."
    sleep 10
    exit
fi
GRUB
# make_grub FORMAT PACKAGE NAME MODULE…
make_grub() {
    local format=$1 package=$2 name=$3 folder=$work/$2
    shift 3
    mkdir -p "$folder/disk/boot"
    cp "$work/grub.cfg" "$folder/disk/boot/"
    tar --format=ustar --sort=name --mtime=@0 --owner=0 --group=0 -C "$folder/disk" -cf "$folder/grub.tar" boot/grub.cfg
    "$work/grub-common/usr/bin/grub-mkimage" -O "$format" -d "$folder/usr/lib/grub/$format" \
        -m "$folder/grub.tar" -p '(memdisk)/boot' -o "$folder/$name" \
        memdisk tar efinet http tftp net normal configfile eval echo sleep minicmd test true regexp linux chain boot \
        all_video terminal search search_fs_file part_gpt part_msdos fat ntfs ext2 iso9660 reboot halt gzio "$@" &&
        take "$package" "$name" "$name" "$gpl3"
}
if unpack grub-common; then
    unpack grub-efi-amd64-bin && make_grub x86_64-efi grub-efi-amd64-bin grub-http-x64.efi multiboot2 serial ||
        say "no grub-http-x64.efi, so hypervisors start on BIOS computers only"
    unpack grub-efi-ia32-bin && make_grub i386-efi grub-efi-ia32-bin grub-http-ia32.efi multiboot2 serial ||
        say "no grub-http-ia32.efi, so 32-bit UEFI computers cannot boot"
    unpack_arm64 grub-efi-arm64-bin && make_grub arm64-efi grub-efi-arm64-bin grub-http-arm64.efi ||
        say "no grub-http-arm64.efi, so ARM64 computers cannot boot"
else
    say "no grub-common, so no GRUB that fetches by HTTP is made: 32-bit UEFI and ARM64 computers cannot boot"
fi

{
    echo '['
    sed '$!s/$/,/' "$work/rows"
    echo ']'
} >"$work/new/manifest.json"
# The manifest goes last, so that a broken run is never taken for a whole one. What an older script put there goes.
mkdir -p "$out"
for name in $(sed -n 's/.*"file": "\([^"]*\)".*/\1/p' "$out/manifest.json" 2>/dev/null); do
    [ -e "$work/new/$name" ] || rm -f "${out:?}/$name"
done
mv "$work"/new/*.efi "$work"/new/*pxe "$out/"
[ ! -f "$work/new/memdisk" ] || mv "$work/new/memdisk" "$out/"
mv "$work/new/manifest.json" "$out/"
say "$(grep -c '"file"' "$out/manifest.json") loaders in $out"
