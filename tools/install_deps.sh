#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Install the packages of tools/packages.txt that are missing.  Nothing is started meanwhile (a
# policy-rc.d refuses it) and no PostgreSQL cluster is made; both files are put back as they were.
set -eu

quiet=false
case ${1:-} in
--quiet) quiet=true ;;
'') ;;
*)
    echo "usage: ./dev install-deps" >&2
    exit 2
    ;;
esac
say() { $quiet || echo "$*"; }

list=$(dirname "$0")/packages.txt
missing=
while read -r name reason; do
    case $name in '' | '#'*) continue ;; esac
    state=$(dpkg-query -W -f='${db:Status-Status}' "$name" 2>/dev/null || true)
    [ "$state" = installed ] || missing="$missing $name"
done <"$list"
if [ -z "$missing" ]; then
    say "every package is there"
    exit 0
fi

if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "these packages are missing, and installing them needs root or sudo:$missing" >&2
        exit 1
    }
    exec sudo sh "$0" "$@"
fi

policy=/usr/sbin/policy-rc.d
cluster=/etc/postgresql-common/createcluster.conf
mark='refused while Muster installs its packages'
kept=$(mktemp -d)

keep() { # FILE NAME: remember a file, or that there was none; a leftover of ours counts as none
    if [ -e "$1" ] && ! grep -q "$mark" "$1"; then cp -p "$1" "$kept/$2"; fi
}
put_back() {
    if [ -e "$kept/policy" ]; then cp -p "$kept/policy" "$policy"; else rm -f "$policy"; fi
    if [ -e "$kept/cluster" ]; then cp -p "$kept/cluster" "$cluster"; fi
    rm -rf "$kept"
}
keep "$policy" policy
[ ! -e "$cluster" ] || cp -p "$cluster" "$kept/cluster"
trap put_back EXIT
trap 'exit 1' INT TERM HUP

printf '#!/bin/sh\n# %s\nexit 101\n' "$mark" >"$policy"
chmod 755 "$policy"
mkdir -p "$(dirname "$cluster")"
if [ -e "$cluster" ]; then
    sed -i '/^[[:space:]]*create_main_cluster/d' "$cluster"
fi
echo 'create_main_cluster = false' >>"$cluster"

run() { # quietly; everything it said when it fails
    "$@" >"$kept/log" 2>&1 || {
        cat "$kept/log" >&2
        exit 1
    }
}
echo "installing:$missing"
export DEBIAN_FRONTEND=noninteractive UCF_FORCE_CONFFOLD=1
apt='apt-get -q -y -o DPkg::Lock::Timeout=600 -o Acquire::Retries=5 -o Dpkg::Use-Pty=0'
# shellcheck disable=SC2086 # words on purpose
run $apt update
# shellcheck disable=SC2086
run $apt install --no-install-recommends -o Dpkg::Options::=--force-confdef \
    -o Dpkg::Options::=--force-confold $missing

# What we run ourselves must not start with the machine; a service that was there before stays.
for service in nginx:nginx-light certmonger:certmonger; do
    case " $missing " in *" ${service#*:} "*) ;; *) continue ;; esac
    update-rc.d "${service%:*}" disable >/dev/null 2>&1 || true
    if command -v systemctl >/dev/null; then
        systemctl disable "${service%:*}.service" >/dev/null 2>&1 || true
    fi
done
