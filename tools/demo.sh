#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A server of one's own on $MUSTER_DATA, and with it (unless --empty) three simulated iPhones under
# a demonstration policy.  Called by tools/run.sh with MUSTER_BUILD and MUSTER_DATA set.
set -eu

empty=no once=no
for word; do
    case $word in
    --empty) empty=yes ;;
    --once) once=yes ;;
    esac
done

server=$MUSTER_BUILD/src/server/musterd
cli=$MUSTER_BUILD/src/cli/muster
sim=$MUSTER_BUILD/src/sim/muster-sim
conf=$MUSTER_DATA/musterd.conf
demo=$MUSTER_DATA/demo
log=$MUSTER_DATA/musterd.log
front=8443 device=8444 plain=8080 metrics=9464 # or others, see choose_ports

# A socket's path has room for 107 bytes, and the edge's file takes plain paths only: a checkout that
# lies deep or has a space in its name keeps its sockets elsewhere, under another name at each start.
run_dir=$MUSTER_DATA/run elsewhere=
case $run_dir in
*[!A-Za-z0-9/._-]*) elsewhere=yes ;;
esac
[ ${#run_dir} -le 75 ] || elsewhere=yes
[ -z "$elsewhere" ] || run_dir=$(mktemp -d /tmp/muster-run-XXXXXX)

children= simulated=
# Everything is asked to end.  The simulator may sit in a long poll and loses nothing by an end at
# once; the server gets the time that its own stop may take.
stop() {
    trap '' INT TERM PIPE EXIT
    if [ -z "$children$simulated" ]; then
        [ -z "$elsewhere" ] || rmdir "$run_dir"
        return 0
    fi
    kill -TERM $children $simulated 2>/dev/null || :
    (sleep 3 && kill -KILL $simulated) >/dev/null 2>&1 &
    guards=$!
    (sleep 30 && kill -KILL $children) >/dev/null 2>&1 &
    guards="$guards $!"
    wait $children $simulated 2>/dev/null || :
    kill $guards 2>/dev/null || :
    [ -z "$elsewhere" ] || rm -rf "$run_dir"
}
trap stop EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
trap 'exit 141' PIPE

say() { printf '%s\n' "$*"; }

fail() {
    say "$*" >&2
    [ ! -f "$log" ] || tail -n 20 "$log" >&2
    exit 1
}

# Wait for a command to succeed, at most $1 seconds.
wait_for() {
    seconds=$1
    shift
    while ! "$@" >/dev/null 2>&1; do
        seconds=$((seconds - 1))
        [ "$seconds" -gt 0 ] || return 1
        sleep 1
    done
}

is_free() { # PORT…: nobody listens there
    /usr/bin/python3 -c 'import socket, sys
for port in sys.argv[1:]: socket.create_server(("127.0.0.1", int(port))).close()' "$@" 2>/dev/null
}

# Another server may run on this machine: its ports are left alone.
choose_ports() {
    for _ in 1 2 3 4 5 6 7 8 9; do
        ! is_free "$front" "$device" "$plain" "$metrics" || return 0
        front=$((front + 10)) device=$((device + 10)) plain=$((plain + 10)) metrics=$((metrics + 10))
    done
    fail "no free ports from 8443, 8080 and 9464 on"
}

port_of() { # SECTION OTHERWISE: what the configuration says
    found=$(sed -n "/^\[$1\]/,/^\[/s/^port *= *//p" "$conf")
    say "${found:-$2}"
}

take_ports() {
    front=$(port_of front 8443) device=$(port_of device 8444)
    plain=$(port_of plain 8080) metrics=$(port_of metrics 9464)
    for port in $front $device $plain $metrics; do
        is_free "$port" || fail "somebody else listens at port $port: stop that, or choose another in $conf"
    done
}

configure() {
    [ ! -f "$conf" ] || return 0
    choose_ports
    cat >"$conf.new" <<TEXT
# Written once by ./dev run; change it as you like.
[server]
data_dir = $MUSTER_DATA/data
organization = Example
names = localhost 127.0.0.1
log = warn
[front]
address = 127.0.0.1
port = $front
[device]
address = 127.0.0.1
port = $device
[plain]
address = 127.0.0.1
port = $plain
[metrics]
port = $metrics
TEXT
    [ "$empty" = yes ] || cat >>"$conf.new" <<TEXT
[apple]
apns_url = https://127.0.0.1:$1
apns_ca_file = $demo/apns/ca.pem
TEXT
    mv "$conf.new" "$conf"
}

start_server() {
    take_ports
    "$server" run --config "$conf" --set "server.run_dir=$run_dir" >>"$log" 2>&1 &
    children="$children $!"
    wait_for 120 curl -sf "http://127.0.0.1:$metrics/readyz" || fail "the server did not start"
    curl -sf "http://127.0.0.1:$plain/ca/root.cer" |
        openssl x509 -inform DER -out "$MUSTER_DATA/root.pem" || fail "no root certificate"
}

# ---- the demonstration ----

start_apns() {
    mkdir -p "$demo"
    [ -f "$demo/apns.made" ] || [ -f "$demo/done" ] || "$sim" apns authority --dir "$demo/apns" >/dev/null
    : >"$demo/apns.made"
    port=0
    [ ! -f "$demo/apns.port" ] || port=$(cat "$demo/apns.port")
    rm -f "$demo/apns.json"
    "$sim" apns --dir "$demo/apns" --port "$port" --ready-file "$demo/apns.json" >/dev/null &
    simulated="$simulated $!"
    wait_for 20 test -s "$demo/apns.json" || fail "the simulated push service did not start"
    sed -n 's/.*"url": *"https:\/\/[^:]*:\([0-9]*\).*/\1/p' "$demo/apns.json" >"$demo/apns.port"
    control=$(sed -n 's/.*"control_url": *"\([^"]*\)".*/\1/p' "$demo/apns.json")
}

# The demonstration signs in as an administrator of its own, who is disabled when it is made.
muster() { MUSTER_CONFIG=$demo/contexts.json "$cli" "$@"; }

sign_in_demo() {
    once_only=$("$server" admin demo --config "$conf" 2>/dev/null)
    chosen=$(openssl rand -hex 16)
    printf '%s\n%s\n' "$once_only" "$chosen" |
        muster login --server "https://localhost:$front" --ca "$MUSTER_DATA/root.pem" --user demo \
            --password-stdin >/dev/null 2>&1
}

sign_out_demo() {
    "$server" admin demo --disable --config "$conf" >/dev/null 2>&1
    rm -f "$demo/contexts.json"
}

push_certificate() {
    muster apple push-certificate request >"$demo/push.csr"
    "$sim" apns sign --dir "$demo/apns" --csr "$demo/push.csr" --out "$demo/push.pem" \
        --topic com.apple.mgmt.External.11111111-2222-3333-4444-555555555555 >/dev/null
    muster apple push-certificate import "$demo/push.pem" >/dev/null
}

# policy NAME OPTION…: makes and assigns it, unless an earlier start did.
policy() {
    name=$1
    shift
    muster policy get "$name" >/dev/null 2>&1 || muster policy create "$name" "$@" >/dev/null
    muster policy assignments "$name" -o json | grep -q '"target"' ||
        muster policy assign "$name" --all >/dev/null
}

policies() {
    policy "Passcode" --kind configuration \
        --set password.required=true --set password.min_length=6 --set password.allow_simple=false
    policy "Healthy device" --kind compliance \
        --set password.required=true --set encryption.device=true --set os.minimum=16.0
}

keys() {
    [ ! -d "$demo/keys" ] || return 0
    rm -rf "$demo/keys.new"
    "$sim" keys --out "$demo/keys.new" --count 3 >/dev/null
    mv "$demo/keys.new" "$demo/keys"
}

# phone DIRECTORY NAME OS BUILD PASSCODE
phone() {
    [ ! -f "$demo/$1.enrolled" ] || return 0
    link=$(muster enrol link --name "$2" -o json | sed -n 's/.*"url": *"\([^"]*\)".*/\1/p')
    "$sim" apple enrol --link "$link" --state "$demo/$1" --ca "$MUSTER_DATA/root.pem" \
        --keys "$demo/keys" --name "$2" --os "$3" --build "$4" --passcode "$5" \
        --push-host "$control" >/dev/null || fail "$2 could not enrol"
    : >"$demo/$1.enrolled"
}

# Each step may find what an interrupted start has left: it goes on from there.
first_demo() {
    say "making the demonstration: a push service, two policies, three iPhones…"
    sign_in_demo
    push_certificate
    policies
    keys
    phone good "Lobby iPhone" 17.5.1 21F90 8
    phone open "Warehouse iPhone" 17.5.1 21F90 none
    phone old "Reception iPhone" 15.8 19H370 8
    sign_out_demo
    : >"$demo/done"
}

serve_phones() {
    "$sim" apple serve --apns "$control" --interval 300 --state "$demo/good" \
        "$demo/open" "$demo/old" >"$demo/phones.log" 2>&1 &
    simulated="$simulated $!"
}

# Printed before the demonstration is made: an interruption must not lose it.
administrator() {
    [ ! -f "$MUSTER_DATA/admin.made" ] || return 0
    password=$("$server" admin admin --config "$conf" 2>/dev/null) || fail "no administrator"
    say "Administrator: admin, one-time password: $password"
    : >"$MUSTER_DATA/admin.made"
}

next_steps() {
    say ""
    say "Muster runs: https://localhost:$front (log: $log)"
    [ -z "${password:-}" ] || say "Administrator: admin, one-time password: $password"
    say ""
    say "Try next, in another terminal:"
    say "  $cli login --server https://localhost:$front --ca $MUSTER_DATA/root.pem --user admin"
    if [ "$empty" = yes ]; then
        say "  $cli enrol link"
        say "  $cli device list"
    else
        say "  $cli device list"
        say "  $cli explain \"device/Warehouse iPhone\""
        say "  $cli device retire \"Reception iPhone\""
    fi
    say ""
    say "Ctrl-C stops everything; the next start keeps what is there."
}

mkdir -p "$MUSTER_DATA" "$run_dir"
if [ -f "$conf" ] && ! grep -q '^apns_url' "$conf"; then
    empty=yes # it was started without the demonstration before
fi
[ "$empty" = yes ] || start_apns
configure "$(cat "$demo/apns.port" 2>/dev/null || :)"
start_server
administrator
if [ "$empty" = no ]; then
    [ -f "$demo/done" ] || first_demo
    serve_phones
fi
next_steps
[ "$once" = no ] || exit 0
wait
