#!/bin/sh
# Opens EchoGen: finds the Python of an earlier set-up, or lets uv find or bring one, and hands over to the launcher.
# Nothing here needs more than a POSIX shell. ECHOGEN_UV names another uv than the one that came along.
set -u

self=$(readlink -f -- "$0")
launcher=${self%/*}
root=${launcher%/installer/launcher}

# The folders of places.py.
system=$(uname -s)
if [ "$system" = Darwin ]; then
    data="$HOME/Library/Application Support" config="$HOME/Library/Application Support"
else
    data="${XDG_DATA_HOME:-$HOME/.local/share}" config="${XDG_CONFIG_HOME:-$HOME/.config}"
fi
folder=
chosen="$config/echogen-desktop/program-folder"
[ -r "$chosen" ] && IFS= read -r folder <"$chosen"
[ -n "$folder" ] || folder="$data/echogen-desktop/program"

case ${LC_ALL:-${LC_MESSAGES:-${LANG:-}}} in
zh_TW* | zh_HK*) getting="Getting Python …" ;;
zh*) getting="正在获取 Python……" ;;
*) getting="Getting Python …" ;;
esac

# What is said where nothing else works; the launcher has its own words.
fail() {
    [ -n "${ECHOGEN_SIGN:-}" ] && kill "$ECHOGEN_SIGN" 2>/dev/null
    printf '%s\n' "$1" >&2
    if [ "$system" = Darwin ]; then
        osascript -e 'on run argv' -e 'display alert "EchoGen" message (item 1 of argv)' -e 'end run' "$1" >/dev/null 2>&1
    elif [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ]; then
        if command -v zenity >/dev/null; then zenity --error --no-markup --title=EchoGen --text="$1" 2>/dev/null
        elif command -v kdialog >/dev/null; then kdialog --title EchoGen --error "$1"
        elif command -v notify-send >/dev/null; then notify-send EchoGen "$1"
        fi
    fi
    exit 1
}

if [ "$system" = Darwin ]; then
    # From its disk image, and from where macOS puts an app that was not moved, it would lie somewhere else at every start.
    case $root in
    /Volumes/EchoGen*/*.app/* | */AppTranslocation/*) fail "Drag EchoGen to the Applications folder and open it there." ;;
    esac
    [ "$(sysctl -in hw.optional.arm64 2>/dev/null)" = 1 ] || fail "EchoGen needs a Mac with Apple silicon, and this one has an Intel processor."
fi

# Something to see at once; the launcher takes it away when its own is there.
show_sign() {
    [ -n "${DISPLAY:-}${WAYLAND_DISPLAY:-}" ] || return 0
    if command -v zenity >/dev/null; then
        # It ends when nothing holds the other end of its input any more, so that one is held for it.
        # In a language that is set and not installed it would take its text for no option at all.
        sleep 120 | LC_ALL=C.UTF-8 zenity --progress --pulsate --no-cancel --auto-close --title=EchoGen --text="$getting" --width=360 >/dev/null 2>&1 &
        ECHOGEN_SIGN=$!
        export ECHOGEN_SIGN
    elif command -v notify-send >/dev/null; then
        notify-send EchoGen "$getting"
    fi
}

# One of the network settings (network.py), each of which has a line of its own in their file.
setting() { sed -n "s/^ *\"$1\": \"\(.*\)\",\{0,1\}\$/\1/p" "$config/echogen-desktop/network.json" 2>/dev/null; }

python=
[ -r "$folder/python-path" ] && IFS= read -r python <"$folder/python-path"
# One that is there and broken (an upgrade of the system took its library) would end without a word.
if [ -z "$python" ] || ! "$python" -I -S -c '' >/dev/null 2>&1; then
    show_sign
    uv=${ECHOGEN_UV:-}
    [ -n "$uv" ] || uv="$launcher/bin/uv"
    [ -x "$uv" ] || uv=$(command -v uv) || fail "uv, which brings Python, is missing. Install EchoGen again."
    mkdir -p "$folder" 2>/dev/null || fail "Files cannot be written to $folder. Make that folder writable and start EchoGen again."
    export UV_CACHE_DIR="$folder/cache" UV_PYTHON_INSTALL_DIR="$folder/python" UV_SYSTEM_CERTS=1 UV_NO_PROGRESS=1
    mirror=${ECHOGEN_PYTHON:-$(setting python)} proxy=${ECHOGEN_PROXY:-$(setting proxy)}
    [ -n "$mirror" ] && export UV_PYTHON_INSTALL_MIRROR="$mirror"
    [ -n "$proxy" ] && export http_proxy="$proxy" https_proxy="$proxy" HTTP_PROXY="$proxy" HTTPS_PROXY="$proxy"
    # An archive for computers without a network may bring a Python.
    [ -d "$root/python" ] && UV_PYTHON_INSTALL_DIR="$root/python"
    python=$("$uv" python find --no-config --no-project 3.11 2>>"$folder/setup.log") || {
        "$uv" python install --no-config 3.11 >>"$folder/setup.log" 2>&1
        python=$("$uv" python find --no-config --no-project 3.11 2>>"$folder/setup.log")
    } || fail "Python cannot be fetched. Check the network and start EchoGen again; $folder/setup.log says more."
fi
export PYTHONPATH="$root"
exec "$python" -P -m installer.launcher "$@"
