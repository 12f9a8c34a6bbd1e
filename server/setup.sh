# SPDX-License-Identifier: Apache-2.0
# Sourced by server/demo, server/engine and tests/run: installs what is missing and builds. Nothing here needs the network where all is there.
# Before: `root` is the project's folder and `me` the script's name for messages.

say() { printf '%s: %s\n' "$me" "$*" >&2; }
fail() { say "$*"; exit 1; }

as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null; then
        sudo "$@"
    else
        fail "must install packages and is neither root nor has sudo; as root run: $*"
    fi
}

installed() { [ "$(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null)" = installed ]; }

# install_packages SECTION…: those of server/packages.txt that are missing.
install_packages() {
    local section package alternative found missing=()
    command -v dpkg-query >/dev/null || fail "works on Debian 12; elsewhere install what server/packages.txt names and build with cmake"
    while read -r section package; do
        case " $* " in *" $section "*) ;; *) continue ;; esac
        found=
        for alternative in ${package//|/ }; do
            if installed "$alternative"; then found=yes; break; fi
        done
        [ -n "$found" ] || missing+=("${package%%|*}")
    done < <(grep -v '^#' "$root/server/packages.txt")
    [ ${#missing[@]} -gt 0 ] || return 0
    say "installing ${missing[*]}"
    as_root apt-get update -qq || say "the package lists could not be refreshed; going on with those at hand"
    as_root env DEBIAN_FRONTEND=noninteractive apt-get -o DPkg::Lock::Timeout=300 install -y -qq --no-install-recommends "${missing[@]}" >"$root/build/packages.log" 2>&1 ||
        { tail -n 20 "$root/build/packages.log" >&2; fail "could not install ${missing[*]}; all of apt's words are in build/packages.log"; }
}

# A node of 18 or newer on the path will do; else Debian's.
install_node() {
    if [ "$(node -p 'process.versions.node.split(".")[0] >= 18' 2>/dev/null)" = true ] && command -v npm >/dev/null; then return 0; fi
    install_packages page
    hash -r
    [ "$(node -p 'process.versions.node.split(".")[0] >= 18' 2>/dev/null)" = true ] || fail "needs node 18 or newer, and found $(node --version 2>/dev/null || echo none)"
}

# install_node_packages FOLDER ARGUMENTS…: npm ci, unless it was done for the same lock file.
install_node_packages() {
    local folder=$root/$1
    shift
    [ -f "$folder/package-lock.json" ] || return 0
    if cmp -s "$folder/package-lock.json" "$folder/node_modules/.installed-lock.json"; then return 0; fi
    install_node
    say "fetching the packages of ${folder#"$root"/}/package-lock.json"
    (cd "$folder" && npm ci --no-audit --no-fund --loglevel=error "$@") >&2 ||
        fail "npm could not fetch the packages of ${folder#"$root"/}; see that the network is there, then run this again"
    cp "$folder/package-lock.json" "$folder/node_modules/.installed-lock.json"
}

at_least() { [ "$(printf '%s\n%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

check_versions() {
    local version
    version=$(cmake --version | sed -n '1s/[^0-9]*//p')
    at_least 3.25 "$version" || fail "needs cmake 3.25 or newer and found $version; put Debian's /usr/bin first in PATH"
    version=$(gcc -dumpfullversion)
    at_least 12 "$version" || fail "needs gcc 12 or newer and found $version; put Debian's /usr/bin first in PATH"
}

# build FOLDER CMAKE-ARGUMENTS…: configures once, builds what changed. TARGETS names targets; all by default.
build() {
    local folder=$root/$1
    shift
    if [ ! -f "$folder/build.ninja" ]; then
        say "configuring ${folder#"$root"/}"
        mkdir -p "$folder"
        # Warnings are errors with the compiler they were settled with; another may know more of them.
        [ "$(gcc -dumpversion)" = 12 ] || set -- "$@" -DVIRGA_WERROR=OFF
        CC=gcc cmake -S "$root" -B "$folder" -G Ninja "$@" >"$folder/configure.log" 2>&1 ||
            { tail -n 30 "$folder/configure.log" >&2; fail "cmake failed; all of its words are in ${folder#"$root"/}/configure.log"; }
    fi
    say "building ${folder#"$root"/}"
    local quiet=--quiet
    [ ! -t 2 ] || quiet=  # on a terminal ninja keeps to one line
    # shellcheck disable=SC2086
    ninja -C "$folder" $quiet ${TARGETS:-} >&2 || fail "the build in ${folder#"$root"/} failed; its messages stand above"
}

# install_engine [test]: the Python that fields are opened and computed with beyond files (tiler/source/virga_engine), in build/engine: the versions
# of constraints.txt, from wheels, unless that was done for the same list. With what its tests need where the word is there.
install_engine() {
    local package=$root/tiler/source/virga_engine venv=$root/build/engine wanted packages
    wanted=$(cat "$package/constraints.txt" "$package/pyproject.toml" | sha256sum)
    if [ "$(cat "$venv/.installed${1:+-$1}" 2>/dev/null)" = "$wanted" ]; then return 0; fi
    install_packages engine
    [ -x "$venv/bin/pip" ] || /usr/bin/python3 -m venv --clear "$venv" || fail "could not make a virtual environment in build/engine"
    packages=$("$venv/bin/python3" - "$package/pyproject.toml" "${1-}" <<'PYTHON'
import sys, tomllib
project = tomllib.load(open(sys.argv[1], "rb"))["project"]
print(*project["dependencies"], *project["optional-dependencies"].get(sys.argv[2], []), sep="\n")
PYTHON
    ) || fail "could not read tiler/source/virga_engine/pyproject.toml"
    say "installing the engine's Python packages in build/engine (some 900 MB; a few minutes)"
    # shellcheck disable=SC2086
    printf '%s\n' "$packages" | "$venv/bin/pip" install --quiet --disable-pip-version-check --no-input --only-binary :all: \
        --constraint "$package/constraints.txt" --requirement /dev/stdin >&2 ||
        fail "could not install the engine's Python packages; see that the network is there, then run this again"
    # The package itself is used from where it is.
    printf '%s\n' "$package" >"$venv/lib/$(basename "$(readlink -f "$venv/bin/python3")")/site-packages/virga.pth"
    printf '%s\n' "$wanted" >"$venv/.installed"
    [ -z "${1-}" ] || printf '%s\n' "$wanted" >"$venv/.installed-$1"
}
