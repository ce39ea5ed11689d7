#!/bin/sh
# EchoGen for Linux: unpacks itself into this user's own folder and adds itself to the menu. No administrator is needed.
#
#   sh echogen-….run              install, and open it; unpacked from echogen-….tar, a double-click does the same
#   sh echogen-….run --no-start   install only
#   ~/.local/opt/echogen/uninstall.sh   remove it; pictures, history and settings stay (--all: pictures alone)
set -eu

target="${ECHOGEN_TARGET:-$HOME/.local/opt/echogen}"
share="${XDG_DATA_HOME:-$HOME/.local/share}"
app=io.github.echogen.Desktop

say() {
    printf '%s\n' "$1" >&2
    if [ ! -t 2 ] && [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] && command -v zenity >/dev/null; then
        zenity --error --no-markup --title=EchoGen --text="$1" 2>/dev/null || :
    fi
}

[ "$(uname -m)" = x86_64 ] || { say "This file is for 64-bit Intel and AMD computers, and this one is $(uname -m)."; exit 1; }

parent=$(dirname -- "$target")
mkdir -p -- "$parent" 2>/dev/null || { say "Files cannot be written to $parent. Set ECHOGEN_TARGET to another folder."; exit 1; }
new=$(mktemp -d "$parent/.echogen-new-XXXXXX") || { say "Files cannot be written to $parent."; exit 1; }
trap 'rm -rf -- "$new"; rmdir -- "$parent" 2>/dev/null || :' EXIT
trap 'exit 130' INT TERM

tail -n +@LINE@ "$0" >"$new/payload.tar.gz" || { say "The disk is full. Make room and start this file again."; exit 1; }
found=$(sha256sum "$new/payload.tar.gz" | cut -d ' ' -f 1)
[ "$found" = "@DIGEST@" ] || { say "This file arrived damaged. Download it again."; exit 1; }
mkdir "$new/tree"
tar -xzf "$new/payload.tar.gz" -C "$new/tree" --strip-components=1 || { say "The program could not be unpacked. Is the disk full?"; exit 1; }

# The version before goes only when the new one is whole.
[ -e "$target" ] && mv -- "$target" "$new/before"
mv -- "$new/tree" "$target"

# The desktop entry's own quoting, see installer/desktop_entry.py. The entry is put in by make_packages.py.
# shellcheck disable=SC2034
quoted=$(printf '%s' "$target/installer/launcher/start.sh" | sed -e 's/[\\"`$]/\\&/g' -e 's/\\/\\\\/g' -e 's/%/%%/g')
mkdir -p "$share/applications" "$share/icons/hicolor/scalable/apps"
cp "$target/resources/icons/echogen.svg" "$share/icons/hicolor/scalable/apps/$app.svg"
cat >"$share/applications/.$app.part" <<ENTRY
@ENTRY@
ENTRY
mv "$share/applications/.$app.part" "$share/applications/$app.desktop"
if command -v update-desktop-database >/dev/null; then update-desktop-database "$share/applications" 2>/dev/null || :; fi
if command -v update-mime-database >/dev/null; then
    mkdir -p "$share/mime/packages"
    cp "$target/installer/linux/$app.xml" "$share/mime/packages/"
    update-mime-database "$share/mime" >/dev/null 2>&1 || :
fi

cat >"$target/uninstall.sh" <<'UNINSTALL'
#!/bin/sh
# Removes EchoGen. Pictures, history and settings stay, and downloaded models are asked about; with --all, pictures alone stay.
here=$(dirname -- "$(readlink -f -- "$0")")
share="${XDG_DATA_HOME:-$HOME/.local/share}"
app=io.github.echogen.Desktop
"$here/installer/launcher/start.sh" --remove "$@" || exit 1
rm -f "$share/applications/$app.desktop" "$share/icons/hicolor/scalable/apps/$app.svg" "$share/mime/packages/$app.xml"
if command -v update-mime-database >/dev/null; then update-mime-database "$share/mime" >/dev/null 2>&1; fi
if command -v update-desktop-database >/dev/null; then update-desktop-database "$share/applications" 2>/dev/null; fi
# Databases that hold nothing now were made for EchoGen alone; a folder that holds anything else stays.
if rmdir "$share/mime/packages" 2>/dev/null; then
    for name in aliases generic-icons globs globs2 icons magic mime.cache subclasses treemagic types version XMLnamespaces; do
        rm -f "$share/mime/$name"
    done
fi
set -- "$share/applications/"*.desktop
[ -e "$1" ] || rm -f "$share/applications/mimeinfo.cache"
for folder in mime/image mime applications icons/hicolor/scalable/apps icons/hicolor/scalable icons/hicolor icons; do
    rmdir "$share/$folder" 2>/dev/null
done
cd / && rm -rf -- "$here"
rmdir "$(dirname -- "$here")" 2>/dev/null
exit 0
UNINSTALL
chmod +x "$target/uninstall.sh"

rm -rf -- "$new"
trap - EXIT
printf 'EchoGen is installed in %s and in the menu.\n' "$target"
[ "${1:-}" = --no-start ] || exec "$target/installer/launcher/start.sh"
exit 0
